"""From the queues: verify, order, apply; what cannot be applied waits, is told, or goes to quarantine."""
