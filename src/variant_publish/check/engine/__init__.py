"""Run rules over a release and report what they found."""
