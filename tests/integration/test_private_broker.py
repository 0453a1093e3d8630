"""The private node: nothing of it outlives its owner, and what must be kept is kept."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any

import aio_pika
import pytest

from lianzhi.errors import ConfigurationError
from simulation import private_broker
from simulation.private_broker import PrivateBroker
from tests.eventually import eventually

OWNER = """
import asyncio, sys
from simulation.private_broker import PrivateBroker
async def main():
    async with PrivateBroker() as broker:
        print(broker.directory, *(p.read_text().strip() for p in broker.directory.glob("*.pid")), flush=True)
        await asyncio.Event().wait()
asyncio.run(main())
"""


def gone(pid: int) -> bool:
    """Ended, whether or not somebody has collected it."""
    try:
        return ") Z " in Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return True


def exists(directory: str) -> bool:
    return Path(directory).is_dir()


PORTS = "from simulation.private_broker import free_ports; print(*free_ports(40))"


async def test_two_programs_are_not_given_the_same_port(tmp_path: Path) -> None:
    """Neither listens yet: what is free for one is free for the other, also where temporary files are put elsewhere."""
    programs = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", PORTS, stdout=asyncio.subprocess.PIPE, env={**os.environ, **elsewhere}
        )
        for elsewhere in ({}, {"TMPDIR": str(tmp_path)})
    ]
    given = [port for one in programs for port in (await one.communicate())[0].split()]
    beside = {str(int(port) + 1) for port in given}  # where a gateway's figures stand
    assert len(given) == len(set(given)) == 80 and not beside & set(given)


async def test_nothing_outlives_an_owner_that_dies() -> None:
    owner = await asyncio.create_subprocess_exec(
        sys.executable, "-c", OWNER, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    assert owner.stdout is not None
    async with asyncio.timeout(60):
        directory, *pids = (await owner.stdout.readline()).decode().split()
    assert len(pids) == 2 and exists(directory)
    assert not any(gone(int(pid)) for pid in pids)
    os.kill(owner.pid, signal.SIGKILL)
    await owner.wait()
    await eventually(lambda: all(gone(int(pid)) for pid in pids))
    await eventually(lambda: not exists(directory))


@pytest.mark.slow
async def test_a_named_directory_keeps_its_messages_and_serves_one_at_a_time(tmp_path: Path) -> None:
    arguments: dict[str, Any] = {"x-queue-type": "quorum"}
    async with PrivateBroker(tmp_path) as broker:
        async with await aio_pika.connect(broker.url()) as connection, connection.channel() as channel:
            await channel.declare_queue("kept", durable=True, arguments=arguments)
            message = aio_pika.Message(b"x", delivery_mode=aio_pika.DeliveryMode.PERSISTENT)
            await channel.default_exchange.publish(message, "kept")
        with pytest.raises(ConfigurationError, match="in use"):
            await PrivateBroker(tmp_path).start()
    async with (
        PrivateBroker(tmp_path) as broker,
        await aio_pika.connect(broker.url()) as connection,
        connection.channel() as channel,
    ):
        queue = await channel.declare_queue("kept", durable=True, arguments=arguments)
        found = await queue.get()
        assert found.body == b"x"
        await found.ack()
        await broker.kill()  # a graceful end was seen above and takes six seconds


def test_only_this_machine_can_reach_it(broker: PrivateBroker) -> None:
    """Every port listens on the loopback addresses alone."""
    wanted = {broker.ports.amqp, broker.ports.management, broker.ports.distribution, broker.ports.epmd}
    listening: dict[int, set[str]] = {}
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            address, _, port = fields[1].rpartition(":")
            if fields[3] == "0A" and int(port, 16) in wanted:
                listening.setdefault(int(port, 16), set()).add(address)
    assert set(listening) == wanted
    assert set().union(*listening.values()) <= {"0100007F", "00000000000000000000000001000000"}


def test_without_rabbitmq_the_error_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(private_broker, "DEBIAN_SERVER", "/nonexistent")
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(ConfigurationError, match=r"make setup(.|\n)*apt-get install rabbitmq-server"):
        private_broker.server_program()


async def test_a_node_that_cannot_start_shows_its_log(tmp_path: Path) -> None:
    class Misconfigured(PrivateBroker):
        def _configuration(self) -> str:
            return super()._configuration() + "no.such.setting = 1\n"

    with pytest.raises(ConfigurationError, match="failed_to_prepare_configuration"):
        async with Misconfigured():
            pass
