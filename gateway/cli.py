"""What the gateway adds to the command `lianzhi` (entry point `lianzhi.commands`)."""

from __future__ import annotations

import typer

from gateway.commands import calendars, doctor, law, ledger, measure, operate, platform, report, watch
from gateway.commands.operating import alerts, dead, flow, incidents, quarantine, requests  # noqa: F401 (adds to `request`)
from gateway.commands.recovery import backup, doubts, forgotten, restored
from gateway.commands.scaffold.app import new_app
from gateway.commands.setup import broker, init, install, participants, staff


def add_commands(app: typer.Typer) -> None:
    """`request` and `case` are the library's; `watch` and `requests` add to `request` when they are imported."""
    for command in (
        init.init,
        operate.serve,
        doctor.doctor,
        watch.types,
        operate.openapi,
        operate.asyncapi,
        flow.pause,
        flow.resume,
        flow.pauses,
        flow.drain,
        flow.resend,
        flow.partners,
        flow.acts,
    ):
        app.command()(command)
    install.db_app.command("restored")(restored.db_restored)
    install.db_app.add_typer(doubts.doubts_app, name="doubts")
    install.db_app.add_typer(forgotten.forgotten_app, name="forgotten")
    install.db_app.command("backup")(backup.db_backup)
    install.db_app.command("restore")(backup.db_restore)
    install.db_app.command("check")(backup.db_check)
    install.participants_app.command("add")(participants.add)
    install.participants_app.command("suspend")(participants.suspend)
    install.participants_app.command("resume")(participants.resume)
    install.participants_app.command("remove")(participants.remove)
    install.participants_app.command("password")(participants.password_new)
    install.participants_app.command("package")(participants.package)
    for name, group in (
        ("measure", measure.measure_app),
        ("ledger", ledger.ledger_app),
        ("report", report.report_app),
        ("quarantine", quarantine.quarantine_app),
        ("dead", dead.dead_app),
        ("incident", incidents.incident_app),
        ("alerts", alerts.alerts_app),
        ("participants", install.participants_app),
        ("clients", install.clients_app),
        ("keys", install.keys_app),
        ("new", new_app),
        ("broker", broker.broker_app),
        ("db", install.db_app),
        ("calendar", calendars.calendar_app),
        ("law", law.law_app),
        ("platform", platform.platform_app),
        ("staff", staff.staff_app),
    ):
        app.add_typer(group, name=name)
