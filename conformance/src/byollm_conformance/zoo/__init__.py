"""Broken plugins, each by one fault, and the plugin without a fault that they are made of: what tests the suite."""
