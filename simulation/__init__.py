"""The demo: a private broker, simulated agencies and a court; what tests and benchmarks stand on. In no wheel."""
