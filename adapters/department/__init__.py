"""Registers of people and property."""

from adapters.codecs import DASHED
from adapters.department.fields import FIELDS, HIDDEN
from adapters.rows import Dialect

DIALECT = Dialect(
    name="department/1",
    zh="部门",
    en="Department",
    fields=FIELDS,
    hidden=HIDDEN,
    clocks=(("*", DASHED),),
)
