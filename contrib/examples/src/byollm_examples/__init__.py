"""The demo: three scenes and a pipeline of documents."""
