"""Dialect `plain/1`: canonical names, for kinds of partner whose own interface is not known yet."""
