"""What a procuratorate suggests to a court 检察建议 (docs/domain.md 2.10)."""
