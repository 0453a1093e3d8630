"""What `lianzhi doctor` says of keys: every one that the catalogue needs, our own and the partners', and for how long.
Pure.

A key that ends while another of the same use goes on is nobody's concern; the day after which there is none is told
60, 30 and 7 days ahead.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime, timedelta

from gateway.core.checkup import Check
from gateway.core.routing import Directory, Participant
from gateway.core.time.calendar import SHANGHAI
from lianzhi.crypto.keyring import Keyring, lasts_until
from lianzhi.crypto.keys import PublicKey
from schemas.catalogue import MatterType

TITLE = "密钥 keys"
NOTICED, SOON, STOPS = timedelta(days=60), timedelta(days=30), timedelta(days=7)
_USES = {"sig": ("签名", "signature"), "enc": ("加密", "encryption"), "sub": ("提交签名", "submission")}


def key_checks(directory: Directory, keyring: Keyring, matters: Collection[MatterType], now: datetime) -> list[Check]:
    """Those that are wrong or will be; one line that all is well where none is."""
    found = [
        check
        for participant in directory
        if participant.enabled
        for check in _of_participant(participant, keyring, matters, now)
    ]
    if found:
        return sorted(found, key=lambda check: check.level != "wrong")
    count = sum(len(keyring.public_keys(participant.code)) for participant in directory)
    days = NOTICED.days
    zh, en = f"{count} 把，所需的都在且 {days} 日内不到期", f"{count}; all that is needed, for {days} days at least"
    return [Check("keys", TITLE, "ok", zh, en)]


def needs_sealing(participant: Participant, matters: Iterable[MatterType]) -> bool:
    """Whether anything that it may take or open is sealed to it."""
    return any(
        (participant.kind in m.receivers and participant.takes(m.name) and m.request_class.sealed)
        or (participant.kind in m.senders and participant.may_open(m.name) and m.result_class.sealed)
        for m in matters
    )


def _of_participant(
    participant: Participant, keyring: Keyring, matters: Collection[MatterType], now: datetime
) -> Iterator[Check]:
    own = [key for key in keyring.public_keys(participant.code) if key.client is None]
    for purpose in ("sig", "enc"):
        keys = [key for key in own if key.purpose == purpose]
        if purpose == "sig" or needs_sealing(participant, matters):
            yield from _lasting(participant, purpose, keys, now, participant.code)
            if participant.local:
                yield from _private(participant, purpose, keys, keyring, now)
    for client in participant.clients:
        if client.revoked:
            continue
        for purpose, kid in (("sub", client.signs_with), ("enc", client.opens_with)):
            if kid is not None:
                keys = [key for key in keyring.public_keys(participant.code) if key.kid == kid]
                yield from _lasting(participant, purpose, keys, now, f"{participant.code}/{client.id}")


def _lasting(
    participant: Participant, purpose: str, keys: Collection[PublicKey], now: datetime, whose: str
) -> Iterator[Check]:
    zh, en = _USES[purpose]
    fix = _mend(participant, purpose)
    end = lasts_until(keys, now)
    if end is None:
        return
    if end == now:
        past = [
            day for key in keys if (day := key.last_day(SHANGHAI)) is not None and day < now.astimezone(SHANGHAI).date()
        ]
        since = (f"，最后一把于 {max(past)} 到期", f"; the last one ended on {max(past)}") if past else ("", "")
        yield Check(
            "keys", TITLE, "wrong",
            f"{whose} 没有在有效期内的{zh}公钥{since[0]}", f"{whose} has no {en} key in force{since[1]}", fix,
        )  # fmt: skip
        return
    left = end - now
    if left >= NOTICED:
        return
    day = (end - timedelta.resolution).astimezone(SHANGHAI).date()
    told = next(limit for limit in (STOPS, SOON, NOTICED) if left < limit)
    yield Check(
        "keys", TITLE, "wrong" if told == STOPS else "warning",
        f"{whose} 的{zh}密钥最后一天为 {day}（{told.days} 日内），其后没有接续的",
        f"The last day of the {en} key of {whose} is {day} (within {told.days} days), and no other follows", fix,
    )  # fmt: skip


def _private(
    participant: Participant, purpose: str, keys: Collection[PublicKey], keyring: Keyring, now: datetime
) -> Iterator[Check]:
    """The gateway signs and opens for it, so the private halves are here. Anybody may seal to any key in force, so each
    of those is needed; to sign, one is."""
    valid = [key.kid for key in keys if key.valid_at(now) and not key.revoked_by(now)]
    missing = [kid for kid in valid if not keyring.holds(kid)]
    if not missing:
        return
    whom = participant.code
    does = ("解密", "open") if purpose == "enc" else ("签名", "sign")
    stops = purpose == "enc" or len(missing) == len(valid)
    yield Check(
        "keys", TITLE, "wrong" if stops else "warning",
        f"keys/private/ 中没有 {', '.join(missing)} 的私钥，网关不能替 {whom} {does[0]}",
        f"keys/private/ lacks {', '.join(missing)}: the gateway cannot {does[1]} for {whom}",
        f"放回私钥 put it back, or: {_mend(participant, purpose)}",
    )  # fmt: skip


def _mend(participant: Participant, purpose: str) -> str:
    if participant.local:
        return f"lianzhi keys new {participant.code} {purpose} LABEL"
    return (
        f"请单位给出新公钥，登记到 ask it for a new public key, for participants/{participant.code}.toml [[keys]]"
        "（docs/howto/new-organisation.md）"
    )
