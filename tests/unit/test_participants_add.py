"""Taking a partner in by one command, whole or not at all; its package."""

from __future__ import annotations

import asyncio
import json
import shutil
import stat
import subprocess
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
import tomlkit
import typer
from typer.testing import CliRunner, Result

from gateway.cli import add_commands
from gateway.core.records import Changes
from gateway.registry.config import load_config
from gateway.registry.installation import create_home
from gateway.registry.participants import load_registry
from gateway.registry.setup.packages import examples_folder
from gateway.store import open_store
from lianzhi.crypto.jwk import generate_jwk, public_jwk
from lianzhi.errors import ConfigurationError
from lianzhi.partner import PartnerConfig
from tests.contract.samples import request, write
from tests.unit.test_doc_links import DOCUMENT, LINK, ROOT, broken_links

POLICE, HOME = "police-610114", "court-sn0199"
ADD = ("participants", "add", POLICE, "--kind", "police", "--zh", "公安", "--en", "Police")
Command = Callable[..., Result]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    create_home(tmp_path / "court", "陕0199", code=HOME, client="cms1", today=date(2026, 3, 24))
    return tmp_path / "court"


@pytest.fixture
def lianzhi(folder: Path) -> Command:
    app = typer.Typer()
    add_commands(app)

    def call(*words: str) -> Result:
        return CliRunner().invoke(app, [*words, "--dir", str(folder)])

    return call


def everything(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def key_file(folder: Path, kid: str, *, private: bool = False) -> str:
    jwk = generate_jwk(kid, "EC")
    path = folder.parent / f"{kid}.json"
    path.write_text(json.dumps(jwk if private else public_jwk(jwk)))
    return str(path)


def test_file_keys_and_password_at_once(lianzhi: Command, folder: Path) -> None:
    assert lianzhi(*ADD).exit_code == 0
    handover = folder / "handover" / POLICE
    names = {path.name for path in handover.iterdir()}
    assert names == {f"{POLICE}.sig.1.private.jwk", f"{POLICE}.enc.1.private.jwk", "amqp.password"}
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in handover.iterdir())
    assert lianzhi("participants", "check").exit_code == 0


def test_its_own_keys_are_registered_and_none_is_made(lianzhi: Command, folder: Path) -> None:
    keys = [word for purpose in ("sig", "enc") for word in ("--public-key", key_file(folder, f"{POLICE}.{purpose}.a"))]
    assert lianzhi(*ADD, *keys).exit_code == 0
    assert {key.kid for key in load_registry(folder)[1].public_keys(POLICE)} == {f"{POLICE}.sig.a", f"{POLICE}.enc.a"}
    assert not [*(folder / "handover" / POLICE).glob("*.jwk")]


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (("--accepts", "gird.*"), "gird"),
        (("--dialect", "police/9"), "police/9"),
        (("--public-key", "{private}"), "private key"),
        (("--public-key", "{foreign}"), "kid must be"),
    ],
)
def test_what_cannot_be_taken_leaves_nothing(lianzhi: Command, folder: Path, more: tuple[str, str], told: str) -> None:
    given = more[1].format(
        private=key_file(folder, f"{POLICE}.sig.b", private=True), foreign=key_file(folder, "grid-1.sig.1")
    )
    before = everything(folder)
    done = lianzhi(*ADD, more[0], given)
    assert isinstance(done.exception, ConfigurationError) and told in str(done.exception)
    assert everything(folder) == before


def test_one_that_is_there_is_not_taken_in_twice(lianzhi: Command, folder: Path) -> None:
    assert lianzhi(*ADD).exit_code == 0
    before = everything(folder)
    assert lianzhi(*ADD).exit_code != 0
    assert everything(folder) == before


