"""Money of cases 案款 (docs/domain.md 2.10): receipt, escrow, release."""
