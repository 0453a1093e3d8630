"""The ledger: what arrived and what we said, in one SQLite file.

`file` opens it and runs the jobs, many in one commit, each in a `unit`; `records` says what it holds, `guard` what an
application may do in it, `lock` who may open it, `quotas` how much it keeps. Knows nothing of AMQP, keys or verbs.
"""

from lianzhi.partner.ledger.file import Ledger, connect

__all__ = ["Ledger", "connect"]
