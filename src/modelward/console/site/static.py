"""Style sheets and scripts, kept by browsers for good: their address changes with their bytes."""

from __future__ import annotations

from aiohttp import web

from modelward.console.site.desk import desk_of


async def static(request: web.Request) -> web.Response:
    """Answer a file."""
    found = desk_of(request).assets.files.get(request.path)
    if found is None:
        raise web.HTTPNotFound
    headers = {"Cache-Control": "public, max-age=31536000, immutable", "Vary": "Accept-Encoding"}
    if "gzip" in request.headers.get("Accept-Encoding", ""):
        headers["Content-Encoding"] = "gzip"
        return web.Response(body=found.packed, content_type=found.content_type, headers=headers)
    return web.Response(body=found.body, content_type=found.content_type, headers=headers)


async def healthz(_: web.Request) -> web.Response:
    """Answer that the process runs; the hub has probes of its own."""
    return web.Response(text="ok\n")
