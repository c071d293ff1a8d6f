"""Customers of an endpoint: they ask, one after the other or without end, and remember what they got."""

from __future__ import annotations

import http.client
import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

SYSTEM_PROMPT = (
    "You are the assistant of Northwind Bank. You only answer questions about banking. "
    "If a question is about anything else, say that you cannot help with it."
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a customer got: the status is 0 where the connection broke, `asked_at` is of the monotonic clock."""

    status: int
    text: str
    asked_at: float
    seconds: float


def ask(url: str, question: str, *, max_tokens: int = 24, timeout_s: float = 60.0) -> Answer:
    """Ask one question on a connection of its own."""
    messages = [{"role": "system", "content": SYSTEM_PROMPT}, {"role": "user", "content": question}]
    body = json.dumps({"model": "banking-bot", "messages": messages, "max_tokens": max_tokens}).encode()
    request = urllib.request.Request(
        f"{url}/v1/chat/completions", body, {"Content-Type": "application/json", "Connection": "close"}
    )
    started = time.monotonic()
    try:
        with urllib.request.urlopen(request, timeout=timeout_s) as response:
            status, text = response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            status, text = error.code, error.read().decode(errors="replace")
    except (OSError, http.client.HTTPException) as error:
        status, text = 0, f"{type(error).__name__}: {error}"
    return Answer(status, text, started, time.monotonic() - started)


def reached(url: str, page: str = "/health") -> bool:
    """Return whether the endpoint answers for a page; a Service needs a moment to follow its pods."""
    try:
        with urllib.request.urlopen(url + page, timeout=5) as response:
            return bool(response.status == 200)
    except OSError:
        return False


def ask_all(url: str, asked: Sequence[str], *, at_once: int = 4, **how: Any) -> list[Answer]:
    """Ask all of the questions, a few at a time."""
    with ThreadPoolExecutor(at_once) as pool:
        return list(pool.map(lambda question: ask(url, question, **how), asked))


@dataclass(slots=True)
class Crowd:
    """Customers who ask without end while the `with` block runs; `answers` is what they got so far."""

    url: str
    question: str = "How do I block my card?"
    at_once: int = 2
    pause_s: float = 0.05
    max_tokens: int = 4
    answers: list[Answer] = field(default_factory=list)
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
        """End when the questions under way are answered."""
        self._stop.set()
        for thread in self._threads:
            thread.join(60)

    @property
    def failed(self) -> list[Answer]:
        """The answers that were none."""
        return [answer for answer in list(self.answers) if answer.status != 200]

    def _ask(self) -> None:
        while not self._stop.is_set():
            self.answers.append(ask(self.url, self.question, max_tokens=self.max_tokens))
            self._stop.wait(self.pause_s)
