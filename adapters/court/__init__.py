"""Dialect `court/1`: a neighbouring court."""
