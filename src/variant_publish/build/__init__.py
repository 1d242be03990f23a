"""Building: frontends that make wheels of sources, and the tools that repair them."""
