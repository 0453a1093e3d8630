"""`plain/1`: canonical names, for kinds of partner whose own interface is not known yet (docs/dialects.md).

It withholds next to nothing, so it is never a default: a participant's file names it on purpose. No rows: the models
are the table.
"""

from adapters.rows import Dialect

_NOT_PUBLIC = ("id_no", "id_country", "id_issuer", "id_name", "sex", "birth_date", "obligor_evidence")
# A campaign is the asking court's own business, whoever is asked.
HIDDEN: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("* open", ("request.campaign",)),
    # A witness is told what kind of act, when, and in which division (docs/domain.md 2.10): not whose case it is.
    ("witness.* open", ("request.case_no", "request.legal_basis", "documents")),
    # Publishers get the public copy (docs/domain.md 2.9): `card_no` shows the number with its middle hidden.
    *(
        (f"{published} open", tuple(f"payload.debtor.{m}" for m in _NOT_PUBLIC))
        for published in ("sanction.dishonest.*", "sanction.consumption-limit.*", "sanction.credit-repair.certify")
    ),
)


def plain(zh: str, en: str) -> Dialect:
    """The dialect of a kind that has none of its own. zh, en: what the kind is called."""
    return Dialect(name="plain/1", zh=zh, en=en, default=False, hidden=HIDDEN, canonical=True)
