"""What is done wrong on purpose, so that it is seen to be noticed."""
