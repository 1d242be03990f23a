"""What is inside a binary: ELF, Mach-O and PE headers, device code of GPUs, instruction sets."""
