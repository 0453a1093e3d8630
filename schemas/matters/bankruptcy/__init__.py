"""From enforcement to bankruptcy 执转破 (docs/domain.md 2.10): candidate, transfer, stay."""
