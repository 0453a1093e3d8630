"""Departments that keep a register 不动产、市场监管等 (docs/domain.md 2.8): what they say, seal and freeze."""
