"""What was lost, done twice, or forged: found by comparing three books that share no code (docs/architecture.md 4).

lost               a 202 whose message neither reached its agency, byte for byte, nor stands visibly in the store with
                   a reason; or a word of an agency that decides a request and is neither applied nor quarantined.
duplicate_effects  effects beyond the first of one request in one agency's book.
forged_applied     messages that the store holds as applied for an agency, and that the agency never sent with this
                   digest, or whose signature does not verify with the agency's public key, or that say to be another.

Signatures are checked with joserfc alone, on the JWK files handed over at registration.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from simulation.reconciliation.ledgers import AgencyBook, CourtBook, StoreBook, StoredMessage

DECIDES = frozenset({"open", "result", "correct", "refuse", "return", "read", "withdraw-ack"})
PARKED_STATES = frozenset({"blocked", "undeliverable", "withdrawn"})


@dataclass(frozen=True, slots=True)
class Findings:
    """Numbers of requests, and (sender, message id) of messages; each once."""

    lost: tuple[str, ...]
    duplicated: tuple[str, ...]
    forged: tuple[tuple[str, str], ...]

    @property
    def clean(self) -> bool:
        return not (self.lost or self.duplicated or self.forged)


class Audit:
    """home: the court whose gateway it is. keys: folder of the registered public keys, `<kid>.jwk`."""

    def __init__(self, home: str, keys: Path) -> None:
        self._home = home
        self._keys = {path.stem: ECKey.import_key(json.loads(path.read_text())) for path in keys.glob("*.sig.*.jwk")}

    def examine(self, court: CourtBook, agencies: Mapping[str, AgencyBook], store: StoreBook) -> Findings:
        return Findings(
            tuple(sorted(self.lost(court, agencies, store))),
            tuple(duplicated(agencies)),
            tuple(self.forged(agencies, store)),
        )

    def lost(self, court: CourtBook, agencies: Mapping[str, AgencyBook], store: StoreBook) -> set[str]:
        """Numbers of requests, ours and theirs. Cheap: no signature is verified."""
        opened = {m.request_no: key for key, m in store.messages.items() if m.verb == "open" and key[0] == self._home}
        gone = {number for number in court.accepted if not self._came(opened.get(number), number, agencies, store)}
        said = {mid: number for mid, (number, _) in court.said.items()}
        gone |= {no for mid, no in said.items() if not self._came((self._home, mid), no, agencies, store)}
        quarantined = {(q.owner, q.message_id) for q in store.quarantine}
        for code, book in agencies.items():
            for message_id, sent in book.sent.items():
                kept = store.messages.get((code, message_id))
                applied = kept is not None and kept.disposition != "held"
                if sent.verb in DECIDES and not applied and (code, message_id) not in quarantined:
                    gone.add(sent.request_no or message_id)
        return gone

    def _came(
        self, key: tuple[str, str] | None, number: str, agencies: Mapping[str, AgencyBook], store: StoreBook
    ) -> bool:
        """Whether the agency has exactly these bytes, or the store says why not."""
        message = store.messages.get(key) if key else None
        if key and message and message.receiver in agencies:
            if agencies[message.receiver].received.get(key[1]) == _digest(message.jws):
                return True
            if key in store.unsent:
                return True
        request = store.requests.get(number)
        return request is not None and request.state in PARKED_STATES

    def forged(self, agencies: Mapping[str, AgencyBook], store: StoreBook) -> Iterator[tuple[str, str]]:
        for (sender, message_id), message in store.messages.items():
            if sender not in agencies or message.disposition != "applied":
                continue
            sent = agencies[sender].sent.get(message_id)
            # What stands outside any request (the library's greeting) is applied to nothing, and in no agency's book.
            signed = message.request_no is None or (sent is not None and sent.digest == _digest(message.jws))
            if not signed or not self._genuine(sender, message_id, message):
                yield sender, message_id

    def _genuine(self, sender: str, message_id: str, message: StoredMessage) -> bool:
        """The signature verifies with a key of the sender's, and the event is the one it is filed as."""
        try:
            kid = json.loads(_decoded(message.jws.partition(".")[0])).get("kid", "")
            key = self._keys.get(kid) if kid.startswith(f"{sender}.") else None
            if key is None:
                return False
            event: dict[str, Any] = json.loads(jws.deserialize_compact(message.jws, key, algorithms=["ES256"]).payload)
        except (JoseError, ValueError):
            return False
        filed = (f"//{sender}", message_id, message.request_no, message.receiver, message.verb)
        says = (event.get("source"), event.get("id"), event.get("subject"), event.get("receiver"))
        return (*says, str(event.get("type")).rpartition(".")[2]) == filed


def duplicated(agencies: Mapping[str, AgencyBook]) -> Iterator[str]:
    """The number of a request once for each effect beyond its first."""
    for book in agencies.values():
        for number, times in book.effects.items():
            yield from [number] * (times - 1)


def _digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode("ascii")).digest()).rstrip(b"=").decode()


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
