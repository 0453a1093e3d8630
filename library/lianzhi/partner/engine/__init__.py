"""What happens to a message of a request, in and out.

In: `reception` verifies and opens it, `conversation` decides what it does, `intake` stores it. Out: `replies` writes
and signs it, `outbox` publishes. When messages are missing: `notices`, `asking`, `recovery`. What waits
in the ledger: `stored`.
"""
