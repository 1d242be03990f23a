"""What the tests share: wheels they write themselves, servers they start and stop."""
