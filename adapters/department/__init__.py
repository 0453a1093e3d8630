"""Dialect `department/1`: registers of people and property."""
