"""What courts tell each other about whereabouts and property 线索 (docs/domain.md 2.10)."""
