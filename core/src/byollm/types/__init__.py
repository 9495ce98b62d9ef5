"""The neutral vocabulary: what people and models say to each other, whatever the provider."""
