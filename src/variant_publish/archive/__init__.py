"""The bytes of wheels: read, copy raw, rewrite."""
