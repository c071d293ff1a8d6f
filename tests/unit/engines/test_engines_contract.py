"""What every engine must be, and that a new one is a file: recognised by its page, scraped, probed, offered."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from http_server import served

from modelward.api.llmendpoint import LLMEndpoint, LLMEndpointSpec
from modelward.collector.command import parser
from modelward.collector.engine import EngineScrape
from modelward.collector.options import Options
from modelward.desired.capture import effective_capture
from modelward.desired.collector_config import config_map
from modelward.desired.installation import Installation
from modelward.desired.model_template import pod_template
from modelward.engines.engine import SILENT, Dialect, Engine
from modelward.engines.registry import ENGINES, GENERIC, engine_named
from modelward.metrics.dialects import dialect, neutral, speakers
from modelward.metrics.engine_page import snapshot_from_engine
from modelward.metrics.exposition import parse
from modelward.metrics.signals import Signal

ROOT = Path(__file__).parents[3]
INSTALLED = Installation(collector_image="collector:1", evaluator_image="modelward:1", version="1")
TOY = Engine(
    name="toy",
    title="Toy",
    metrics_path="/stats/metrics",
    health_path="/alive",
    dialect=Dialect(
        waiting=("toy_waiting",),
        running=("toy_running",),
        kv_cache_usage=("toy_cache",),
        requests=("toy_requests_total",),
        prompt_tokens=("toy_prompt_tokens_total",),
        generation_tokens=("toy_tokens_total",),
        failures=("toy_failures_total",),
        outcome_label="why",
    ),
)
CAPTURE = effective_capture([], allow_raw=False)
NAMES = list(ENGINES)
EVERY = [*ENGINES.values(), TOY]
SPEAKING = [engine for engine in EVERY if engine.dialect != SILENT]
NEUTRAL = ("waiting", "running", "kv_cache_usage", "requests", "prompt_tokens", "generation_tokens")


@pytest.fixture(autouse=True)
def a_toy_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ENGINES, TOY.name, TOY)


def page_of(names: Dialect) -> bytes:
    """Build what an engine with these names exports, one series for each neutral signal."""
    known = dict.fromkeys(getattr(names, signal)[0] for signal in NEUTRAL if getattr(names, signal))
    return "".join(f"{name} 0.5\n" for name in known).encode()


def run_here(engine: Engine) -> LLMEndpoint:
    """Build an endpoint of this engine, also of the toy, which is in no enum."""
    backend = {"template": {"image": "server:1", "port": 8000}}
    made = LLMEndpoint.model_validate({"metadata": {"name": "chat"}, "spec": {"backend": backend}})
    return made.model_copy(update={"spec": made.spec.model_copy(update={"engine": engine.name})})


@contextmanager
def serving(path: str, page: bytes) -> Iterator[str]:
    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = page if self.path == path else b""
            self.send_response(200 if found else 404)
            self.send_header("content-length", str(len(found)))
            self.end_headers()
            self.wfile.write(found)

        def log_message(self, *_: object) -> None:
            pass

    with served(Answer) as url:
        yield url


@pytest.mark.parametrize("engine", EVERY, ids=lambda engine: engine.name)
class TestEveryEngine:
    def test_is_found_by_its_name_and_says_what_people_call_it(self, engine: Engine) -> None:
        assert engine_named(engine.name) is engine
        assert engine.title

    def test_has_paths_that_are_paths(self, engine: Engine) -> None:
        for path in (engine.metrics_path, engine.health_path):
            assert path is None or path.startswith("/")
        assert engine.metrics_path is not None or engine.dialect == SILENT

    def test_is_asked_for_its_metrics_where_it_has_some(self, engine: Engine) -> None:
        made = config_map(run_here(engine), CAPTURE, INSTALLED, engine_port=8000)
        url = json.loads(made["data"]["collector.json"])["engine"]["metricsUrl"]
        assert url == (f"http://127.0.0.1:8000{engine.metrics_path}" if engine.metrics_path else None)

    def test_is_ready_when_its_health_page_or_else_its_port_says_so(self, engine: Engine) -> None:
        subject = run_here(engine)
        assert subject.spec.backend.template is not None
        pod = pod_template(subject, subject.spec.backend.template, INSTALLED)
        probe = pod["spec"]["containers"][0]["readinessProbe"]
        wanted = {"path": engine.health_path, "port": 8000} if engine.health_path else None
        assert probe.get("httpGet") == wanted
        assert ("tcpSocket" in probe) is (wanted is None)


@pytest.mark.parametrize("engine", SPEAKING, ids=lambda engine: engine.name)
class TestEveryEngineThatSpeaks:
    def test_is_recognised_by_its_page_alone(self, engine: Engine) -> None:
        page = parse(page_of(engine.dialect))
        assert speakers(page) == (engine.name,)
        assert dialect(GENERIC, page) is engine.dialect
        assert neutral(page, GENERIC) == neutral(page, engine.name)

    def test_gives_each_signal_that_it_has_a_name_for(self, engine: Engine) -> None:
        found = neutral(parse(page_of(engine.dialect)), engine.name)
        assert len(found) == sum(bool(getattr(engine.dialect, signal)) for signal in NEUTRAL)

    def test_is_read_as_a_snapshot_without_a_collector(self, engine: Engine) -> None:
        snapshot = snapshot_from_engine(parse(page_of(engine.dialect)), engine.name, "pod", 1)
        assert Signal.IN_FLIGHT in {key.signal for key in snapshot.gauges}

    def test_is_scraped_where_it_answers(self, engine: Engine) -> None:
        assert engine.metrics_path is not None
        page = page_of(engine.dialect)
        with serving(engine.metrics_path, page) as address:
            scrape = EngineScrape(Options(engine=engine.name, engine_metrics_url=f"{address}{engine.metrics_path}"))
            scrape.scrape_once()
        assert scrape.problem == ""
        assert scrape.values == {**neutral(parse(page), engine.name), "modelward_engine_up": 1.0}

    def test_shares_no_name_with_another_one(self, engine: Engine) -> None:
        def words(names: Dialect) -> set[str]:
            parts = (getattr(names, part.name) for part in fields(names))
            return {name for part in parts if isinstance(part, tuple) for name in part}

        assert not any(words(other.dialect) & words(engine.dialect) for other in SPEAKING if other is not engine)


@pytest.mark.parametrize("name", NAMES)
def test_an_engine_of_the_registry_is_in_a_file_of_its_name_and_is_offered(name: str) -> None:
    assert (ROOT / "src" / "modelward" / "engines" / f"{name}.py").is_file()
    assert LLMEndpointSpec.model_json_schema()["properties"]["engine"]["enum"] == NAMES
    assert f" {name} " in f" {' '.join(parser().format_help().replace(';', ' ').split())} "


@pytest.mark.parametrize("engine", list(ENGINES.values()), ids=lambda engine: engine.name)
def test_an_engine_that_speaks_is_named_to_readers(engine: Engine) -> None:
    if engine.dialect != SILENT:
        assert engine.title in (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"| {engine.name} |" in (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")


def test_an_engine_of_a_later_release_is_served_and_not_understood() -> None:
    later = engine_named("of-a-later-release")
    assert (later.dialect, later.metrics_path, later.health_path) == (SILENT, None, None)
