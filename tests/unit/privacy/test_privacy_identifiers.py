"""Ids of engines pass, and what a client or a person put into one does not."""

from __future__ import annotations

import string
import uuid
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelward.privacy.identifiers import (
    MAX_ID_CHARACTERS,
    conversation_names,
    exchange_id,
    exchange_names,
    hashed,
    is_conversation_key,
    passing_id,
)

KEY, OTHER = b"k" * 32, b"o" * 32
DRAWN = Random(1)
BASE62 = string.ascii_letters + string.digits


def base62(size: int) -> str:
    return "".join(DRAWN.choice(BASE62) for _ in range(size))


def hexadecimal(size: int) -> str:
    return f"{DRAWN.getrandbits(4 * size):0{size}x}"


@pytest.mark.parametrize(
    "made",
    [
        lambda: f"chatcmpl-{hexadecimal(32)}",
        lambda: f"chatcmpl-{hexadecimal(16)}",
        lambda: f"cmpl-{hexadecimal(32)}-0",
        lambda: hexadecimal(32),
        lambda: f"chatcmpl-{base62(29)}",
        lambda: f"chatcmpl-{base62(32)}",
        lambda: f"chatcmpl-{uuid.UUID(int=DRAWN.getrandbits(128), version=4)}",
        lambda: f"msg_01{base62(22)}",
        lambda: f"msg_bdrk_01{base62(22)}",
        lambda: f"resp_{hexadecimal(48)}",
        lambda: str(uuid.UUID(int=DRAWN.getrandbits(128), version=4)),
    ],
    ids=["vLLM", "vLLM short", "vLLM completion", "SGLang", "OpenAI", "llama.cpp", "Groq", "Anthropic", "Bedrock",
         "Responses", "UUID"],
)  # fmt: skip
def test_nearly_every_id_of_an_engine_passes_as_it_is(made: object) -> None:
    assert callable(made)
    assert sum(passing_id(made()) for _ in range(500)) >= 450


@pytest.mark.parametrize(
    "name",
    ["chatcmpl-jane.doe@example.com", "chatcmpl-JaneDoeOrdersFromBerlinMitte", "chatcmpl-4111111111111111", "42",
     "chatcmpl-0049301234567890", "cmpl-123-45-6789", "patient-4711-tuesday", "", "msg_aaaaaaaaaaaaaaaaaaaaaaaa",
     "x" * 10_000, "chatcmpl-b8f7c9a0d1e24f3a9b5c6d7e8f901a2b\n", "deadbeefdeadbeef"],
)  # fmt: skip
def test_what_no_engine_draws_becomes_a_keyed_hash(name: str) -> None:
    assert not passing_id(name)
    kept = exchange_id(name, KEY)
    assert kept.startswith("mwh-")
    assert len(kept) == 36
    assert kept != exchange_id(name, OTHER)
    assert exchange_id(kept, OTHER) == kept, "the hub leaves what a collector hashed"
    assert kept in exchange_names(name, [OTHER, KEY])


def test_an_id_that_holds_what_the_client_sent_does_not_pass() -> None:
    request = "b8f7c9a0d1e24f3a9b5c6d7e8f901a2b"
    assert passing_id(f"chatcmpl-{request}", ["another-request"])
    assert not passing_id(f"chatcmpl-{request}", [request])
    assert not passing_id(f"chatcmpl-{request}", [request.upper()])
    assert not passing_id(f"chatcmpl-{request}", [f"chatcmpl-{request}-longer"])


@given(st.text(max_size=300), st.binary(min_size=1, max_size=64))
def test_ids_are_bounded_stable_and_found_by_their_original_whatever_they_were(name: str, key: bytes) -> None:
    kept = exchange_id(name, key)
    assert len(kept) <= MAX_ID_CHARACTERS
    assert exchange_id(kept, b"another") == kept
    assert kept in exchange_names(name, [key])
    talk = hashed(name, key, "conversation")
    assert is_conversation_key(talk)
    assert talk in conversation_names(name, [key])
    assert talk != hashed(name, key, "exchange"), "an id and a conversation of one name are not joined"
