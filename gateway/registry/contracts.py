"""The contract file of a registered participant, signed with the home court's key."""

from __future__ import annotations

from datetime import datetime

from gateway.core.contracts import contract_for
from gateway.core.routing import Directory
from lianzhi.crypto.keyring import Keyring
from lianzhi.errors import ConfigurationError
from lianzhi.protocol.contract import sign_contract
from schemas.catalogue import catalogue


def contract_of(directory: Directory, keyring: Keyring, code: str, now: datetime) -> bytes:
    """Raises ConfigurationError: nobody of that code is registered; MisuseError: the home court has no key in force."""
    participant = directory.get(code)
    if participant is None:
        known = ", ".join(sorted(p.code for p in directory))
        raise ConfigurationError(f"没有登记 {code}，已登记：{known}。 Not registered; there are: {known}.")
    home = directory.home.code
    document = contract_for(participant, home, catalogue(), now)
    return sign_contract(document, keyring.signing_key(home, at=now))
