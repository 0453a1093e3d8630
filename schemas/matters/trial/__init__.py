"""What enforcement asks the trial departments 释明 (docs/domain.md 2.10)."""
