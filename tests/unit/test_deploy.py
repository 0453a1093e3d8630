"""The files of deploy/ fit the product and each other: ports, users, paths, figures. None of them is started here."""

from __future__ import annotations

import re
import shutil
import subprocess
from configparser import RawConfigParser
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from gateway.bounds import Bounds
from gateway.http.connections import forwarded_for
from gateway.registry.config import BrokerSection, HttpSection

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
UNITS = sorted(path.name for path in DEPLOY.glob("*.service"))


def unit(name: str) -> RawConfigParser:
    parser = RawConfigParser(strict=False)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read(DEPLOY / name, encoding="utf-8")
    return parser


def text(name: str) -> str:
    return (DEPLOY / name).read_text("utf-8")


@pytest.mark.parametrize("name", ["lianzhi.service", "lianzhi-backup.service"])
def test_the_gateways_units_are_of_one_user_and_folder(name: str) -> None:
    service = unit(name)["Service"]
    assert (service["User"], service["Group"], service["UMask"]) == ("lianzhi", "lianzhi", "0077")
    folder = service["Environment"].split()[0].removeprefix("LIANZHI_FOLDER=")
    assert folder == "/srv/lianzhi/gateway"
    assert any(folder.startswith(path) for path in service["ReadWritePaths"].split())
    assert folder in (ROOT / "docs" / "handbook" / "restore.md").read_text("utf-8")


def test_programs_are_where_the_handbook_puts_them() -> None:
    handbook = (ROOT / "docs" / "handbook" / "install.md").read_text("utf-8")
    link = "/opt/lianzhi/current/bin/lianzhi /usr/local/bin/lianzhi"
    assert f"ln -s {link}" in handbook
    for name in ("lianzhi.service", "lianzhi-backup.service"):
        assert unit(name)["Service"]["ExecStart"].split()[0] == link.split()[1]
    partner = unit("lianzhi-partner.service")["Service"]
    assert Path(partner["ExecStart"].split()[0]).parent == Path(link.split(maxsplit=1)[0]).parent
    assert partner["WorkingDirectory"] in partner["ReadWritePaths"].split()
    assert (ROOT / "gateway" / "registry" / "setup" / "starter" / partner["ExecStart"].split()[1]).is_file()


def test_the_backups_folder_may_be_written() -> None:
    service = unit("lianzhi-backup.service")["Service"]
    words = service["ExecStart"].split()
    assert words[words.index("--out") + 1] in service["ReadWritePaths"].split()


def test_the_timer_starts_a_unit_that_is_there() -> None:
    assert unit("lianzhi-backup.timer")["Install"]["WantedBy"] == "timers.target"
    assert (DEPLOY / "lianzhi-backup.service").is_file()


@pytest.mark.parametrize("name", UNITS)
def test_systemd_takes_the_unit(name: str, tmp_path: Path) -> None:
    """`systemd-analyze verify`, with a program that is there in place of ours."""
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd is not installed")
    copy = tmp_path / name
    copy.write_text(re.sub(r"(?m)^ExecStart=\S+", "ExecStart=/bin/true", text(name)), encoding="utf-8")
    done = subprocess.run([program, "verify", "--man=no", str(copy)], capture_output=True, text=True, check=False)
    ours = [line for line in done.stderr.splitlines() if name in line]
    assert not ours, done.stderr


@pytest.mark.parametrize("name", ["nginx.conf", "Caddyfile"])
def test_the_proxy_leads_to_the_apis_port_and_hides_the_metrics(name: str) -> None:
    address = f"{HttpSection().host}:{HttpSection().port}"
    assert address in text(name)
    assert not re.search(rf"127\.0\.0\.1:(?!{HttpSection().port}\b)\d+", text(name))
    assert "/metrics" in text(name)
    assert 'proxies = ["127.0.0.1"]' in text(name)


def test_the_proxies_figures_are_the_bounds() -> None:
    bounds = Bounds()
    assert f"client_max_body_size {bounds.message_bytes >> 20}m;" in text("nginx.conf")
    assert f"client_max_body_size {bounds.document_bytes // 1_000_000 // 100 * 100}m;" in text("nginx.conf")
    assert f"max_size {bounds.message_bytes >> 20}MB" in text("Caddyfile")
    assert f"limit_conn lianzhi_address {bounds.http_connections_per_address};" in text("nginx.conf")


@pytest.mark.parametrize(("address", "counted"), [("203.0.113.7", "203.0.113.7"), ("2001:db8::7", "2001:db8::/64")])
def test_what_caddy_says_of_a_caller_is_understood(address: str, counted: str) -> None:
    plain, bracketed = re.findall(r"`(for=.*)`", text("Caddyfile"))
    template = re.search(r'header_up Forwarded "(.*)"\n', text("Caddyfile"))
    assert template is not None
    which = plain if re.fullmatch(r"[0-9.]+", address) else bracketed
    said = template[1].replace("{lianzhi_for}", which.replace("{remote_host}", address))
    assert forwarded_for({"Forwarded": said}, ()) == counted


def test_the_broker_takes_just_more_than_a_message() -> None:
    figure = re.search(r"(?m)^max_message_size = (\d+)$", text("rabbitmq.conf"))
    assert figure is not None and int(figure[1]) == Bounds().broker_message_bytes


def test_compose_names_the_addresses_of_its_own_services() -> None:
    compose = text("compose.yaml")
    services = set(re.findall(r"(?m)^  (\w+):$", compose.partition("services:")[2].partition("\nsecrets:")[0]))
    assert services == {"broker", "database", "gateway"}
    command = " ".join(line.lstrip("# ").rstrip("\\ ") for line in compose.splitlines() if line.startswith("#"))
    expected = {"--store": ("database", None), "--broker": ("broker", 5672), "--management": ("broker", 15672)}
    for option, place in expected.items():
        found = re.search(rf"{option} (\S+)", command)
        assert found is not None
        parts = urlsplit(found[1])
        assert (parts.hostname, parts.port) == place
    default = urlsplit(str(BrokerSection().url))
    assert f"{default.username}@broker:{default.port}{default.path}" in compose


def test_compose_runs_the_image_as_its_user() -> None:
    user = re.search(r"useradd --system --uid (\d+)", (ROOT / "Dockerfile").read_text("utf-8"))
    assert user is not None
    assert f"chown {user[1]}:{user[1]} lianzhi" in text("compose.yaml")
    assert "./lianzhi:/var/lib/lianzhi" in text("compose.yaml")


def test_compose_publishes_on_loopback_only() -> None:
    ports = re.findall(r'"([\d.:]+:\d+)"', text("compose.yaml"))
    assert ports and all(port.startswith("127.0.0.1:") for port in ports)


def test_every_secret_that_compose_names_is_made_by_its_first_lines() -> None:
    compose = text("compose.yaml")
    head = compose.partition("name: lianzhi")[0]
    for file in re.findall(r"secrets/[\w-]+\.\w+", compose.partition("name: lianzhi")[2]):
        assert f"> {file}" in head, file
