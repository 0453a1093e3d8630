"""Dialect `police/1`: the public security organs."""
