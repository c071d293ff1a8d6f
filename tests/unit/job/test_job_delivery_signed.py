"""A webhook of alerts knows by its signature that a body is ours, by the very code that the documentation shows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest
from receiver_cases import FIRING, SIGNING_KEY, receiver, services

from modelward.alerts.receiver import Addressee, Told, Undelivered
from modelward.alerts.receivers.registry import secrets

DOCS = Path(__file__).resolve().parents[3] / "docs" / "alerts.md"
SIGNING = {"signingKeyFrom": {"secretRef": {"name": "modelward-alerts", "key": "signing-key"}}}
Check = Callable[[str, bytes, str, float], bool]


@pytest.fixture
def documented() -> Check:
    """The function that docs/alerts.md shows to receivers."""
    code = DOCS.read_text(encoding="utf-8").partition("```python\n")[2].partition("```")[0]
    found: dict[str, Any] = {}
    exec(compile(code, str(DOCS), "exec"), found)  # noqa: S102 - it is the documentation under test
    return cast("Check", found["from_modelward"])


@pytest.mark.parametrize("name", ["cloudevents", "webhook", "alertmanager-webhook"])
async def test_a_signed_webhook_is_known_by_the_documented_check(tmp_path: Path, documented: Check, name: str) -> None:
    async with services(tmp_path) as here:
        assert isinstance(await here.town.courier().deliver(FIRING, Addressee(receiver(name, **SIGNING))), Told)
        hook = here.by_name[name]
        (body,), header = hook.raw, hook.headers[0]["Modelward-Signature"]
    at = float(header.partition("t=")[2].partition(",")[0])
    assert documented(header, body, SIGNING_KEY, at + 299)
    assert not documented(header, body, SIGNING_KEY, at + 301)
    assert not documented(header, body, SIGNING_KEY, at - 301)
    assert not documented(header, body + b" ", SIGNING_KEY, at)
    assert not documented(header, body, "another key", at)
    assert not documented("", body, SIGNING_KEY, at)
    assert not documented(header.replace("v1=", "v1=\u00fc"), body, SIGNING_KEY, at)


async def test_a_webhook_without_a_key_has_no_signature(tmp_path: Path) -> None:
    async with services(tmp_path) as here:
        await here.town.courier().deliver(FIRING, Addressee(receiver("webhook")))
        assert "Modelward-Signature" not in here.by_name["webhook"].headers[0]


async def test_a_key_that_is_not_there_is_named_and_nothing_is_sent_unsigned(tmp_path: Path) -> None:
    missing = {"signingKeyFrom": {"secretRef": {"name": "modelward-alerts", "key": "gone"}}}
    async with services(tmp_path) as here:
        answer = await here.town.courier().deliver(FIRING, Addressee(receiver("webhook", **missing)))
        assert answer == Undelivered("SecretNotFound (key gone of Secret modelward-alerts)", permanent=True)
        assert here.by_name["webhook"].raw == []


def test_the_signing_key_is_among_the_secrets_that_are_mounted() -> None:
    assert "signing-key" in {one.key for one in secrets(receiver("webhook", **SIGNING))}
