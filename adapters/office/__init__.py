"""A division of the court itself."""

from adapters.plain import plain

DIALECT = plain("院内部门", "Division of the court")
