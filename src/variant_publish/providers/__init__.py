"""What this machine is: its CPU, its GPU, its Python, as selectors and providers ask for them."""
