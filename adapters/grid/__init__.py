"""Grid centres."""

from adapters.grid.fields import FIELDS, HIDDEN
from adapters.rows import Dialect

DIALECT = Dialect(
    name="grid/1",
    zh="网格",
    en="Grid centre",
    fields=FIELDS,
    hidden=HIDDEN,
)
