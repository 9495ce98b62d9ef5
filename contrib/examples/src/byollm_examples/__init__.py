"""byollm's demo: three scenes and a pipeline of documents, on the sandbox or on your own keys."""
