"""What an adapter is: the one place where a canonical message is translated into a partner's dialect and back.

An adapter belongs to a dialect (`police/1`), knows no store and no broker, and sends its partner only what
that partner may see (docs/architecture.md 4 rule 5). Whoever writes one fills in `_encode` and `_decode`; the
public methods turn every foreign exception into `AdapterError`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Canonical:
    """A canonical message without the members that travel in clear in `data.head`.

    type: matter type; verb: `open`, `receipt`, …; data: JSON values (`open`: an `Opening`).
    """

    type: str
    verb: str
    data: Mapping[str, Any]


class AdapterError(Exception):
    """A message that cannot be said in, or understood from, a dialect.

    pointer: JSON pointer (RFC 6901), when decoding into the dialect body, when encoding into the canonical
    data. rule: `unknown-member`, `unknown-code`, `bad-date`, … ; zh, en: what to do about it.
    """

    def __init__(self, pointer: str, rule: str, zh: str, en: str) -> None:
        self.pointer = pointer
        self.rule = rule
        self.zh = zh
        self.en = en
        super().__init__(f"{rule} at {pointer or '/'}: {en}")

    def below(self, prefix: str) -> AdapterError:
        """The same fault seen from further up: `prefix` is the pointer of the part that it was found in."""
        return AdapterError(prefix + self.pointer, self.rule, self.zh, self.en)


class Adapter(ABC):
    """One dialect. For every message `m` that the partner may get or send, `decode(encode(m)) == visible(m)`."""

    dialect: str

    async def encode(self, m: Canonical) -> dict[str, Any]:
        """The body in the partner's words, and nothing that it may not see. Raises AdapterError."""
        try:
            return await self._encode(m)
        except AdapterError:
            raise
        except Exception as error:
            raise _foreign(self.dialect, error) from error

    async def decode(self, type: str, verb: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """The canonical data, not yet validated: a missing member is the canonical validation's business.

        Raises AdapterError with a pointer into `body`.
        """
        try:
            return await self._decode(type, verb, body)
        except AdapterError:
            raise
        except Exception as error:
            raise _foreign(self.dialect, error) from error

    def visible(self, m: Canonical) -> dict[str, Any]:
        """What of `m` the partner sees, canonically."""
        return dict(m.data)

    def pointer(self, type: str, verb: str, canonical_pointer: str) -> str:
        """Where a canonical member stands in the dialect body, so that a partner is told its own field name."""
        return canonical_pointer

    def missing(self, type: str, verb: str) -> Sequence[str]:
        """The canonical members that it neither says nor hides, for an installation to be refused at its start; of an
        adapter that is code: none that it knows of."""
        return ()

    def schema(self, type: str, verb: str, definitions: MutableMapping[str, Any]) -> dict[str, Any] | None:
        """JSON Schema (2020-12) of the body and the codes in clear together, for the partner's contract; None: not
        described. definitions: gains what it refers to (`#/definitions/…`)."""
        return None

    def example(self, m: Canonical) -> dict[str, Any] | None:
        """The body of `m`, to be shown in a contract; None: this adapter cannot tell at once."""
        return None

    def delivered(self, type: str) -> dict[str, str] | None:
        """The body of `delivered`, as templates that the library fills in; None: they do not suffice."""
        return None

    @abstractmethod
    async def _encode(self, m: Canonical) -> dict[str, Any]: ...

    @abstractmethod
    async def _decode(self, type: str, verb: str, body: Mapping[str, Any]) -> dict[str, Any]: ...


def _foreign(dialect: str, error: Exception) -> AdapterError:
    name = type(error).__name__
    return AdapterError(
        "", "adapter-failed", f"{dialect} 适配器无法处理该报文（{name}）", f"The {dialect} adapter failed ({name})"
    )
