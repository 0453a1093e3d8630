"""`plain/1`: canonical names, until a real partner's interface is known (docs/dialects.md). No rows: the models are
the table."""

from adapters.rows import Table
from schemas.catalogue import Kind

_NOT_PUBLIC = ("id_no", "id_country", "id_issuer", "id_name", "sex", "birth_date", "obligor_evidence")
# A campaign is the asking court's own business, whoever is asked.
HIDDEN: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("* open", ("request.campaign",)),
    # A witness is told what kind of act, when, and in which division (docs/domain.md 2.10): not whose case it is.
    ("witness.invite.send open", ("request.case_no", "request.legal_basis", "documents")),
    # Publishers get the public copy (docs/domain.md 2.9): `card_no` shows the number with its middle hidden.
    *(
        (f"{published} open", tuple(f"payload.debtor.{m}" for m in _NOT_PUBLIC))
        for published in ("sanction.dishonest.*", "sanction.consumption-limit.*", "sanction.credit-repair.certify")
    ),
)

TABLE = Table(
    dialect="plain/1",
    kinds=frozenset({Kind.PROCURATORATE, Kind.OFFICE, Kind.PUBLICATION, Kind.WITNESS}),
    hidden=HIDDEN,
    canonical=True,
)
