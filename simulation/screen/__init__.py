"""What the demo prints: how it goes, and what came of it."""
