"""Deputies and other witnesses who are invited 见证 (docs/domain.md 2.10)."""
