"""What one court asks another to do 委托执行 (docs/domain.md 2.6)."""
