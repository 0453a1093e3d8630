"""A court system submits a request: it is validated, checked against measures and limits, numbered, approved,
opened.
"""
