"""The link in a page: whoever holds it was sent that page, and may acknowledge its alert without another credential,
once, while the alert waits for an answer (docs/adr/0026)."""

from __future__ import annotations

import hashlib
import hmac

from lianzhi.crypto import base64url


def page_token(secret: bytes, page_id: str) -> str:
    """HMAC-SHA256 over the page's number, base64url, 43 characters. Other words than those of the links that carried
    it in their query: those stand in the logs of proxies."""
    return base64url.encode(hmac.new(secret, f"page-link:{page_id}".encode(), hashlib.sha256).digest())


def page_link(secret: bytes, page_id: str) -> str:
    """Path of the call that acknowledges it, to be POSTed."""
    return f"/v1/pages/{page_id}/acknowledge/{page_token(secret, page_id)}"
