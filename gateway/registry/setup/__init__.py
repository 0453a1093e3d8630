"""What installing needs of files: first steps, passwords at the broker, lists of people, starter packages, their rules."""
