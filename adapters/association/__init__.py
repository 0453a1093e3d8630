"""Dialect `association/1`: industry associations."""
