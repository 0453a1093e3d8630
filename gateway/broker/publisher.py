"""The gateway's publisher: `application.ports.broker.Publisher` on `lianzhi.out`."""

from __future__ import annotations

from gateway.broker.topology import GATEWAY_USER, OUT
from lianzhi.amqp.link import Link
from lianzhi.amqp.publisher import ConfirmedPublisher


class GatewayPublisher(ConfirmedPublisher):
    """Publishes to participants. user: the broker user of the link."""

    def __init__(self, link: Link, user: str = GATEWAY_USER) -> None:
        super().__init__(link, OUT, user_id=user)
