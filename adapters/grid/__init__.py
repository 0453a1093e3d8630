"""Dialect `grid/1`: grid centres."""
