"""Dialects: how a variant is written on a wheel and told to installers; pure, looked up from a registry."""
