"""Whose case a request belongs to: the asker's as it opens, that of the one asked by its own act (docs/adr/0025)."""

from __future__ import annotations

from gateway.core.records import Changes, Request

TAKES_UP = frozenset({"accept", "progress", "result", "read", "acknowledge", "send-team", "identity-check", "handover"})
"""Verbs by which the one asked makes a request its own business. `delivered` is the system's word, `receipt` says that
it has come; to refuse, to return or to ask for more takes nothing up."""


def join_case(request: Request, verb: str, changes: Changes) -> None:
    """After the one asked has said `verb`: the case that the asker named is its own from now on, also in its ledger."""
    if verb not in TAKES_UP or request.case_no is None or request.asked_case_no is not None:
        return
    request.asked_case_no = request.case_no
    if "ledger" in request.facts:
        ledger, item_no, _ = request.facts["ledger"]
        changes.ledger_cases.append((request.case_no, ledger, item_no, request.request_no))
