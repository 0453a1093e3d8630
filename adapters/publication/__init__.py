"""Whoever publishes sanctions: credit platforms, the press."""

from adapters.plain import plain

DIALECT = plain("公布单位", "Publisher")
