"""Marked traffic is read into signals of its own: questions to judges apart from all other."""

from modelward.metrics.collector_page import snapshot_from_collector
from modelward.metrics.exposition import parse
from modelward.metrics.signals import Signal, SignalKey

PAGE = b"""\
modelward_requests_total{model="m",outcome="ok",code="200"} 5
modelward_requests_in_flight 1
modelward_marked_requests_total{origin="judge",outcome="ok",code="200"} 3
modelward_marked_requests_total{origin="probe",outcome="ok",code="200"} 2
modelward_marked_requests_total{origin="golden",outcome="error",code="500"} 1
modelward_marked_requests_in_flight{origin="judge"} 2
modelward_marked_requests_in_flight{origin="probe"} 4
modelward_marked_token_usage_sum{origin="judge",gen_ai_token_type="input"} 300
modelward_marked_token_usage_sum{origin="judge",gen_ai_token_type="output"} 9
modelward_marked_token_usage_sum{origin="probe",gen_ai_token_type="output"} 40
modelward_marked_token_usage_sum{origin="golden",gen_ai_token_type="output"} 2
"""


def test_questions_to_judges_are_told_from_other_marked_traffic_and_both_from_users() -> None:
    found = snapshot_from_collector(parse(PAGE), "a", 0)
    assert {key.signal: value for key, value in found.counters.items() if not key.model and value} == {
        Signal.JUDGED_REQUESTS: 3,
        Signal.PROBE_REQUESTS: 3,
        Signal.JUDGED_INPUT_TOKENS: 300,
        Signal.JUDGED_OUTPUT_TOKENS: 9,
        Signal.PROBE_OUTPUT_TOKENS: 42,
    }
    assert found.counters[SignalKey(Signal.REQUESTS, "m")] == 5
    assert found.gauges[SignalKey(Signal.IN_FLIGHT)] == 1
    assert found.gauges[SignalKey(Signal.JUDGED_IN_FLIGHT)] == 2
    assert found.gauges[SignalKey(Signal.PROBE_IN_FLIGHT)] == 4


def test_a_page_without_marked_traffic_has_none_of_its_signals() -> None:
    found = snapshot_from_collector(parse(b'modelward_requests_total{model="m",outcome="ok",code="200"} 5\n'), "a", 0)
    assert not [key for key in (*found.counters, *found.gauges) if key.signal.startswith(("judged", "probe"))]
