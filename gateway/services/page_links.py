"""The link in a page: whoever holds it was sent that page, and may answer it without another credential."""

from __future__ import annotations

import hashlib
import hmac

from gateway.crypto import base64url


def page_token(secret: bytes, page_id: str) -> str:
    """HMAC-SHA256 over the page's number, base64url, 43 characters."""
    return base64url.encode(hmac.new(secret, f"page-acknowledge:{page_id}".encode(), hashlib.sha256).digest())


def page_link(secret: bytes, page_id: str) -> str:
    """Path and query of the call that acknowledges it, to be POSTed."""
    return f"/v1/pages/{page_id}/acknowledge?token={page_token(secret, page_id)}"
