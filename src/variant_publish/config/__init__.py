"""Configuration: `[tool.variant-publish]`."""
