"""Both OpenAI dialects, and the provider `custom`."""
