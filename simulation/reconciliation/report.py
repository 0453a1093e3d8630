"""What came of it: the numbers, and what is wrong with them. `problems` is empty exactly when the run may exit 0."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from simulation.reconciliation.audit import Findings
from simulation.reconciliation.ledgers import AgencyBook, CourtBook, Quarantined, StoreBook
from simulation.screen.board import FINAL

ANSWERED = frozenset(
    {"partial", "completed", "impossible", "closed", "refused", "returned", "rejected", "withdrawn", "read"}
)
HIT = "police.vehicle-hit.alert"


@dataclass(frozen=True, slots=True)
class Caught:
    """One kind of injection. expected: what has to come of each; caught: of how many it did."""

    injected: int
    expected: str
    caught: int


@dataclass(slots=True)
class Report:
    """submitted: handed in, each counted once. taken: answered with 202. open_reasons: why what is open is open.

    received: what was asked of us, by type and state. checked: answers that were verified again by the court system
    and compared with what had been asked; places: location results opened with its own key. sabotaged: kind of damage
    done on purpose → the number of the request, or the id of the message, that it was done to.
    """

    submitted: int
    taken: int
    answered: int
    open_with_reason: int
    lost: int
    duplicate_effects: int
    forged_applied: int
    by_state: dict[str, int]
    by_type: dict[str, dict[str, int]]
    open_reasons: dict[str, int]
    received: dict[str, dict[str, int]]
    injected: dict[str, int]
    caught: dict[str, Caught]
    sabotaged: dict[str, str]
    quarantined_by_reason: dict[str, int]
    unexpected_quarantine: int
    checked: int
    mixed_up: int
    places: int
    messages: int
    seconds: float
    problems: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        return not self.problems

    def document(self) -> dict[str, Any]:
        return {"good": self.good, **asdict(self)}


@dataclass(frozen=True, slots=True)
class Observed:
    """What the court system noticed by itself."""

    submitted: int
    checked: int
    mixed_up: Sequence[str]
    places: int
    pairs: int
    seconds: float


def build(
    observed: Observed,
    court: CourtBook,
    agencies: Mapping[str, AgencyBook],
    store: StoreBook,
    findings: Findings,
    injections: Sequence[Mapping[str, Any]],
    sabotaged: Mapping[str, str],
) -> Report:
    states = {no: store.requests[no].state if no in store.requests else "missing" for no in court.accepted}
    opened = {m.request_no: key for key, m in store.messages.items() if m.verb == "open"}
    reasons = Counter(
        reason
        for no, state in states.items()
        if state not in ANSWERED and (reason := _reason(no, opened.get(no), agencies, store)) is not None
    )
    theirs = {no: r for no, r in store.requests.items() if no not in court.accepted}
    caught = _caught(injections, store.quarantine)
    report = Report(
        submitted=observed.submitted,
        taken=len(court.accepted),
        answered=sum(1 for state in states.values() if state in ANSWERED),
        open_with_reason=reasons.total(),
        lost=len(findings.lost),
        duplicate_effects=len(findings.duplicated),
        forged_applied=len(findings.forged),
        by_state=_sorted(Counter(states.values())),
        by_type=_by_type((store.requests[no].type, state) for no, state in states.items() if no in store.requests),
        open_reasons=_sorted(reasons),
        received=_by_type((r.type, r.state) for r in theirs.values()),
        injected={kind: one.injected for kind, one in caught.items()}
        | {"hits": _raised(theirs.values()), "namesake-pairs": observed.pairs},
        caught=caught,
        sabotaged=dict(sabotaged),
        quarantined_by_reason=_sorted(Counter(q.reason for q in store.quarantine)),
        unexpected_quarantine=len({q.sha256 for q in store.quarantine} - {line.get("sha256") for line in injections}),
        checked=observed.checked,
        mixed_up=len(observed.mixed_up),
        places=observed.places,
        messages=len(store.messages),
        seconds=round(observed.seconds, 1),
    )
    report.problems = list(_problems(report, findings))
    return report


def _reason(
    number: str, key: tuple[str, str] | None, agencies: Mapping[str, AgencyBook], store: StoreBook
) -> str | None:
    """Why an unanswered request is open; None when nobody could say."""
    request = store.requests.get(number)
    if request is None:
        return None
    if request.state in ("blocked", "undeliverable"):
        return f"{request.state}: {(request.reason or '').partition(':')[0]}"
    if key in store.unsent:
        return "unsent"
    if key is not None and key[1] in agencies[request.asked].received:
        return f"{request.state}: {request.asked}"
    return None


def uncaught(injections: Sequence[Mapping[str, Any]], quarantine: Sequence[Quarantined]) -> int:
    """How many injections have not (yet) led to what they must lead to."""
    return sum(one.injected - one.caught for one in _caught(injections, quarantine).values())


def _caught(injections: Sequence[Mapping[str, Any]], quarantine: Sequence[Quarantined]) -> dict[str, Caught]:
    found = {(q.owner, q.sha256): q.reason for q in quarantine}
    table: dict[str, Caught] = {}
    for line in injections:
        if "answered" in line:
            expected, right = "same-number", line["answered"] == line["request_no"]
        else:
            expected, right = line["expect"], found.get((line["owner"], line["sha256"])) == line["expect"]
        before = table.get(line["did"], Caught(0, expected, 0))
        table[line["did"]] = Caught(before.injected + 1, expected, before.caught + right)
    return dict(sorted(table.items()))


def _raised(theirs: Iterable[Any]) -> int:
    return sum(1 for request in theirs if request.type == HIT)


def _by_type(pairs: Iterable[tuple[str, str]]) -> dict[str, dict[str, int]]:
    table: dict[str, Counter[str]] = {}
    for matter, state in pairs:
        table.setdefault(matter, Counter())[state] += 1
    return {matter: _sorted(table[matter]) for matter in sorted(table)}


def _sorted(counter: Counter[str]) -> dict[str, int]:
    return dict(sorted(counter.items()))


def _problems(report: Report, findings: Findings) -> Iterable[str]:
    if report.submitted != report.taken:
        yield f"提交 {report.submitted} 件，受理 {report.taken} 件 submitted and taken differ"
    if report.taken != report.answered + report.open_with_reason:
        rest = report.taken - report.answered - report.open_with_reason
        yield f"有 {rest} 件既无答复又无原因 neither answered nor open with a reason"
    if findings.lost:
        yield f"丢失 lost: {', '.join(findings.lost[:5])}"
    if findings.duplicated:
        yield f"重复办理 done twice: {', '.join(findings.duplicated[:5])}"
    if findings.forged:
        yield "伪造生效 forged and applied: " + ", ".join(f"{sender}/{mid}" for sender, mid in findings.forged[:5])
    for kind, one in report.caught.items():
        if one.caught != one.injected:
            yield f"{kind}：{one.injected} 件中只有 {one.caught} 件按 {one.expected} 处理 not all were {one.expected}"
    if report.unexpected_quarantine:
        yield f"有 {report.unexpected_quarantine} 件正常报文被隔离 genuine messages stand in quarantine"
    waiting = sum(n for states in report.received.values() for state, n in states.items() if state not in FINAL)
    if waiting:
        yield f"有 {waiting} 件对方发起的事项未办完 requests of others are not finished"
    if report.mixed_up:
        yield f"有 {report.mixed_up} 件答复张冠李戴 answers about another object"
