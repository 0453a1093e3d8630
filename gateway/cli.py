"""`lianzhi`: every command of the gateway, of a partner and of a court system."""

from __future__ import annotations

import sys

import typer

from gateway.commands import output
from gateway.partner.commands import app as partner_app
from lianzhi.errors import ConfigurationError, StoreUnavailableError
from lianzhi.files import close_process

app = typer.Typer(
    name="lianzhi",
    help="联执：法院与协助执行单位之间的签名交换 Signed exchange between courts and the agencies that help them.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.add_typer(partner_app, name="partner", help="合作单位一侧 The partner's side")


def _server_commands() -> None:
    """Absent where only the partner or client library is installed."""
    from gateway.commands import (
        backup,
        calendars,
        court,
        doubts,
        forgotten,
        install,
        law,
        ledger,
        measure,
        operate,
        platform,
        report,
        restored,
        watch,
    )

    for command in (
        install.init,
        operate.serve,
        operate.doctor,
        watch.types,
        court.submit,
        operate.openapi,
        operate.asyncapi,
    ):
        app.command()(command)
    watch.request_app.command("approve")(court.request_approve)
    install.db_app.command("restored")(restored.db_restored)
    install.db_app.add_typer(doubts.doubts_app, name="doubts")
    install.db_app.add_typer(forgotten.forgotten_app, name="forgotten")
    install.db_app.command("backup")(backup.db_backup)
    install.db_app.command("restore")(backup.db_restore)
    install.db_app.command("check")(backup.db_check)
    for name, group in (
        ("request", watch.request_app),
        ("case", court.case_app),
        ("measure", measure.measure_app),
        ("ledger", ledger.ledger_app),
        ("report", report.report_app),
        ("quarantine", watch.quarantine_app),
        ("participants", install.participants_app),
        ("clients", install.clients_app),
        ("keys", install.keys_app),
        ("broker", operate.broker_app),
        ("db", install.db_app),
        ("calendar", calendars.calendar_app),
        ("law", law.law_app),
        ("platform", platform.platform_app),
    ):
        app.add_typer(group, name=name)


def main() -> None:
    """Entry point. Exit codes: 0 done, 1 found wrong, 2 misuse. Whatever a command writes is its user's alone."""
    close_process()
    try:
        _server_commands()
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] in ("gateway", "adapters", "schemas"):
            raise
    try:
        app()
    except ConfigurationError as error:
        output.problems.print(str(error), style="red", markup=False)
        sys.exit(output.MISUSE)
    except StoreUnavailableError as error:
        output.problems.print(output.said(error), style="red", markup=False)
        sys.exit(output.FOUND_WRONG)