def test_what_the_package_holds_is_a_whole_partner(lianzhi: Command, folder: Path, tmp_path: Path) -> None:
    assert lianzhi(*ADD).exit_code == 0
    out = tmp_path / "police.zip"
    done = lianzhi("participants", "package", POLICE, "--out", str(out), "--amqp", "amqps://mq.example:5671/lianzhi")
    assert done.exit_code == 0, done.output
    with zipfile.ZipFile(out) as archive:
        assert {entry.external_attr >> 16 & 0o777 for entry in archive.infolist()} == {0o600}
        archive.extractall(tmp_path / "un")
    theirs = tmp_path / "un" / POLICE
    config = PartnerConfig.load(theirs / "partner.toml")
    assert config.amqp_url.endswith("@mq.example:5671/lianzhi") and config.contract is not None
    types = config.contract.document.types
    receipts = json.loads((theirs / "receipts.json").read_text("utf-8"))
    assert set(receipts) <= {one.card.name for one in types} and "police.person-locate.request" in receipts
    assert "$" not in (theirs / "README.md").read_text("utf-8")
    pages = [theirs / "IN-AN-HOUR.md", *theirs.glob("docs/**/*.md"), *theirs.glob("*/**/README.md")]
    assert {page.name: [*broken_links(page)] for page in pages if [*broken_links(page)]} == {}
    texts = [page.read_text("utf-8") for page in theirs.glob("examples/*/README.md")]
    named = {name for text in texts for name in DOCUMENT.findall(text)}
    assert named and all((theirs / name).is_file() for name in named)
    shipped = {p.relative_to(examples_folder()) for p in examples_folder().rglob("*.mjs")}
    assert shipped == {p.relative_to(theirs / "examples") for p in theirs.rglob("*.mjs")} != set()


def test_the_page_of_the_package_is_the_handbooks(lianzhi: Command, folder: Path, tmp_path: Path) -> None:
    assert lianzhi(*ADD).exit_code == 0
    out = tmp_path / "police.zip"
    assert lianzhi("participants", "package", POLICE, "--out", str(out)).exit_code == 0
    with zipfile.ZipFile(out) as archive:
        given = archive.read(f"{POLICE}/IN-AN-HOUR.md").decode()
        wheel = tomlkit.parse((ROOT / "pyproject.toml").read_text("utf-8")).unwrap()["tool"]["hatch"]["build"]
        pages = {name for name in wheel["targets"]["wheel"]["only-include"] if name.startswith("docs/")}
        held = {name.removeprefix(f"{POLICE}/") for name in archive.namelist()}
    page = (ROOT / "docs" / "handbook" / "partner-in-an-hour.md").read_text("utf-8")
    assert LINK.sub("", given) == LINK.sub("", page)
    assert pages == {name for name in held if name.startswith("docs/")} - {"docs/thread.json"} | {
        "docs/handbook/partner-in-an-hour.md"
    }
    assert "docs/thread.json" in held


@pytest.mark.parametrize("language", ["node", "java"])
def test_the_command_of_an_example_names_the_files_of_the_package(
    lianzhi: Command, folder: Path, tmp_path: Path, language: str
) -> None:
    """What it exports: run with a `node` and `java` that only write their environment."""
    assert lianzhi(*ADD).exit_code == 0
    out = tmp_path / "police.zip"
    assert lianzhi("participants", "package", POLICE, "--out", str(out)).exit_code == 0
    zipfile.ZipFile(out).extractall(tmp_path / "a b")
    theirs, tools = tmp_path / "a b" / POLICE, tmp_path / "tools"
    tools.mkdir()
    for name in ("npm", "javac"):
        (tools / name).write_text(f"#!/bin/sh\necho >>'{tmp_path}/{name}'\n")
    for name in ("node", "java"):
        (tools / name).write_text('#!/bin/sh\nenv\necho "WORDS=$*"\n')
    for tool in tools.iterdir():
        tool.chmod(0o755)
    path = {"PATH": f"{tools}:/usr/bin:/bin"}
    command = ["bash", str(theirs / f"run-{language}.sh"), "--once", "1"]
    subprocess.run(command, env=path, capture_output=True, check=True)
    done = subprocess.run(command, env=path, capture_output=True, text=True, check=True)
    said = dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)
    for name in ("PASSWORD_FILE", "SIGN_KEY", "OPEN_KEY", "GATEWAY_KEYS", "CONTRACT"):
        assert Path(said[f"LIANZHI_{name}"]).is_file(), name
    config = PartnerConfig.load(theirs / "partner.toml")
    assert (said["LIANZHI_CODE"], said["LIANZHI_SYSTEM"]) == (config.code, config.system)
    assert said["WORDS"].endswith("--once 1") and "--demo" not in said["WORDS"]
    assert Path(said["LIANZHI_ANSWERS"]).is_dir()
    if language == "java":  # compiled once, and again for another copy of the program
        compiled = tmp_path / "javac"
        assert len(compiled.read_text()) == 1
        own = shutil.copytree(theirs / "examples" / "java", tmp_path / "own program")
        shutil.rmtree(own / "classes")
        subprocess.run(command, env={**path, "PROGRAM": str(own)}, capture_output=True, check=True)
        assert len(compiled.read_text()) == 2
        assert (own / "classes" / "done").exists()


