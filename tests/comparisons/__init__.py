"""Our numbers beside those of two other projects: prices and capabilities, model by model."""
