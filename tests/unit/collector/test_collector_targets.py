"""The servers behind a gateway: found by name, kept when the name server is silent."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest

from modelward.collector.targets import Targets

NAME = "http://chat-pods.retail.svc:8080"


class Answers:
    """An event loop's name look-up with scripted answers; the only thing here that is not the real one."""

    def __init__(self, *answers: list[str] | OSError) -> None:
        self._answers = list(answers)

    async def getaddrinfo(self, host: str, port: int, **_: Any) -> list[Any]:
        """Give the next answer."""
        assert host == "chat-pods.retail.svc"
        answer = self._answers.pop(0)
        if isinstance(answer, OSError):
            raise answer
        family = socket.AF_INET
        return [(family, socket.SOCK_STREAM, 6, "", (ip, port)) for ip in answer]


async def resolved(targets: Targets, *answers: list[str] | OSError) -> None:
    loop: Any = Answers(*answers)
    for _ in answers:
        await targets.resolve(loop)


async def chosen(targets: Targets) -> set[str]:
    tried: set[str] = set()
    while (target := targets.choose(0.0, frozenset(tried))) is not None:
        tried.add(target.url)
    return tried


async def test_every_address_of_the_name_is_a_server() -> None:
    targets = Targets((), name=NAME)
    await resolved(targets, ["10.0.0.2", "10.0.0.1"])
    assert await chosen(targets) == {"http://10.0.0.1:8080", "http://10.0.0.2:8080"}


async def test_a_pod_that_left_gets_no_new_request_and_one_that_stays_keeps_its_connections() -> None:
    targets = Targets((), name=NAME)
    await resolved(targets, ["10.0.0.1", "10.0.0.2"])
    kept = next(t for t in (targets.choose(0.0), targets.choose(0.0)) if t and t.url == "http://10.0.0.1:8080")
    await resolved(targets, ["10.0.0.1"])
    assert targets.choose(0.0) is kept
    assert await chosen(targets) == {"http://10.0.0.1:8080"}


@pytest.mark.parametrize("silence", [OSError("again"), socket.gaierror(-2, "unknown")])
async def test_a_silent_name_server_changes_nothing(silence: OSError) -> None:
    targets = Targets((), name=NAME)
    await resolved(targets, ["10.0.0.1"], silence)
    assert await chosen(targets) == {"http://10.0.0.1:8080"}
    assert targets.errors == 0


async def test_a_name_that_was_never_known_is_counted() -> None:
    targets = Targets((), name=NAME)
    await resolved(targets, OSError("again"))
    assert await chosen(targets) == set()
    assert targets.errors == 1


async def test_localhost_is_looked_up_for_real() -> None:
    targets = Targets((), name="http://localhost:8080")
    await targets.resolve(asyncio.get_running_loop())
    assert "http://127.0.0.1:8080" in await chosen(targets)
