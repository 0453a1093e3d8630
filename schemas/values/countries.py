"""Who issues a passport: ISO 3166-1 alpha-3 (GB/T 2659), and the issuers that ICAO Doc 9303 part 3 section 5 adds.

Hong Kong and Macao passports say CHN; HKG and MAC, which people write, are taken for it.
"""

from __future__ import annotations

from pathlib import Path

from lianzhi.protocol.rules import broken
from lianzhi.protocol.texts import upper

_TABLE = (Path(__file__).with_name("tables") / "countries.txt").read_text("ascii")
ISO_3166 = frozenset(code for row in _TABLE.splitlines() if not row.startswith("#") for code in row.split())
OTHER_ISSUERS = frozenset({"EUE", "RKS", "UNA", "UNK", "UNO", "XOM"})
_ISSUED_BY = {"HKG": "CHN", "MAC": "CHN"}


def country_of_issue(text: str) -> str:
    """The three letters, normalised. Raises `id-country-form`."""
    code = upper(text)
    if code not in ISO_3166 and code not in OTHER_ISSUERS:
        raise broken("id-country-form")
    return _ISSUED_BY.get(code, code)
