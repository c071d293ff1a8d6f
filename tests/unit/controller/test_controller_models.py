"""An object is read once for each version that the store shows, and logged once where it cannot be read."""

from typing import Any

import pytest
from pydantic import ValidationError

from modelward.api.llmendpoint import LLMEndpoint
from modelward.controller.models import parsed, read


def endpoint(name: str, **backend: Any) -> dict[str, Any]:
    kind = {"apiVersion": "modelward.dev/v1alpha1", "kind": "LLMEndpoint"}
    about = {"name": name, "namespace": "models", "uid": "u", "resourceVersion": "1"}
    return {**kind, "metadata": about, "spec": {"backend": backend or {"external": {"url": "https://api.example.com"}}}}


def test_models_the_same_object_is_read_once_and_another_of_its_name_anew() -> None:
    one, other = endpoint("chat"), endpoint("chat", external={"url": "https://other.example.com"})
    assert read(LLMEndpoint, one) is read(LLMEndpoint, one)
    assert read(LLMEndpoint, other).spec != read(LLMEndpoint, one).spec


def test_models_what_cannot_be_read_is_left_out_and_said_once(caplog: pytest.LogCaptureFixture) -> None:
    odd, fine = endpoint("odd", external={"url": 7}), endpoint("fine")
    for _ in range(3):
        assert [model.metadata.name for model in parsed(LLMEndpoint, [odd, fine])] == ["fine"]
    assert [record.getMessage().split()[0] for record in caplog.records] == ["unreadable=LLMEndpoint"]
    with pytest.raises(ValidationError):
        read(LLMEndpoint, odd)
