"""The library that a partner agency installs: it takes and verifies messages and answers each once (docs/contracts.md
3.1, 3.2).

from lianzhi.partner import Partner, PartnerConfig

async with Partner(PartnerConfig.load("partner.toml")) as partner:
    async for request in partner.inbox:
        async with request.transaction() as tx:
            tx.execute("INSERT INTO work (request_no) VALUES (?)", (request.request_no,))
            tx.reply("receipt", {"QSSJ": "20260324103152", "QSRXM": "赵演示"})

`partner` is the running agency, `request` a message with its transaction, `inbox` what waits for the application,
`config` and `bounds` what is set, `doctor` what is wrong. Behind them: `desk` holds the parts together, `engine/` is
what happens to a message, `ledger/` where it is kept.
"""

from lianzhi.partner.config import PartnerConfig
from lianzhi.partner.inbox import Inbox
from lianzhi.partner.ledger.records import Notice
from lianzhi.partner.partner import Partner
from lianzhi.partner.request import Request, Transaction

__all__ = ["Inbox", "Notice", "Partner", "PartnerConfig", "Request", "Transaction"]
