"""The catalogue of matter types (requests, notices, alerts) with their values, rules and tables of the law. Pure."""
