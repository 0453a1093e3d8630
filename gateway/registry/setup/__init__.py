"""What installing needs of files: first steps, broker passwords, lists of people, starter packages, their rules."""
