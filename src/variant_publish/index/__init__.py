"""The index of a store: masters, pages and their care."""
