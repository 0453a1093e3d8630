"""Sanctions 惩戒 (docs/domain.md 2.9): dishonesty, consumption, leaving the country, and what precedes or ends them."""
