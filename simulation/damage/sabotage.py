"""Damage done behind the gateway's back, to see whether the audit finds exactly that.

drop    one accepted request vanishes unsent: its outbox row says `sent` before anybody could send it
double  one agency does one thing twice: its ledger is put back to before, and the stored bytes come again
forge   the store holds as applied one message that its agency never signed
"""

from __future__ import annotations

import base64
import hashlib
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Literal, cast, get_args

from joserfc import jws
from joserfc.jwk import ECKey

from lianzhi.amqp.link import Link
from lianzhi.amqp.publisher import ConfirmedPublisher
from simulation.parties import COURTS

Sabotage = Literal["drop", "double", "forge"]
KINDS: tuple[Sabotage, ...] = get_args(Sabotage)

# Fires once, inside the very transaction that accepts the request: no dispatcher can be quicker.
_DROP = """
CREATE TRIGGER sabotage AFTER INSERT ON outbox
WHEN NEW.verb = 'open' AND NEW.receiver LIKE 'court-%' AND NOT EXISTS (SELECT 1 FROM outbox WHERE reason = 'sabotage')
BEGIN UPDATE outbox SET state = 'sent', reason = 'sabotage' WHERE id = NEW.id; END
"""
_DONE = """
SELECT o.routing_key, m.id, m.request_no, m.receiver, m.jws, m.disclosure FROM outbox AS o
JOIN messages AS m ON m.id = o.message_id AND m.sender = o.sender JOIN requests AS r ON r.request_no = m.request_no
WHERE o.verb = 'open' AND r.state = 'closed' AND r.asked IN (?, ?, ?)
AND NOT EXISTS (SELECT 1 FROM messages AS s WHERE s.request_no = m.request_no AND s.verb = 'supplement')
ORDER BY o.id LIMIT 1
"""
_APPLIED = """
SELECT sender, id, jws FROM messages WHERE disposition = 'applied' AND verb = 'result' ORDER BY stored_at LIMIT 1
"""


def drop(store: Path) -> None:
    """Before anything is handed in."""
    with closing(sqlite3.connect(store, timeout=30)) as db, db:
        db.execute(_DROP)


def dropped(store: Path) -> str:
    """Afterwards: the number of the request that vanished."""
    with closing(sqlite3.connect(store, timeout=30)) as db:
        return cast("str", db.execute("SELECT request_no FROM outbox WHERE reason = 'sabotage'").fetchone()[0])


async def double(store: Path, ledgers: dict[str, Path], amqp_url: str, user: str) -> str:
    """The number of the request that comes again. ledgers: code → the agency's ledger; user: the gateway's."""
    with closing(sqlite3.connect(store, timeout=30)) as db:
        key, message_id, number, receiver, signed, disclosure = db.execute(_DONE, COURTS).fetchone()
    with closing(sqlite3.connect(ledgers[receiver], timeout=30)) as db, db:
        for table in ("lz_message", "lz_outbox", "lz_conversation", "desk"):
            db.execute(f"DELETE FROM {table} WHERE request_no = ?", (number,))  # noqa: S608 (our own names)
    async with Link(amqp_url, name="sabotage") as link:
        publisher = ConfirmedPublisher(link, "lianzhi.out", user_id=user)
        await publisher.publish(key, f"{signed}~{disclosure}~".encode("ascii"), message_id=message_id, timeout=10)
        await publisher.close()
    return cast("str", number)


def forge(store: Path) -> str:
    """The id of the message that now says something else, signed by nobody we know under the agency's kid."""
    with closing(sqlite3.connect(store, timeout=30)) as db, db:
        sender, message_id, genuine = db.execute(_APPLIED).fetchone()
        head, payload, _ = genuine.split(".")
        event = json.loads(_decoded(payload))
        event["data"]["head"]["outcome"] = "impossible"
        stranger = ECKey.generate_key("P-256")
        text = json.dumps(event, ensure_ascii=False, separators=(",", ":"))
        forged = jws.serialize_compact(json.loads(_decoded(head)), text.encode(), stranger, algorithms=["ES256"])
        digest = base64.urlsafe_b64encode(hashlib.sha256(forged.encode()).digest()).rstrip(b"=").decode()
        changed = (forged, digest, sender, message_id)
        db.execute("UPDATE messages SET jws = ?, digest = ? WHERE sender = ? AND id = ?", changed)
    return cast("str", message_id)


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
