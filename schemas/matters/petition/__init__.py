"""Petitions about enforcement 涉执信访 (docs/domain.md 2.10)."""