def test_a_receipt_of_the_package_keeps_the_contract(lianzhi: Command, folder: Path, tmp_path: Path) -> None:
    from datetime import UTC, datetime

    assert lianzhi(*ADD).exit_code == 0
    out = tmp_path / "police.zip"
    assert lianzhi("participants", "package", POLICE, "--out", str(out)).exit_code == 0
    zipfile.ZipFile(out).extractall(tmp_path / "un")
    theirs = tmp_path / "un" / POLICE
    contract = PartnerConfig.load(theirs / "partner.toml").contract
    assert contract is not None
    for name, form in json.loads((theirs / "receipts.json").read_text("utf-8")).items():
        body = {member: text.format(time=datetime.now(UTC)) for member, text in form.items()}
        assert not contract.faults(name, "receipt", body, {}), name


def test_the_authority_of_the_broker_goes_with_it(lianzhi: Command, folder: Path, tmp_path: Path) -> None:
    assert lianzhi(*ADD).exit_code == 0
    (folder / "ca.pem").write_text("-----BEGIN CERTIFICATE-----\n")
    path = folder / "lianzhi.toml"
    document = tomlkit.parse(path.read_text("utf-8"))
    document["broker"].update({"ca_file": "ca.pem", "url": "amqps://lianzhi-gateway@mq.example/lianzhi"})
    path.write_text(tomlkit.dumps(document), encoding="utf-8")
    out = tmp_path / "police.zip"
    assert lianzhi("participants", "package", POLICE, "--out", str(out)).exit_code == 0
    archive = zipfile.ZipFile(out)
    assert archive.read(f"{POLICE}/ca.pem") == (folder / "ca.pem").read_bytes()
    assert b'ca_file = "ca.pem"' in archive.read(f"{POLICE}/partner.toml")


def test_only_a_suspended_one_is_removed_and_its_files_stay_as_evidence(lianzhi: Command, folder: Path) -> None:
    assert lianzhi(*ADD).exit_code == 0
    assert lianzhi("db", "migrate").exit_code == 0
    assert lianzhi("participants", "remove", POLICE).exit_code == 2
    suspended = lianzhi("participants", "suspend", POLICE)  # nobody says the administrator's password
    assert suspended.exit_code == 1 and "not locked out yet" in suspended.output
    done = lianzhi("participants", "remove", POLICE)
    assert done.exit_code == 0, done.output
    (kept,) = (folder / "removed").iterdir()
    names = {path.name for path in kept.iterdir()}
    assert names == {f"{POLICE}.toml", f"{POLICE}.sig.1.jwk", f"{POLICE}.enc.1.jwk"}
    assert not (folder / "handover" / POLICE).exists()
    assert lianzhi("participants", "check").exit_code == 0


def test_the_home_court_is_neither_suspended_nor_removed(lianzhi: Command) -> None:
    for word in ("suspend", "remove"):
        assert lianzhi("participants", word, HOME).exit_code == 2


def test_one_that_a_request_names_stays_for_whoever_reads_it_later(lianzhi: Command, folder: Path) -> None:
    """Its dialect reads what it said, its keys verify it."""
    assert lianzhi(*ADD).exit_code == 0
    assert lianzhi("db", "migrate").exit_code == 0

    async def done_long_ago() -> None:
        store = await open_store(load_config(folder).store_url)
        try:
            old = request(1, state="withdrawn", asker=HOME, asked=POLICE, related=None)
            await write(store, Changes(new_requests=[old]))
        finally:
            await store.close()

    asyncio.run(done_long_ago())
    lianzhi("participants", "suspend", POLICE)
    kept = lianzhi("participants", "remove", POLICE)
    assert kept.exit_code == 1 and "leave it suspended" in " ".join(kept.output.split())
    assert (folder / "participants" / f"{POLICE}.toml").exists()
