"""Trade associations 行业协会 (docs/domain.md 2.8): the public list, and what members did with it."""
