"""The rules: pure and synchronous; time and identifiers come in as arguments."""
