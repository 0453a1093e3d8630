"""Runs tests/walls against an older version and says what they found there: one line a test (`tools/regress.sh`)."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as Xml

from tools.older import ROOT, NotHereError, older

ROW = re.compile(r"^test_([a-z]\d+)_")
PROOF, NEW, NONE = "✓", "new", "–"
ASSERTED = ("AssertionError", "assert ", "Failed: ")  # the last: pytest.fail, pytest.raises
AFTERWARDS = "failed on teardown"
"""As pytest begins its message."""
# Not what the row is about: the old version simply lacks what was asked for.
NO_PROOF = re.compile(
    r"ImportError|ModuleNotFoundError|No such (command|option)|unrecognized arguments|Extra inputs are not permitted"
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Of one test. sign: PROOF, it failed by an assertion; NEW, a thing that was missing altogether; NONE."""

    row: str
    test: str
    sign: str
    text: str


def verdict(case: Xml.Element) -> Verdict | None:
    """None: a test about no row."""
    name = case.get("name", "")
    match = ROW.match(name)
    if match is None:
        return None
    row = match[1].upper()
    new = next((p.get("value", "") for p in case.iter("property") if p.get("name") == "new"), None)
    if new is not None:
        return Verdict(row, name, NEW, new)
    failure, error = case.find("failure"), case.find("error")
    if error is not None and AFTERWARDS in error.get("message", ""):
        return Verdict(row, name, NONE, AFTERWARDS)
    if failure is None:
        why = "failed before it began" if error is not None else "skipped" if case.find("skipped") is not None else ""
        return Verdict(row, name, NONE, why or "passes on that version")
    raised = failure.get("message", "")
    if not raised.startswith(ASSERTED) or NO_PROOF.search(raised):
        return Verdict(row, name, NONE, f"no assertion about what happened: {_short(raised)}")
    return Verdict(row, name, PROOF, _short(raised))


def _short(raised: str) -> str:
    """The comparison that failed, or the first line of what was raised."""
    lines = [line.strip().removeprefix("AssertionError: ") for line in raised.splitlines() if line.strip()]
    return next((line for line in lines if line.startswith("assert ")), lines[0] if lines else "")[:160]


def report(results: Path) -> bool:
    """Prints what was found; whether each row has its proof."""
    found = [v for case in Xml.parse(results).iter("testcase") if (v := verdict(case))]
    twice = Counter(one.test for one in found)  # a test that failed and then once more afterwards stands there twice
    found = [one for one in found if one.text != AFTERWARDS or twice[one.test] == 1]
    proved = {one.row for one in found if one.sign != NONE}
    for one in sorted(found, key=lambda v: (v.row[0], int(v.row[1:]), v.test)):
        sign = one.sign if one.row in proved else "✗"
        print(f"{sign:3} {one.row:4} {one.test} → {one.text}")
    rows = {one.row for one in found}
    print(f"{len(found)} tests, {len(rows)} rows, without proof: {', '.join(sorted(rows - proved)) or '–'}")
    return bool(found) and rows == proved


def run(product: Path, arguments: Sequence[str], beside: Path) -> bool:
    """product: the older checkout. beside: a folder for what pytest writes."""
    results, log = beside / "results.xml", beside / "pytest.log"
    words = ["tests/walls", f"--junit-xml={results}", "-p", "no:cacheprovider", "-n", "3", "--dist", "load"]
    with log.open("wb") as out:
        subprocess.run(
            [sys.executable, "-m", "pytest", *words, *arguments], cwd=ROOT,
            env={**os.environ, "LIANZHI_PRODUCT": str(product)}, stdout=out, stderr=out, check=False,
        )  # fmt: skip
    if not results.exists():
        print(log.read_text(errors="replace")[-4000:], file=sys.stderr)
        return False
    return report(results)


def main(commit: str, *arguments: str) -> int:
    """0: every row failed by its own assertion, or is new. 2: the commit is not here."""
    try:
        with older(commit) as product, tempfile.TemporaryDirectory(prefix="lianzhi-regress-") as beside:
            return 0 if run(product, arguments, Path(beside)) else 1
    except NotHereError as error:
        print(error, file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
