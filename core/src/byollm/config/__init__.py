"""Configuration: what people write, checked strictly, as plain values that flow. `llm_config.load` is the door."""
