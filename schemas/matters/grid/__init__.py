"""Grid centres 网格 (docs/domain.md 2.7): verify, visit, witness, assist."""
