"""Streamed and whole answers, byte for byte as a client gets them, and clients that stream while things change."""

from __future__ import annotations

import http.client
import json
import re
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

_OF_ONE_ANSWER = re.compile(rb'"id": "scripted-\d+"|"created": \d+')


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back; the status is 0 where the connection broke, and `body` then says how."""

    status: int
    kind: str
    body: bytes

    @property
    def comparable(self) -> tuple[int, str, bytes]:
        """All of it but for what differs between any two answers: id and time."""
        return self.status, self.kind, _OF_ONE_ANSWER.sub(b"", self.body)

    @property
    def whole(self) -> bool:
        """Whether a stream came to its proper end."""
        return self.status == 200 and self.body.endswith(b"data: [DONE]\n\n")


def chat(url: str, *, stream: bool, path: str = "/v1/chat/completions", max_tokens: int = 12) -> Reply:
    """Ask one question on a connection of its own and read the answer to its end."""
    asked = {"model": "banking-bot", "messages": [{"role": "user", "content": "How do I block my card?"}]}
    usage = {"stream_options": {"include_usage": True}} if stream else {}
    body = json.dumps({**asked, "max_tokens": max_tokens, "stream": stream, **usage})
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
    try:
        connection.request("POST", path, body, {"Content-Type": "application/json", "Connection": "close"})
        response = connection.getresponse()
        return Reply(response.status, response.getheader("Content-Type", ""), response.read())
    except (OSError, http.client.HTTPException) as error:
        return Reply(0, "", f"{type(error).__name__}: {error}".encode())
    finally:
        connection.close()


def streams(url: str, count: int, *, at_once: int = 4, max_tokens: int = 12) -> list[Reply]:
    """Stream so many answers, a few at a time."""
    with ThreadPoolExecutor(at_once) as pool:
        return list(pool.map(lambda _: chat(url, stream=True, max_tokens=max_tokens), range(count)))


def broken(replies: Sequence[Reply]) -> list[tuple[int, bytes]]:
    """Return what went wrong, in a form that a failed assertion can show."""
    return [(reply.status, reply.body[-200:]) for reply in replies if not reply.whole]


@dataclass(slots=True)
class Streaming:
    """Clients that stream one answer after the other while the `with` block runs."""

    url: str
    at_once: int = 8
    max_tokens: int = 30
    replies: list[Reply] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def __enter__(self) -> Self:
        """Begin to ask."""
        self._threads = [threading.Thread(target=self._ask, daemon=True) for _ in range(self.at_once)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End when the streams under way have ended."""
        self._stop.set()
        for thread in self._threads:
            thread.join(60)

    def _ask(self) -> None:
        while not self._stop.is_set():
            self.replies.append(chat(self.url, stream=True, max_tokens=self.max_tokens))
