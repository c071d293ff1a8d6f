"""Where requests go: the model servers behind this collector, and the idle connections to each."""

from __future__ import annotations

import asyncio
import itertools
import json
import socket
import ssl
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:  # the supervisor, which must stay small, reads URLs with this module
    from modelward.collector.ends import ServerEnd

MAX_IDLE = 512
LOOK_UP_S = 2.0
_AVOID_SECONDS = 2.0
"""How long a server that refused a connection is tried last."""


class Target:
    """One model server. `rewrite` is (Host, path prefix) for an API that is not our own, else None: bytes verbatim."""

    __slots__ = ("_idle", "avoid_until", "host", "in_flight", "port", "retired", "rewrite", "tls", "url")

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"upstream {url!r} is not an http:// or https:// URL")
        self.url = url
        self.host = parts.hostname
        self.port = parts.port or (443 if parts.scheme == "https" else 80)
        self.tls = ssl.create_default_context() if parts.scheme == "https" else None
        prefix = parts.path.rstrip("/").encode()
        host = parts.netloc.rpartition("@")[2].encode()
        self.rewrite = (host, prefix) if self.tls or prefix else None
        self.in_flight = 0
        self.avoid_until = 0.0
        self.retired = False
        self._idle: list[ServerEnd] = []

    def take_idle(self, since: float = 0.0) -> ServerEnd | None:
        """Return the connection that was used last, which is the least likely to be stale, if it idles since then."""
        idle = self._idle
        while idle and idle[-1].idle_since >= since:
            connection = idle.pop()
            if connection.usable:
                return connection
        return None

    def give_back(self, connection: ServerEnd) -> None:
        """Keep a connection for the next request, or close it if there are enough."""
        if self.retired or len(self._idle) >= MAX_IDLE:
            connection.close()
        else:
            self._idle.append(connection)

    def forget(self, connection: ServerEnd) -> bool:
        """Drop an idle connection that the server closed; False where it was not kept any more."""
        if connection not in self._idle:
            return False
        self._idle.remove(connection)
        return True

    def retire(self) -> None:
        """Take no more requests; those in flight end as they are."""
        self.retired = True
        while self._idle:
            self._idle.pop().close()


class Targets:
    """The model servers to choose from: a fixed list, a mounted file `{"upstreams": [URL...]}` that may change, or a
    name with an address for each of them (a headless Service), so that pods come and go without notice."""

    def __init__(self, urls: Iterable[str], file: str = "", name: str = "") -> None:
        self._by_url = {url: Target(url) for url in urls}
        self._file = Path(file) if file else None
        self._name = Target(name) if name else None
        self._text = b""
        self._turn = itertools.count()
        self.errors = 0

    def __len__(self) -> int:
        return len(self._by_url)

    @property
    def rewriting(self) -> bool:
        """Whether any of them is an API of others, with a Host and a path of its own."""
        return any(target.rewrite is not None for target in self._by_url.values())

    def is_only_pod(self, target: Target) -> bool:
        """Return whether all requests go to this one server of our own, as they do from a sidecar."""
        fixed = self._file is None and self._name is None
        return fixed and target.rewrite is None and list(self._by_url.values()) == [target]

    def choose(self, now: float, tried: frozenset[str] = frozenset()) -> Target | None:
        """Return the server with the least in flight; one that just refused comes last, one in `tried` never."""
        if len(self._by_url) == 1 and not tried:
            return next(iter(self._by_url.values()))
        open_targets = [t for t in self._by_url.values() if t.url not in tried]
        if len(open_targets) < 2:
            return open_targets[0] if open_targets else None
        turn = next(self._turn) % len(open_targets)
        rotated = open_targets[turn:] + open_targets[:turn]
        return min(rotated, key=lambda t: (t.avoid_until > now, t.in_flight))

    def refused(self, target: Target, now: float) -> None:
        """Remember that a server did not accept a connection."""
        target.avoid_until = now + _AVOID_SECONDS

    def reload(self) -> None:
        """Read the file again if it changed; a broken or absent file changes nothing."""
        if self._file is None:
            return
        try:
            text = self._file.read_bytes()
            if text == self._text:
                return
            self._text = text
            self._replace({url: self._by_url.get(url) or Target(url) for url in _urls_in(text)})
        except FileNotFoundError:
            return
        except (OSError, ValueError):
            self.errors += 1

    async def resolve(self, loop: asyncio.AbstractEventLoop) -> None:
        """Look the name up again; a name server that does not answer, or knows no address, changes nothing."""
        if self._name is None:
            return
        name = self._name
        try:
            found = await asyncio.wait_for(loop.getaddrinfo(name.host, name.port, type=socket.SOCK_STREAM), LOOK_UP_S)
        except (OSError, TimeoutError):
            self.errors += not self._by_url
            return
        hosts = sorted({str(address[0]) for *_, address in found})
        urls = [f"http://[{host}]:{name.port}" if ":" in host else f"http://{host}:{name.port}" for host in hosts]
        if urls and urls != list(self._by_url):
            self._replace({url: self._by_url.get(url) or Target(url) for url in urls})

    def _replace(self, by_url: dict[str, Target]) -> None:
        gone = [target for url, target in self._by_url.items() if url not in by_url]
        self._by_url = by_url
        for target in gone:
            target.retire()


def _urls_in(text: bytes) -> list[str]:
    data = json.loads(text)
    urls = data.get("upstreams") if isinstance(data, dict) else None
    if not isinstance(urls, list) or not all(isinstance(url, str) for url in urls):
        raise ValueError('not an upstream file: expected {"upstreams": ["http://...", ...]}')
    return urls


def first_url(urls: tuple[str, ...], file: str, name: str = "") -> str:
    """Return the first model server's URL, "" if there is none; for the supervisor, which has only bytes to move."""
    if urls or name:
        return urls[0] if urls else name
    try:
        return next(iter(_urls_in(Path(file).read_bytes())), "")
    except (OSError, ValueError):
        return ""
