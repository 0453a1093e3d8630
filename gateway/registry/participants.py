"""Reads `participants/*.toml` and the keys that they name into a Directory and a Keyring."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from adapters.registry import dialects, kinds
from gateway.core.routing import Client, Directory, Participant, Staff
from gateway.core.time.calendar import SHANGHAI
from gateway.core.time.deadlines import Duty
from gateway.registry.config import WHERE
from gateway.registry.forms import ParticipantForm
from gateway.registry.setup.participant_rules import check_files, check_patterns
from lianzhi.crypto.jwk import private_key_from_jwk, public_key_from_jwk
from lianzhi.crypto.keyring import Keyring, thumbprint
from lianzhi.crypto.keys import PrivateKey, PublicKey
from lianzhi.errors import ConfigurationError, MisuseError
from lianzhi.printable import printable
from lianzhi.protocol.envelope import CANONICAL
from lianzhi.protocol.rules import all_told
from lianzhi.text_files import line_of_member, look_into, read_text, read_toml
from schemas.catalogue import Kind
from schemas.values.courts import COURTS
from schemas.values.departments import DEPARTMENTS

PARTICIPANTS = "participants"
PRIVATE_KEYS = Path("keys") / "private"


def load_registry(folder: Path) -> tuple[Directory, Keyring]:
    """Every participant of the installation in `folder`, and all keys: public ones from the participants' files,
    private ones (the parties that we sign for) from `keys/private/`.

    Raises ConfigurationError naming the file, the rule and the fix.
    """
    look_into(folder / PARTICIPANTS)
    files = sorted((folder / PARTICIPANTS).glob("*.toml"))
    if not files:
        raise ConfigurationError(
            f"{folder / PARTICIPANTS}：没有参与单位文件。{WHERE[0]} No participant file. {WHERE[1]}"
        )
    check_files(folder / PARTICIPANTS)
    forms = [(path, read_form(path)) for path in files]
    public = [found for path, form in forms for found in _public_keys(folder, path, form)]
    private = [(path, _private_key(path)) for path in sorted((folder / PRIVATE_KEYS).glob("*.jwk"))]
    _check_distinct([*public, *private])
    keyring = ([key for _, key in public], [key for _, key in private])
    try:
        return Directory(participant(form) for _, form in forms), Keyring(*keyring)
    except (ValueError, MisuseError) as error:
        raise ConfigurationError(f"{folder}：参与单位或密钥有误。 Participants or keys are wrong: {error}") from error


def read_form(path: Path) -> ParticipantForm:
    """One file. Raises ConfigurationError."""
    form = form_of(path, read_toml(path))
    check_patterns(path, form)
    return form


def form_of(path: Path, content: Mapping[str, Any]) -> ParticipantForm:
    """content: as the file has it, or will have it. Raises ConfigurationError, which names the file and the field."""
    try:
        form = ParticipantForm.model_validate(content)
    except ValidationError as error:
        text = read_text(path) if path.is_file() else ""
        first = error.errors()[0]
        raise ConfigurationError(
            f"{path}{line_of_member(text, first['loc'])}：字段不合规则。 A field breaks its rule: {all_told(error)}"
        ) from error
    if form.code != path.stem:
        raise ConfigurationError(f"{path}：文件名须为 {form.code}.toml。 The file must be named after its code.")
    if form.court_code is not None and form.court_code not in COURTS:
        raise ConfigurationError(
            f"{path}：法院代字 {form.court_code} 不在法院表中。 Court code not in the court table."
        )
    _check_kind(path, form)
    if (form.kind == Kind.DEPARTMENT) != (form.dept is not None):
        raise ConfigurationError(
            f"{path}：部门（kind = department）须用 dept 写明是哪个部门，其他单位不填。"
            f" A department says which one with `dept`, another kind has none: {', '.join(DEPARTMENTS)}."
        )
    return form


def _check_kind(path: Path, form: ParticipantForm) -> None:
    """Its kind and its dialect are known, and what hides next to nothing was not chosen in silence."""
    kind = kinds().get(Kind(form.kind))
    if kind is None:
        raise ConfigurationError(
            f"{path}：kind：没有这类单位 {printable(form.kind)}，已知：{', '.join(kinds())}。"
            f" No such kind of partner; there are: {', '.join(kinds())}."
        )
    dialect = _dialect(form)
    if dialect is None:
        raise ConfigurationError(
            f"{path}：dialect：{kind.zh}没有默认方言，须写明，例如 dialect = {json.dumps(kind.dialects[0])}"
            "（plain/1 用规范名称，几乎不隐去内容）。"
            f" {form.kind} has no dialect by default: name one, as dialect = {json.dumps(kind.dialects[0])}"
            " (plain/1 is canonical names and withholds next to nothing)."
        )
    if dialect not in dialects() and not (form.home and dialect == CANONICAL):
        raise ConfigurationError(
            f"{path}：dialect：没有方言 {printable(dialect)}，已有：{', '.join(dialects())}。"
            f" No such dialect; there are: {', '.join(dialects())}."
        )


def _dialect(form: ParticipantForm) -> str | None:
    return form.dialect or (CANONICAL if form.home else kinds()[Kind(form.kind)].default)


def participant(form: ParticipantForm) -> Participant:
    """The form, which `read_form` has checked, as the pure core wants it."""
    dialect = _dialect(form)
    assert dialect is not None
    return Participant(
        code=form.code,
        kind=Kind(form.kind),
        zh=form.name.zh,
        en=form.name.en,
        channel=form.channel,
        dialect=dialect,
        division=form.division,
        court_code=form.court_code,
        dept=form.dept,
        parent=form.parent,
        home=form.home,
        enabled=form.enabled,
        jws_alg=form.jws_alg,
        accepts=tuple(form.accepts),
        opens=tuple(form.opens),
        broker_user=form.broker.user if form.broker else None,
        notice_version=form.notice_version,
        clients=tuple(
            Client(c.id, frozenset(c.scopes), c.token_sha256, c.signs_with, c.opens_with, c.revoked)
            for c in form.clients
        ),
        staff={
            s.no: Staff(
                *(s.no, s.name, s.permit, frozenset(s.roles), s.since, s.until, s.revoked),
                mail=s.contact.mail if s.contact else None,
                phone=s.contact.phone if s.contact else None,
            )
            for s in form.staff
        },
        duty=Duty(form.duty.hours or Duty().hours, tuple(form.duty.always)),
    )


def _check_distinct(keys: Iterable[tuple[Path, PublicKey | PrivateKey]]) -> None:
    """One key under two kids makes its holder both of them. Raises ConfigurationError naming both files."""
    first: dict[str, tuple[Path, str]] = {}
    for path, key in keys:
        other, kid = first.setdefault(thumbprint(key), (path, key.kid))
        if kid != key.kid:
            raise ConfigurationError(
                f"{other}（{kid}）与 {path}（{key.kid}）是同一把密钥，请为每个编号各制一把（lianzhi keys new）。"
                f" {other} ({kid}) and {path} ({key.kid}) are one key; make one for each kid."
            )


def _public_keys(folder: Path, path: Path, form: ParticipantForm) -> Iterable[tuple[Path, PublicKey]]:
    for key in form.keys:
        jwk = _jwk(folder / key.jwk)
        if jwk.get("kid", key.kid) != key.kid or not key.kid.startswith(f"{form.code}."):
            raise ConfigurationError(
                f"{path}：密钥编号 {key.kid} 与单位或文件不符。 The kid is not this participant's."
            )
        try:
            found = public_key_from_jwk(
                {**jwk, "kid": key.kid},
                nbf=_midnight(key.since),
                exp=_midnight(key.until + timedelta(days=1)) if key.until else None,
                revoked_at=_aware(key.revoked_at),
                client=key.client,
            )
        except MisuseError as error:
            raise ConfigurationError(f"{folder / key.jwk}：密钥不可用。 The key cannot be used: {error}") from error
        yield folder / key.jwk, found


def _private_key(path: Path) -> PrivateKey:
    try:
        return private_key_from_jwk(_jwk(path))
    except MisuseError as error:
        raise ConfigurationError(f"{path}：私钥不可用。 The private key cannot be used: {error}") from error


def _jwk(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(read_text(path))
    except (ValueError, RecursionError) as error:  # nested deeper than any key
        raise ConfigurationError(f"{path}：密钥文件不是 JSON。 The key file is not JSON.") from error
    if not isinstance(document, dict):
        raise ConfigurationError(f"{path}：密钥文件须为一个 JWK。 A key file holds one JWK.")
    return document


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), SHANGHAI)


def _aware(moment: datetime | None) -> datetime | None:
    if moment is None or moment.tzinfo is not None:
        return moment
    return moment.replace(tzinfo=SHANGHAI)
