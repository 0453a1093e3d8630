"""`police/1`: rows of the verbs that any request can have, and of those about a hit."""

from adapters.rows import Scopes, flag, moment
from adapters.standard import PINYIN

VERBS: Scopes = (
    *PINYIN,
    ("* receipt", {"badge": "QSRJH", "unit_code": "QSDWJGDM"}),  # [H], [S]
    # The names of the verbs below are [D] but for CZR and CZDW [S].
    ("* acknowledge", {"by": "CZR"}),
    ("* send-team", {"by": "CZR", "team": "CZDW", "eta": moment("YJDDSJ")}),
    (
        "* identity-check",
        {
            "by": "CZR",
            "plate_ok": flag("HPXF"),
            "vin_ok": flag("CJHXF"),
            "id_ok": flag("ZJXF"),
            "photo_ok": flag("ZPXF"),
        },
    ),
    ("* handover", {"by": "CZR", "place": "YJDD", "handed_by": "YJR", "received_by": "JSR"}),
    ("* false-hit", {"by": "CZR", "why": "WBYY"}),
    ("* read", {"by": "YYR"}),
)
