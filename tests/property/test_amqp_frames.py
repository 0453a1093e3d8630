"""Our short ways to and from the wire, against the client's own encoder and decoder."""

from __future__ import annotations

import asyncio
import hashlib
from datetime import UTC, datetime
from typing import Any, cast

import pamqp.frame
import pytest
from aiormq.channel import Channel
from hypothesis import given
from hypothesis import strategies as st
from pamqp import commands as spec
from pamqp.body import ContentBody
from pamqp.header import ContentHeader
from pamqp.heartbeat import Heartbeat

from lianzhi.amqp.deliveries import FrameReader, Incoming, Kept, Tap
from lianzhi.amqp.publisher import PublishFrames, short
from lianzhi.errors import MisuseError

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=60)
TAPPED, OTHER = 7, 8


def frames_of(raw: bytes) -> list[tuple[int, Any]]:
    found = []
    while raw:
        used, channel, frame = pamqp.frame.unmarshal(raw)
        found.append((channel, frame))
        raw = raw[used:]
    return found


@given(key=TEXT, message_id=TEXT, content_type=TEXT, body=st.binary(max_size=400), max_content=st.integers(1, 150))
def test_a_publish_decodes_to_what_was_meant(
    key: str, message_id: str, content_type: str, body: bytes, max_content: int
) -> None:
    frames = frames_of(PublishFrames(3, "x.y", "me", max_content).encode(key, message_id, content_type, body))
    assert {channel for channel, _ in frames} == {3}
    (_, method), (_, header), *bodies = frames
    assert (method.name, method.exchange, method.routing_key) == ("Basic.Publish", "x.y", key)
    assert method.mandatory and not method.immediate
    assert (header.body_size, header.properties.delivery_mode) == (len(body), 2)
    assert (header.properties.message_id, header.properties.user_id) == (message_id, "me")
    assert header.properties.content_type == content_type
    assert b"".join(b.value for _, b in bodies) == body
    assert all(0 < len(b.value) <= max_content for _, b in bodies)


def test_a_short_string_has_255_bytes_at_most() -> None:
    assert short("执" * 85) == b"\xff" + "执".encode() * 85
    with pytest.raises(MisuseError):
        short("执" * 85 + "x")


@st.composite
def deliveries(draw: st.DrawFn) -> tuple[Incoming, bytes]:
    """What should come out, and its bytes as a broker sends them."""
    body, size = draw(st.binary(max_size=300)), draw(st.integers(1, 120))
    headers: Any = draw(
        st.dictionaries(st.text("abcxyz-", min_size=1, max_size=8), st.integers(0, 2**31 - 1), max_size=3)
    )
    optional = st.none() | st.text("abc执行/", min_size=1, max_size=20)
    properties = spec.Basic.Properties(
        content_type=draw(optional), content_encoding=draw(optional), headers=headers or None,
        delivery_mode=draw(st.sampled_from([1, 2])), priority=draw(st.none() | st.integers(1, 255)),
        correlation_id=draw(optional), reply_to=draw(optional), expiration=draw(optional),
        message_id=draw(optional), timestamp=draw(st.none() | st.just(datetime(2026, 3, 24, tzinfo=UTC))),
        message_type=draw(optional), user_id=draw(optional), app_id=draw(optional),
    )  # fmt: skip
    expected = Incoming(
        queue="q", body=body, routing_key=draw(TEXT), redelivered=draw(st.booleans()), user_id=properties.user_id,
        content_type=properties.content_type, message_id=properties.message_id, headers=headers,
        tag=draw(st.integers(1, 2**63 - 1)), channel=cast(Channel, None),
        size=len(body),
    )  # fmt: skip
    parts: list[Any] = [
        spec.Basic.Deliver("tag", expected.tag, expected.redelivered, "x", expected.routing_key),
        ContentHeader(body_size=len(body), properties=properties),
        *(ContentBody(body[at : at + size]) for at in range(0, len(body), size)),
    ]
    return expected, b"".join(pamqp.frame.marshal(part, TAPPED) for part in parts)


