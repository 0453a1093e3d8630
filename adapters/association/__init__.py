"""Industry associations."""

from adapters.association.fields import FIELDS, HIDDEN
from adapters.rows import Dialect

DIALECT = Dialect(
    name="association/1",
    zh="协会",
    en="Association",
    fields=FIELDS,
    hidden=HIDDEN,
)
