"""The console's pages, each with what the samples show on it."""

from __future__ import annotations

from collections.abc import Mapping

PAGES: Mapping[str, str] = {
    "fleet": "/",
    "endpoint": "/e/retail/chat",
    "why": "/e/retail/chat/why?check=banking/stays-on-topic",
    "revisions": "/e/retail/chat/revisions",
    "cost": "/e/retail/chat/cost",
    "transcripts": "/e/retail/chat/transcripts",
    "alerts": "/alerts",
    "policies": "/policies",
    "policy": "/policies/retail/banking",
    "audit": "/audit?ns=retail",
}
