"""A partner is down: the list, doctor, partners, metrics, the incident, the digest and the report each say so; when it
is back, all of them say that it is over."""

from __future__ import annotations
