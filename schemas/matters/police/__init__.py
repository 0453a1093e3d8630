"""Police: people and vehicles that are looked for, controlled, hit and handed over (docs/domain.md 2.3, 2.4)."""
