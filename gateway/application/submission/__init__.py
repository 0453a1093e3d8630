"""A court system hands a request in: validated, checked against measures and limits, numbered, approved, opened."""
