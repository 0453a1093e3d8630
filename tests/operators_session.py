"""What an operator may type into a terminal beside a gateway that serves: every command, or why it is not one of them.

`tests/acceptance/test_planted.py` runs it all, each line plain and with `--json` where the command has that, and
searches what is printed and written. `tests/unit/test_operators_session.py` compares the table with the command tree.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tests.command_tree import options_of


@dataclass(frozen=True)
class Typed:
    """The command's arguments, a line for each time. Those of the shared places stand in braces (`PLACES`).

    acts: it changes something: its lines run in their order, after what the table has before it and before the rest.
    shows: why a person's name may stand in what it prints or writes; it must stand there then. `{shown}` is the folder
    for it.
    """

    lines: tuple[str, ...] = ("",)
    acts: bool = False
    shows: str = ""

    def said(self, command: str) -> list[str]:
        """Whole lines, without `lianzhi`."""
        plain = [f"{command} {line}".strip() for line in self.lines]
        with_json = [f"{line} --json" for line in plain] if "--json" in options_of(command) else []
        return [*plain, *with_json]


@dataclass(frozen=True)
class NotTyped:
    """Why it belongs to no operator's session."""

    why: str


def reads(*lines: str) -> Typed:
    return Typed(lines or ("",))


def acts(*lines: str) -> Typed:
    return Typed(lines or ("",), acts=True)


CLERK = NotTyped("a court system's, with its own configuration and keys: it opens what it may read")
AGENCY = NotTyped("an agency's, with its own configuration and keys: it opens what it may read")
INSTALLS = NotTyped("changes the installation's own files; it opens no store, and no message")
PLACES = (
    *("no", "dead", "row", "plain", "measure", "incident", "plan", "other_plan", "forgotten", "client", "key"),
    *("partner", "week", "month", "out", "shown", "figures", "platform", "year"),
)
"""Names in braces: numbers of requests, rows and plans; files and folders of the test."""

SESSION: Mapping[str, Typed | NotTyped] = {
    # what is looked at
    "doctor": reads(),
    "partners": reads(),
    "request list": reads(
        "",
        "--overdue",
        "--due-within 30d",
        "--waits us",
        "--waits partner",
        "--waits approval",
        "--partner {partner}",
        "--handler sn0199-0001",
        "--team t1",
        "--campaign c1",
        "--lead sn0199-0001",
        "--type police.person-info.query",
        "--order age --limit 1",
    ),
    "request show": reads("{no}", "{dead}"),
    "request trace": reads("{no}", "{dead}"),
    "quarantine list": reads("", "--all", "--owner {partner}"),
    "quarantine show": Typed(
        ("{row}", "{plain} --out {shown}/bytes.bin"),
        shows="`--out` exports the bytes as they came, for an examination; the screen shows none of them",
    ),
    "dead list": reads("", "--partner {partner}"),
    "dead plans": reads(),
    "dead show": reads("{plan}"),
    "pauses": reads(),
    "alerts list": reads(),
    "incident list": reads("", "--limit 1"),
    "incident show": reads("{incident}"),
    "acts": reads("", "--about quarantine:{row}"),
    "measure list": reads("", "--within 30", "--state active,ended"),
    "measure show": reads("{measure}"),
    "ledger list": reads(),
    "ledger show": reads("closure", "petition", "fund", "refusal", "bankruptcy", "platform", "measure-ending"),
    "report weekly": reads(
        "--week {week}",
        "--month {month}",
        "--week {week} --xlsx {out}/week.xlsx --pdf {out}/week.pdf",
        "--month {month} --xlsx {out}/month.xlsx --pdf {out}/month.pdf",
    ),
    "report aggregate": reads("--week {week}", "--month {month} --out {out}/month.csv"),
    "calendar show": reads("", "--year {year}"),
    "law list": reads("", "terms"),
    "types": reads(),
    "openapi": reads("", "--out {out}/openapi.json"),
    "asyncapi": reads("", "--dialect police/1", "--participant {partner}", "--out {out}/asyncapi.json"),
    "participants list": reads(),
    "participants check": reads(),
    "participants contract": reads("{partner}", "{partner} --out {out}/contract.json"),
    "clients list": reads(),
    "keys list": reads(),
    "keys export": reads("--for {partner} --out {out}/keys"),
    "staff list": reads(),
    "db check": reads("", "--documents"),
    "db doubts list": reads(),
    "db forgotten list": reads(),
    "db forgotten show": reads("{forgotten}"),
    "db backup": Typed(
        ("--out {shown}",), shows="the backup holds what the store holds: it is kept as the store is (restore.md)"
    ),
    # what is done
    "quarantine retry": acts("{row}"),
    "quarantine close": acts("{row} --why 已与对方核对"),
    "dead plan": acts("--why 对方程序已改好"),
    "dead replay": acts("{plan}"),
    "dead cancel": acts("{other_plan}"),
    "resend": acts("{no} --why 对方称未收到"),
    "alerts test": acts(""),
    "pause": acts("--partner {partner} --why 对方检修"),
    "resume": acts("--partner {partner}"),
    "drain": acts("", "--undo"),
    "incident own": acts("{incident}"),
    "incident note": acts("{incident} 已与对方核对"),
    "db doubts accept": acts("{client} {key}"),
    "db doubts refuse": acts("{client} {key}"),
    "db doubts end": acts(),
    "db forgotten take-up": acts("{forgotten}"),
    "db forgotten drop": acts("{forgotten} --yes"),
    "report figures import": acts("{figures}"),
    "platform import": acts("{platform}"),
    "participants package": acts("{partner} --out {out}/package.zip"),
    "db migrate": acts(),
    # what is not typed beside a gateway that serves, or not by an operator
    "serve": NotTyped("the gateway itself, whose log, metrics and pages are searched"),
    "init": INSTALLS,
    "broker apply": NotTyped("talks to the broker's management alone: queues, users, policies"),
    "participants add": INSTALLS,
    "participants suspend": INSTALLS,
    "participants resume": INSTALLS,
    "participants remove": INSTALLS,
    "participants password": INSTALLS,
    "clients add": INSTALLS,
    "clients revoke": INSTALLS,
    "keys new": INSTALLS,
    "staff import": INSTALLS,
    "staff leave": INSTALLS,
    "staff roster": INSTALLS,
    "calendar import": NotTyped("writes one year of days, from the official notice"),
    "calendar remove": NotTyped("removes one year of days"),
    "new matter": NotTyped("a developer's: writes files of source"),
    "new kind": NotTyped("a developer's: writes files of source"),
    "new participant": INSTALLS,
    "db restore": NotTyped("only while no gateway serves; it prints counts, as `db backup` does"),
    "db restored": NotTyped("only while no gateway serves, after a restore"),
    "submit": CLERK,
    "request approve": CLERK,
    "case show": CLERK,
    "case release": CLERK,
    "case reassign": CLERK,
    "partner consume": AGENCY,
    "partner reply": AGENCY,
    "partner doctor": AGENCY,
}
"""In the order of the session."""
