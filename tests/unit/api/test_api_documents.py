"""What passes between our own programs as JSON: values survive, newer fields are passed over, nonsense is named."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelward.api.collector_config import CaptureSettings, CollectorConfig, config_from_json, config_to_json
from modelward.api.evaluation import Counts, EvaluatorFacts, Example, WindowResult, result_from_json, result_to_json
from modelward.api.exchange import (
    Exchange,
    Message,
    Redaction,
    Timings,
    Usage,
    exchange_from_json,
    exchange_to_json,
)
from modelward.api.run_plan import Plan, PlanItem, plan_from_json, plan_to_json

EXCHANGE = Exchange(
    id="chatcmpl-1",
    time_ms=1_764_000_000_000,
    endpoint="retail/chat",
    model="smollm2",
    revision="6f7d9c",
    operation="chat",
    status=200,
    outcome="ok",
    content="Redacted",
    messages=(Message("system", "Answer about cards."), Message("user", "First?"), Message("user", "Second?")),
    response="No.",
    finish_reason="stop",
    usage=Usage(10, 2, None),
    timings=Timings(120.5, 40.0, 8.25),
    caller="shop",
    prompt_template="ab12",
    conversation="cd34",
    redactions=(Redaction("Email", 2, "prompt"), Redaction("Email", 1, "response", echoed=True)),
    inclusion=0.1,
    truncated=True,
)
RESULT = WindowResult(
    namespace="retail",
    endpoint="chat",
    policy="baseline",
    evaluation="topic",
    from_ms=1,
    to_ms=2,
    run="modelward-1",
    evaluator=EvaluatorFacts("OffTopicAnswered", "1", 940_000, 20_000),
    revisions={"6f7d9c": Counts(10, 2, 1, 0, 100.0, 1_000.0, 20.0)},
    examples={"6f7d9c": (Example("chatcmpl-1", "off-topic"),)},
)
PLAN = Plan(
    "modelward-1",
    "retail",
    "https://modelward-hub:8443",
    (PlanItem("chat", "baseline", "topic", "OffTopicAnswered", {"inScope": ["cards"]}, 1, 2),),
)


def through_text(value: dict[str, Any]) -> Any:
    return json.loads(json.dumps(value))


def test_an_exchange_survives_its_json() -> None:
    assert exchange_from_json(through_text(exchange_to_json(EXCHANGE))) == EXCHANGE


def test_an_exchange_knows_its_namespace_and_what_was_asked_last() -> None:
    assert EXCHANGE.namespace == "retail"
    assert EXCHANGE.question == "Second?"
    assert Exchange("1", 0, "a/b", "", "", "chat", 200, "ok", "MetadataOnly").question == ""


def test_an_older_reader_takes_a_newer_exchange() -> None:
    data = exchange_to_json(EXCHANGE) | {"invented": 1}
    data["usage"]["thinking_tokens"] = 7
    assert exchange_from_json(data) == EXCHANGE


def test_an_exchange_of_metadata_alone_is_read_with_defaults() -> None:
    required = ("id", "time_ms", "endpoint", "model", "operation", "status", "outcome", "content")
    full = exchange_to_json(EXCHANGE)
    read = exchange_from_json({name: full[name] for name in required})
    assert (read.messages, read.usage, read.inclusion) == ((), Usage(), 1.0)


@pytest.mark.parametrize(
    "change",
    [{"id": ...}, {"outcome": "fine"}, {"content": "All"}, {"time_ms": "noon"}, {"messages": [{"role": "user"}]},
     {"inclusion": 0.0}, {"inclusion": 1.5}, {"usage": 3}],
)  # fmt: skip
def test_what_is_no_exchange_is_refused(change: dict[str, Any]) -> None:
    data = {name: value for name, value in (exchange_to_json(EXCHANGE) | change).items() if value is not ...}
    with pytest.raises(ValueError, match=r"exchange|invalid literal"):
        exchange_from_json(data)


configs = st.builds(
    CollectorConfig,
    engine=st.sampled_from(["vllm", "generic"]),
    engine_metrics_url=st.none() | st.just("http://127.0.0.1:8080/metrics"),
    capture=st.builds(
        CaptureSettings,
        content=st.sampled_from(["None", "MetadataOnly", "Redacted", "Full"]),
        sample_ppm=st.integers(0, 1_000_000),
        always_errors=st.booleans(),
        always_slower_than_ms=st.none() | st.integers(0, 60_000),
        max_body_bytes=st.integers(0, 16 * 1024 * 1024),
    ),
    hub_url=st.none() | st.just("https://modelward-hub:8443"),
)


@given(configs)
def test_settings_survive_their_json_and_their_generation_names_their_content(config: CollectorConfig) -> None:
    written = config_to_json(config)
    read = config_from_json(through_text(written))
    assert read.generation == written["generation"]
    assert config_to_json(read) == written


def test_other_settings_have_another_generation() -> None:
    quiet, loud = CollectorConfig(), CollectorConfig(capture=CaptureSettings(sample_ppm=1))
    assert config_to_json(quiet)["generation"] != config_to_json(loud)["generation"]


def test_a_plan_survives_its_json() -> None:
    assert plan_from_json(through_text(plan_to_json(PLAN))) == PLAN


def test_a_plan_of_a_newer_release_is_read_without_what_it_added() -> None:
    written = plan_to_json(PLAN)
    later = [{**item, "later": 1} for item in written["items"]]
    assert plan_from_json({**written, "items": later, "later": 1}) == PLAN


def test_a_result_survives_its_json() -> None:
    assert result_from_json(through_text(result_to_json(RESULT))) == RESULT


def test_windows_of_one_revision_pool() -> None:
    one, other = Counts(10, 2, 1, 0, 100.0, 1_000.0, 20.0), Counts(5, 1, 0, 2, 5.0, 5.0, 1.0)
    assert one + other == Counts(15, 3, 1, 2, 105.0, 1_005.0, 21.0)


def test_what_is_no_plan_or_result_is_refused() -> None:
    with pytest.raises(ValueError, match="not a run plan: KeyError"):
        plan_from_json({})
    with pytest.raises(ValueError, match="not a run plan: TypeError"):
        plan_from_json(plan_to_json(PLAN) | {"items": [{"config": 0, "surprise": 1}]})
    with pytest.raises(ValueError, match="not a window result"):
        result_from_json({"namespace": "retail"})
    with pytest.raises(ValueError, match="not a window result: AttributeError"):
        result_from_json(result_to_json(RESULT) | {"revisions": []})
