"""Signing, sealing and every rule of trust. Pure: no I/O, the time comes in as an argument.

Read top-down: `policy` (what is believed, and why) → `sdjwt` (the signed form) → `jws`, `seal` (RFC 7515,
RFC 7516) → `keyring`, `keys` → `algorithms`, `strictjson`, `base64url`, `limits`.
"""
