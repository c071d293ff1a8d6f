"""What leaves the pod beside the text holds no personal data either."""

from __future__ import annotations

import pytest

from modelward.privacy.short_fields import known_reason, known_role, plain_model_name


@pytest.mark.parametrize(
    "name",
    [
        "",
        "gpt-4o-2024-08-06",
        "claude-3-5-sonnet-20241022",
        "meta-llama/Llama-3.1-8B-Instruct",
        "qwen2.5:7b-q4_K_M",
        "ft:gpt-4o-mini-2024-07-18:my-org:custom:A1b2C3d4",
        "/models/mistral-7b-instruct-v0.3.Q4_K_M.gguf",
        "accounts/fireworks/models/llama-v3p1-405b-instruct",
        "@cf/meta/llama-3-8b",
        "m",
    ],
)
def test_models_keep_their_names(name: str) -> None:
    assert plain_model_name(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "m john.doe@example.com",
        "john.doe@example.com",
        "m-536-90-4399 x",
        "sk-proj-AbCdEf0123456789AbCdEf0123456789",
        "x" * 129,
        "tell me a story about Ann",
    ],
)
def test_a_model_name_that_holds_personal_data_is_other(name: str) -> None:
    assert plain_model_name(name) == "other"


def test_roles_and_reasons_are_words_that_an_api_has() -> None:
    assert [known_role(role) for role in ("user", "tool", "", "user ann@example.org")] == ["user", "tool", "", "other"]
    reasons = ("stop", "MAX_TOKENS", "", "ann@example.org")
    assert [known_reason(reason) for reason in reasons] == ["stop", "MAX_TOKENS", "", "other"]
