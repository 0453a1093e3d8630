"""People, cars, cases and papers that cannot be taken for real ones (docs/domain.md section 8).

Division 610199 and the courts 陕0199, 陕0191, 陕0192, 陕0591 do not exist; no county of 陕 has plates beginning 陕Z;
names end in 演示, 示例 …; case sequences begin at 900000. The check digits are right, because the gateway checks them.
One seed gives one world.
"""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from stdnum.cn import ric, uscc

DIVISION = "610199"
PHONES = ("13800138000", "13800138001", "13800138002")
PDF = "application/pdf"

_SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗"
_GIVEN = ("演示", "示例", "样例", "虚构", "模拟", "假设")
_STREETS = ("东街", "西街", "南环路", "北环路", "渭河路", "石川路")
_BRANDS = ("演示牌轿车", "示例牌货车", "样例牌客车")
_REF = "abcdefghjkmnpqrstvwxyz0123456789"  # Crockford base32: no i, l, o, u
_VIN_VALUES = dict(zip("ABCDEFGHJKLMNPRSTUVWXYZ0123456789", "12345678123457923456789" + "0123456789", strict=True))
_VIN_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)


@dataclass(frozen=True, slots=True)
class Paper:
    """A document and its bytes. document: as a submission names it."""

    document: dict[str, Any]
    content: bytes


class World:
    """Makes one unreal thing after another. today: dates lie around it."""

    def __init__(self, seed: int, today: date) -> None:
        self._random = random.Random(seed)  # noqa: S311 (no secret: the same seed must give the same world)
        self.today = today
        self._counter = 0

    def next(self) -> int:
        """1, 2, …: what makes numbers differ."""
        self._counter += 1
        return self._counter

    def chance(self, share: float) -> bool:
        return self._random.random() < share

    def ref(self) -> str:
        return "".join(self._random.choices(_REF, k=8))

    def day(self, days: int) -> str:
        """`days` from today."""
        return (self.today + timedelta(days=days)).isoformat()

    def name(self) -> str:
        return self._random.choice(_SURNAMES) + self._random.choice(_GIVEN)

    def money(self) -> str:
        return f"{self._random.randrange(2, 900) * 1000}.00"

    def case_no(self) -> str:
        return f"（{self.today.year}）陕0199执{900_000 + self.next()}号"

    def account_no(self) -> str:
        return f"6101990000{900_000 + self.next()}"

    def person(self, name: str | None = None) -> dict[str, Any]:
        """A party to the case. name: of a namesake; the number is always another."""
        born = date(1955, 1, 1) + timedelta(days=self._random.randrange(18_000))
        body = f"{DIVISION}{born:%Y%m%d}{self.next() % 1000:03d}"
        return {
            "ref": self.ref(),
            "name": name or self.name(),
            "id_kind": "resident-id",
            "id_no": body + ric.calc_check_digit(body + "0"),
            "role": "被执行人",
        }

    def address(self) -> dict[str, Any]:
        return {
            "division_code": DIVISION,
            "street": self._random.choice(_STREETS),
            "detail": f"{self._random.randrange(1, 200)}号（演示）",
        }

    def company(self) -> dict[str, Any]:
        number = f"91{DIVISION}MA{self.next():07d}"
        return {
            "ref": self.ref(),
            "name": f"云川{self.name()}有限公司（演示）",
            "uscc": number + uscc.calc_check_digit(number),
        }

    def vehicle(self, *, engine: bool = True) -> dict[str, Any]:
        """engine: whether the court knows the engine's number."""
        number = self.next()
        car = {
            "ref": self.ref(),
            "plate": f"陕Z9{number % 10_000:04d}",
            "plate_kind": "02",
            "vin": _vin(number),
            "brand": self._random.choice(_BRANDS),
            "color": self._random.choice("白黑银蓝"),
            "owner": self.person(),
        }
        return {**car, "engine_no": f"YS{900_000 + number}"} if engine else car

    def paper(self, kind: str, number: str | None, sealed_by: str, days: int = -3) -> Paper:
        """number: of the document; None: it was forgotten. days: when it was issued, from today."""
        content = f"%PDF-1.4\n% 演示文书，无法律效力 DEMO ONLY: {kind} {number or self.next()}\n%%EOF\n".encode()
        named = {"number": number} if number else {}
        document = {
            "kind": kind,
            **named,
            "issued_on": self.day(days),
            "sha256": hashlib.sha256(content).hexdigest(),
            "pages": 1,
            "media_type": PDF,
            "sealed_by": sealed_by,
        }
        return Paper(document, content)


def _vin(number: int) -> str:
    """17 characters with the right check digit in place 9 (GB 16735)."""
    text = f"LYSDEMA00YC{number:06d}"
    rest = sum(int(_VIN_VALUES[c]) * w for c, w in zip(text, _VIN_WEIGHTS, strict=True)) % 11
    return text[:8] + "0123456789X"[rest] + text[9:]
