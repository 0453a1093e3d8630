"""Signing, sealing and every rule of trust. Pure: no I/O, the time comes in as an argument.

Read top-down: `protocol.policy` (what is believed, and why) → `sdjwt` (the signed form) → `jws`, `seal` (RFC 7515,
RFC 7516) → `keyring`, `keys` (which key, which algorithm) → `strictjson`, `base64url`, `limits`. Where a key comes in
or goes out: `jwk`, `points`; what an approver agrees to: `jcs`.
"""
