"""What a browser may do with our pages: nothing but what they are made for."""

from __future__ import annotations

import secrets

from aiohttp import web

from modelward.console.assets import sheet_source

NONCE = web.RequestKey("nonce", str)


def new_nonce() -> str:
    """Return a nonce for the scripts of one page."""
    return secrets.token_urlsafe(16)


def policy(nonce: str) -> str:
    """Return the content security policy of a page."""
    return (
        f"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'self' {sheet_source()}; img-src 'self';"
        " connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none';"
        " require-trusted-types-for 'script'; trusted-types htmx"
    )


def guard(response: web.StreamResponse, nonce: str, *, secure: bool) -> None:
    """Set the headers that every answer carries; what is not marked as kept is never stored."""
    headers = response.headers
    headers["Server"] = "modelward"
    headers["Content-Security-Policy"] = policy(nonce)
    headers["X-Content-Type-Options"] = "nosniff"
    headers["X-Frame-Options"] = "DENY"
    # With no-referrer browsers send `Origin: null` from forms, and the check of origins would refuse them.
    headers["Referrer-Policy"] = "same-origin"
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    headers["Cross-Origin-Resource-Policy"] = "same-origin"
    headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"
    headers.setdefault("Cache-Control", "no-store")
    if secure:
        headers["Strict-Transport-Security"] = "max-age=31536000"
