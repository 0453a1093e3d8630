"""The simulated court system: what it asks, whom, and how it goes on."""
