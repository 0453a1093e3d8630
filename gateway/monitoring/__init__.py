"""`/metrics`: what store, broker and machine show and what this process counts, in Prometheus' text format."""
