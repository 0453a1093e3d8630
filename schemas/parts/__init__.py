"""What several matter types have in common: lines of results, steps, endings, the debt."""
