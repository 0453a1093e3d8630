"""Refusal to execute 拒执 (docs/domain.md 2.5): leads, consultation, state of the case, supervision."""
