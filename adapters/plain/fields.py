"""`plain/1`: canonical names, until a real partner's interface is known (docs/dialects.md). No rows: the models are
the table."""

from adapters.rows import Table
from schemas.catalogue import Kind

# A campaign is the asking court's own business, whoever is asked.
HIDDEN = (("* open", ("request.campaign",)),)

TABLE = Table(
    dialect="plain/1",
    kinds=frozenset({Kind.DEPARTMENT, Kind.PROCURATORATE, Kind.OFFICE, Kind.PUBLICATION, Kind.WITNESS}),
    hidden=HIDDEN,
    canonical=True,
)
