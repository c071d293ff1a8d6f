"""Who asks: what may be found out, and by which way, depends on whether it is the operator itself."""

from __future__ import annotations

import jwt

from modelward.kube.client import Client


async def identity(client: Client) -> str:
    """Return whom the client's token names; empty for other credentials."""
    return subject(await client.access.authorization())


def subject(authorization: str | None) -> str:
    """Return whom a ServiceAccount's token names, however `Bearer` is spelt. The API server checks it, not we."""
    token = (authorization or "").rpartition(" ")[2]
    try:
        return str(jwt.decode(token, options={"verify_signature": False}).get("sub", ""))
    except jwt.PyJWTError:
        return ""


def operator_account(namespace: str) -> str:
    """Return the name that the operator of an installation goes by."""
    return f"system:serviceaccount:{namespace}:modelward"
