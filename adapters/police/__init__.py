"""The public security organs."""

from adapters.codecs import COMPACT, DASHED
from adapters.police.fields import FIELDS, HIDDEN
from adapters.rows import Dialect

DIALECT = Dialect(
    name="police/1",
    zh="公安",
    en="Police",
    fields=FIELDS,
    hidden=HIDDEN,
    clocks=(("*", COMPACT), ("police.vehicle-*", DASHED)),
)
