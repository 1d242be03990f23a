"""Pure values of the packaging world: no I/O, no clock, no environment, no output."""
