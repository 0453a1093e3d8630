"""Reviews, inspections and audits 专项评查、督查、审计 (docs/domain.md 2.10)."""
