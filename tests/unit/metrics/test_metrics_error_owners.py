"""Pages of every release and engine tell errors by their owner, or say that they do not know."""

from __future__ import annotations

import pytest

from modelward.metrics.collector_page import snapshot_from_collector
from modelward.metrics.engine_page import snapshot_from_engine
from modelward.metrics.exposition import parse
from modelward.metrics.signals import Signal, SignalKey

_CLASSES = (Signal.ERRORS, Signal.CLIENT_ERRORS, Signal.OVERLOADS, Signal.CANCELLED)


def page(*rows: tuple[str, str, int]) -> bytes:
    """A collector's page with these codes, outcomes and counts."""
    line = 'modelward_requests_total{model="m",revision="r",operation="chat",code="%s",outcome="%s"} %d\n'
    return "".join(line % row for row in rows).encode()


def classes(text: bytes) -> tuple[float, ...]:
    found = snapshot_from_collector(parse(text), "pod", 5).counters
    return tuple(found[SignalKey(signal, "m")] for signal in _CLASSES)


def test_a_collectors_classes_are_taken_as_they_are() -> None:
    rows = (
        ("200", "ok", 90),
        ("500", "error", 7),
        ("503", "overload", 5),
        ("404", "client_error", 3),
        ("499", "cancelled", 2),
    )
    assert classes(page(*rows)) == (7, 3, 5, 2)


def test_the_first_release_is_read_by_its_codes() -> None:
    rows = (("401", "error", 50), ("429", "error", 4), ("503", "error", 3), ("200", "error", 2), ("499", "error", 1))
    assert classes(page(*rows)) == (6, 50, 4, 0)


def test_the_first_release_reads_a_newer_page_without_new_errors() -> None:
    """It counts `outcome="error"` alone, and every series as a request: so no class may be spelt to look like it."""
    rows = (("200", "ok", 1), ("404", "client_error", 3), ("429", "overload", 2))
    assert classes(page(*rows))[0] == 0
    assert snapshot_from_collector(parse(page(*rows)), "pod", 5).counters[SignalKey(Signal.REQUESTS, "m")] == 6


@pytest.mark.parametrize(
    ("engine", "text", "known"),
    [
        ("vllm", b'vllm:request_success_total{finished_reason="error"} 2\n', {Signal.ERRORS: 2, Signal.CANCELLED: 0}),
        (
            "tgi",
            b"".join(
                b'tgi_request_failure{err="%b"} %d\n' % row
                for row in ((b"validation", 3), (b"overloaded", 4), (b"generation", 5), (b"dropped", 6))
            ),
            {Signal.ERRORS: 5, Signal.CLIENT_ERRORS: 3, Signal.OVERLOADS: 4, Signal.CANCELLED: 6},
        ),
        ("sglang", b"sglang:num_requests_total 9\n", {}),
    ],
)
def test_what_an_engine_does_not_count_is_absent_and_never_zero(
    engine: str, text: bytes, known: dict[Signal, int]
) -> None:
    found = snapshot_from_engine(parse(text), engine, "pod", 5).counters
    assert {key.signal: value for key, value in found.items() if key.signal in _CLASSES} == known
