"""Sets the stage: the parties' files, a migrated database, a provisioned broker. Used by the demo, tests and bench."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gateway.broker.management import Management
from gateway.broker.provision import provision
from gateway.broker.topology import GATEWAY_USER, plan
from gateway.registry.config import load_config
from gateway.registry.participants import load_registry
from lianzhi.amqp.link import Link
from schemas.catalogue import catalogue
from simulation.parties import NOBODY, PARTNERS, Parties, build, own_user
from simulation.private_broker import PrivateBroker

CONNECT_SECONDS = 20.0
GATEWAY_PASSWORD = "stage"  # noqa: S105 - a private broker on loopback, gone with its process


async def set_stage(
    root: Path,
    broker: PrivateBroker,
    *,
    vhost: str = "lianzhi",
    port: int | None = None,
    partners: Sequence[Mapping[str, Any]] = PARTNERS,
    users: str = "",
    operators: Mapping[str, Mapping[str, str]] | None = None,
) -> Parties:
    """Everything but running processes, under `root`. port: of a proxy in front of the broker. users: what the names of
    the broker users end in, so that two virtual hosts of one broker have their own. operators: by default whoever runs
    this."""
    from gateway.store.upkeep.migrate import migrate

    parties = write_files(
        root, broker, vhost=vhost, port=port, partners=partners, users=users, telephones=True,
        operators=own_user() if operators is None else operators,
    )  # fmt: skip
    await migrate(load_config(parties.folder).store_url)
    await provision_for(parties, broker, vhost=vhost)
    return parties


def write_files(
    root: Path,
    broker: PrivateBroker,
    *,
    vhost: str = "lianzhi",
    port: int | None = None,
    partners: Sequence[Mapping[str, Any]] = PARTNERS,
    users: str = "",
    telephones: bool = False,
    operators: Mapping[str, Mapping[str, str]] = NOBODY,
) -> Parties:
    """The installation and the partners' folders; the broker need not run yet. telephones, operators: as
    `build`."""
    where = broker.url_at(port or broker.ports.amqp, vhost=vhost).rpartition("@")[2]
    return build(
        root,
        amqp=f"amqp://{{user}}@{where}",
        management=broker.management_url,
        gateway_user=(GATEWAY_USER + users, GATEWAY_PASSWORD),
        partners=[{**form, "broker": {"user": form["code"] + users}} for form in partners],
        telephones=telephones,
        operators=operators,
    )


async def provision_for(parties: Parties, broker: PrivateBroker, *, vhost: str = "lianzhi") -> None:
    """Exchanges, queues, users and permissions of the registered participants."""
    directory, _ = load_registry(parties.folder)
    topology = plan(directory, catalogue(), gateway_user=load_config(parties.folder).broker_user)
    async with (
        Management(broker.management_url, broker.admin, broker.password) as management,
        Link(broker.url(vhost=vhost), name="provision") as link,
    ):
        await link.wait_connected(CONNECT_SECONDS)
        await provision(topology, management=management, link=link, vhost=vhost, passwords=parties.passwords)
