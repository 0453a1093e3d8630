"""A neighbouring court."""

from adapters.codecs import COMPACT
from adapters.court.fields import FIELDS, HIDDEN
from adapters.rows import Dialect

DIALECT = Dialect(
    name="court/1",
    zh="法院",
    en="Court",
    fields=FIELDS,
    hidden=HIDDEN,
    clocks=(("*", COMPACT),),
)
