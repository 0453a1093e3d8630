"""Others help the parties to settle 促和解 (docs/domain.md 2.10)."""
