"""How a database is spoken to: column types, statements, two drivers in one form, connections, their errors."""
