"""Cross enforcement 交叉执行 (docs/domain.md 2.6): a case goes on at another court."""
