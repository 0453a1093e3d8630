"""Debian's nginx with the configuration that we ship, as a child process on loopback ports of its own."""

from __future__ import annotations

import asyncio
import os
import pwd
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from simulation.private_broker import free_port

NGINX = Path("/usr/sbin/nginx")
SHIPPED = Path(__file__).resolve().parents[1] / "deploy" / "nginx.conf"
AROUND = """
{user}daemon off;
master_process off;
pid {folder}/pid;
error_log {folder}/error.log;
events {{ worker_connections 4096; }}
http {{
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/lianzhi.conf;
}}
"""


@dataclass(frozen=True, slots=True)
class Nginx:
    folder: Path
    port: int
    trusted: ssl.SSLContext

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        """What was asked of it."""
        return (self.folder / "access.log").read_text()


@asynccontextmanager
async def nginx(folder: Path, upstream: int) -> AsyncIterator[Nginx]:
    """In front of the gateway on that port, until the block is left. folder: an empty one."""
    port = free_port()
    certificate = _certificate(folder)
    text = SHIPPED.read_text(encoding="utf-8")
    for shipped, own in (
        ("listen 443 ssl;", f"listen 127.0.0.1:{port} ssl;"),
        ("server 127.0.0.1:8080;", f"server 127.0.0.1:{upstream};"),
        ("/etc/lianzhi/tls/fullchain.pem", str(certificate)),
        ("/etc/lianzhi/tls/key.pem", str(folder / "key.pem")),
        ("/var/log/nginx/lianzhi.log", f"{folder}/access.log"),
    ):
        assert text.count(shipped) == 1, shipped
        text = text.replace(shipped, own)
    (folder / "lianzhi.conf").write_text(text, encoding="utf-8")
    user = f"user {pwd.getpwuid(os.getuid()).pw_name};\n" if os.getuid() == 0 else ""
    (folder / "nginx.conf").write_text(AROUND.format(folder=folder, user=user))
    process = await asyncio.create_subprocess_exec(
        str(NGINX), "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log")
    )
    try:
        async with asyncio.timeout(10):
            while not await _listens(port):
                assert process.returncode is None, (folder / "error.log").read_text()
                await asyncio.sleep(0.02)
        yield Nginx(folder, port, ssl.create_default_context(cafile=certificate))
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


def _certificate(folder: Path) -> Path:
    """Of a day, for 127.0.0.1."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "lianzhi.court.example")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    (folder / "certificate.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    return folder / "certificate.pem"
