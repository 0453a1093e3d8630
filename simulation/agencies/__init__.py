"""Simulated agencies. Each is an ordinary user of the public partner library and knows only what it was sent."""
