"""The selector sdist: a source distribution whose build backend hands over the wheel that fits the machine."""
