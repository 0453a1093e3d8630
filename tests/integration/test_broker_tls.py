"""TLS to the broker with a private issuer, `[broker] ca_file`: who is believed, and by which words others are refused.

One node; what it shows is exchanged while it runs.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
import pytest_asyncio
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from gateway.broker.clock import broker_time
from gateway.broker.management import Management, ManagementError
from gateway.registry.config import Config, load_config
from gateway.registry.installation import create_home
from lianzhi.amqp.link import Link
from lianzhi.errors import ConfigurationError
from simulation.private_broker import VHOST, PrivateBroker, Tls
from tests.conftest import CONNECT_SECONDS

pytestmark = pytest.mark.slow  # a broker of its own
HERE = x509.IPAddress(ip_address("127.0.0.1"))
ELSEWHERE = x509.DNSName("mq.elsewhere.example")


class Issuer:
    """A private authority. file: its own certificate, in PEM."""

    def __init__(self, file: Path, name: str) -> None:
        self.file = file
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self._key = ec.generate_private_key(ec.SECP256R1())
        file.write_bytes(_pem(self._sign(self._name, self._key, timedelta(days=1), None)))

    def issue(self, to: Tls, *, name: x509.GeneralName = HERE, ends: timedelta = timedelta(days=1)) -> None:
        """A certificate with a new key, into both files. ends: from now."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "broker")])
        to.certificate.write_bytes(_pem(self._sign(subject, key, ends, name)))
        plain = serialization.NoEncryption()
        to.key.write_bytes(
            key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, plain)
        )

    def _sign(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, ends: timedelta, name: x509.GeneralName | None
    ) -> x509.Certificate:
        now = datetime.now(UTC)
        made = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=2))
            .not_valid_after(now + ends)
            .add_extension(x509.BasicConstraints(ca=name is None, path_length=None), critical=True)
        )
        if name is not None:
            made = made.add_extension(x509.SubjectAlternativeName([name]), critical=False)
        return made.sign(self._key, hashes.SHA256())


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


@dataclass
class Room:
    """A node with TLS, and an installation whose `ca_file` names the court's own issuer."""

    broker: PrivateBroker
    tls: Tls
    folder: Path
    ours: Issuer
    theirs: Issuer

    async def shows(
        self, issuer: Issuer, *, name: x509.GeneralName = HERE, ends: timedelta = timedelta(days=1)
    ) -> None:
        issuer.issue(self.tls, name=name, ends=ends)
        await self.broker.control("eval", "ssl:clear_pem_cache().")

    @property
    def url(self) -> str:
        return f"amqps://{self.broker.admin}@127.0.0.1:{self.broker.ports.amqps}/{VHOST}"

    @property
    def management(self) -> str:
        return f"https://127.0.0.1:{self.broker.ports.management_tls}"

    def config(self, url: str | None = None) -> Config:
        given = {"url": url or self.url, "management": self.management, "ca_file": "ca.pem"}
        return load_config(self.folder, broker=given)

    async def error(self) -> str | None:
        """Of the first attempt to connect; None: connected."""
        urls = self.config().broker_urls_of(self.broker.admin, self.broker.password)
        async with Link(urls, name="tls") as link:
            assert await link.wait_tried(CONNECT_SECONDS)
            return None if link.connected else link.last_error

    def asked(self) -> Management:
        return Management(self.management, self.broker.admin, self.broker.password, ca_file=self.config().broker_ca)


@pytest_asyncio.fixture(scope="module")
async def room(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Room]:
    root = tmp_path_factory.mktemp("tls")
    create_home(root / "court", "陕0199", code="court-sn0199", client="cms1", today=date(2026, 3, 24))
    ours, theirs = Issuer(root / "court" / "ca.pem", "ours"), Issuer(root / "other.pem", "theirs")
    tls = Tls(root / "broker.pem", root / "broker.key")
    ours.issue(tls)
    async with PrivateBroker(tls=tls) as broker:
        yield Room(broker, tls, root / "court", ours, theirs)


async def test_the_issuer_of_ca_file_is_believed(room: Room) -> None:
    await room.shows(room.ours)
    assert await room.error() is None
    async with room.asked() as management:
        assert (await management.get("overview"))["rabbitmq_version"]
    assert await broker_time(room.management, ca_file=room.config().broker_ca) is not None


@pytest.mark.parametrize(
    ("issuer", "name", "ends", "told"),
    [
        ("theirs", HERE, timedelta(days=1), "unable to get local issuer certificate"),
        ("ours", HERE, -timedelta(days=1), "certificate has expired"),
        ("ours", ELSEWHERE, timedelta(days=1), "IP address mismatch"),
    ],
    ids=["another issuer", "expired", "another host"],
)
async def test_anything_else_is_refused_by_name(
    room: Room, issuer: str, name: x509.GeneralName, ends: timedelta, told: str
) -> None:
    await room.shows(getattr(room, issuer), name=name, ends=ends)
    assert told in (await room.error() or "connected")
    async with room.asked() as management:
        with pytest.raises(ManagementError, match=told):
            await management.get("overview")
    assert await broker_time(room.management, ca_file=room.config().broker_ca) is None


async def test_without_ca_file_a_private_issuer_is_not_believed(room: Room) -> None:
    await room.shows(room.ours)
    async with Link(room.broker.url_at(room.broker.ports.amqps).replace("amqp:", "amqps:"), name="tls") as link:
        assert await link.wait_tried(CONNECT_SECONDS)
        assert not link.connected and "certificate" in str(link.last_error)


@pytest.mark.parametrize("parameter", ["no_verify_ssl=1", "no_verify_ssl=0", "no_verify_ssl"])
async def test_an_address_cannot_switch_verification_off(room: Room, parameter: str) -> None:
    await room.shows(room.theirs)
    with pytest.raises(ConfigurationError, match="no_verify_ssl"):
        room.config(f"{room.url}?{parameter}")
    with pytest.raises(ConfigurationError, match="no_verify_ssl"):
        Link(f"{room.url}?{parameter}", name="tls")