@given(
    messages=st.lists(deliveries(), max_size=6),
    between=st.lists(st.sampled_from([Heartbeat(), spec.Basic.Ack(1), ContentBody(b"other")]), max_size=4),
    cuts=st.integers(1, 400),
)
async def test_deliveries_come_out_whole_and_the_rest_goes_to_the_client(
    messages: list[tuple[Incoming, bytes]], between: list[Any], cuts: int
) -> None:
    """However the bytes are cut, and whatever stands on other channels between the messages."""
    others = [pamqp.frame.marshal(frame, OTHER) for frame in between]
    raw = b"".join(
        (messages[n][1] if n < len(messages) else b"") + (others[n] if n < len(others) else b"")
        for n in range(max(len(messages), len(others)))
    )
    stream = asyncio.StreamReader()
    arrived: list[Incoming] = []
    reader = FrameReader(stream)
    reader.taps[TAPPED] = Tap("q", cast(Channel, None), arrived.append)

    async def feed() -> None:
        for at in range(0, len(raw), cuts):
            stream.feed_data(raw[at : at + cuts])
            await asyncio.sleep(0)
        stream.feed_eof()

    feeding = asyncio.create_task(feed())
    seen = b""
    with pytest.raises(asyncio.IncompleteReadError):
        while True:  # as the client reads: type, rest of the head, payload and end
            head = await reader.readexactly(1)
            head += await reader.readexactly(6)
            seen += head + await reader.readexactly(int.from_bytes(head[3:], "big") + 1)
    await feeding
    assert arrived == [expected for expected, _ in messages]
    assert seen == b"".join(others)


def deliver(tap: Tap, body: bytes, cut: int, tag: int = 1) -> None:
    """One delivery, its body in frames of `cut` bytes."""
    deliver_ok = pamqp.frame.marshal(spec.Basic.Deliver("t", tag, False, "x", "k"), TAPPED)
    header = pamqp.frame.marshal(ContentHeader(body_size=len(body)), TAPPED)
    assert tap.take(1, deliver_ok[7:-1]) and tap.take(2, header[7:-1])
    for at in range(0, len(body), cut):
        assert tap.take(3, body[at : at + cut])


@given(body=st.binary(max_size=300), cut=st.integers(1, 120), whole=st.integers(0, 200), part=st.integers(0, 100))
def test_of_a_body_that_is_too_large_the_beginning_and_the_digest_are_kept(
    body: bytes, cut: int, whole: int, part: int
) -> None:
    arrived: list[Incoming] = []
    deliver(Tap("q", cast(Channel, None), arrived.append, kept=Kept(whole, part)), body, cut)
    (message,) = arrived
    assert message.size == len(body)
    if len(body) <= whole:
        assert (message.body, message.sha256) == (body, None)
    elif part < len(body):
        assert (message.body, message.sha256) == (body[:part], hashlib.sha256(body).hexdigest())
    else:
        assert (message.body, message.sha256) == (body, None)


def test_a_body_without_room_is_not_kept_and_its_tag_is_told() -> None:
    arrived: list[Incoming] = []
    skipped: list[int] = []
    asked: list[int] = []

    def room(size: int) -> bool:
        asked.append(size)
        return size < 10

    tap = Tap("q", cast(Channel, None), arrived.append, kept=Kept(20, 5), room=room, skip=skipped.append)
    for tag, size in enumerate((3, 15, 30, 0), 1):
        deliver(tap, b"x" * size, 4, tag)
    assert asked == [3, 15, 5, 0]
    assert skipped == [2]
    assert [(m.tag, m.body, m.size) for m in arrived] == [(1, b"xxx", 3), (3, b"xxxxx", 30), (4, b"", 0)]


async def test_the_client_sees_a_sign_of_life_among_deliveries() -> None:
    """Else it would take a broker that only delivers for a dead one."""
    one = b"".join(
        pamqp.frame.marshal(part, TAPPED)
        for part in (spec.Basic.Deliver("tag", 1, False, "x", "k"), ContentHeader(body_size=1), ContentBody(b"x"))
    )
    stream = asyncio.StreamReader(limit=1 << 20)
    stream.feed_data(one * 400)
    arrived: list[Incoming] = []
    reader = FrameReader(stream)
    reader.taps[TAPPED] = Tap("q", cast(Channel, None), arrived.append)
    frame = await reader.readexactly(8)
    assert isinstance(pamqp.frame.unmarshal(frame)[2], Heartbeat)
    assert 0 < len(arrived) < 400


@pytest.mark.parametrize("damage", [b"\x01k?", b"\x01kZ", b"\x02k\xffI\x00\x00\x00\x01", b"\x01kF\x00\x00\xff\xff"])
def test_a_header_table_that_cannot_be_read_is_empty(damage: bytes) -> None:
    arrived: list[Incoming] = []
    tap = Tap("q", cast(Channel, None), arrived.append)
    table = len(damage).to_bytes(4, "big") + damage
    flags = (1 << 15 | 1 << 13 | 1 << 4).to_bytes(2, "big")
    assert tap.take(1, b"\x00\x3c\x00\x3c\x01t" + bytes(8) + b"\x00\x01x\x01k")
    assert tap.take(2, b"\x00\x3c\x00\x00" + (1).to_bytes(8, "big") + flags + short("ct") + table + short("user"))
    assert tap.take(3, b"x")
    assert [(m.headers, m.content_type, m.user_id, m.body) for m in arrived] == [({}, "ct", "user", b"x")]
