"""What monitors are told: every metric with its meaning, what is counted at work, and how much lies where."""
