"""Values that requests and answers are made of: numbers, people, things, places, days, and the names of codes."""
