"""The library that a partner agency installs: take, verify, answer, once only (docs/design.md 3.1, 3.2).

from gateway.partner import Partner, PartnerConfig

async with Partner(PartnerConfig.load("partner.toml")) as partner:
    async for request in partner.inbox:
        async with request.transaction() as tx:
            tx.execute("INSERT INTO work (request_no) VALUES (?)", (request.request_no,))
            tx.reply("receipt", {"QSSJ": "20260324103152", "QSRXM": "赵演示"})
"""

from gateway.partner.config import PartnerConfig
from gateway.partner.inbox import Inbox
from gateway.partner.partner import Partner
from gateway.partner.records import Notice
from gateway.partner.request import Request, Transaction

__all__ = ["Inbox", "Notice", "Partner", "PartnerConfig", "Request", "Transaction"]
