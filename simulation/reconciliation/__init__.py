"""What was written down during the demo, counted and compared: the three ledgers must agree."""
