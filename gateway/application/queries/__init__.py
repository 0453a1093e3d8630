"""What the API and the reports read; nothing here writes."""
