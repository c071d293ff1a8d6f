"""A generic engine is named in status as its metrics page shows it, and a declared one as it is declared."""

import pytest

from modelward.metrics.collector_page import snapshot_from_collector
from modelward.metrics.dialects import engine_name
from modelward.metrics.engine_page import snapshot_from_engine
from modelward.metrics.exposition import parse

LLAMA = b"llamacpp:requests_deferred 0\nllamacpp:requests_processing 1\n"
COLLECTOR = b'modelward_requests_started_total 0\nmodelward_engine_info{engine="vllm"} 1\n'


def test_an_engines_own_page_says_which_one_it_is() -> None:
    page = snapshot_from_engine(parse(LLAMA), "generic", "a", 0)
    assert engine_name("generic", [page.engine], "") == "llamacpp"


def test_a_collector_says_which_engine_it_stands_beside() -> None:
    page = snapshot_from_collector(parse(COLLECTOR), "a", 0)
    assert engine_name("generic", [page.engine], "") == "vllm"


@pytest.mark.parametrize(
    ("declared", "heard", "before", "named"),
    [
        ("sglang", ["vllm"], "", "sglang"),
        ("generic", [], "", "generic"),
        ("generic", [], "vllm", "vllm"),
        ("generic", ["", "mystery"], "vllm", "vllm"),
        ("generic", ["sglang", "vllm", "vllm"], "sglang", "vllm"),
        ("generic", ["vllm", "sglang"], "", "sglang"),
    ],
)
def test_what_is_declared_counts_then_what_most_pods_say_then_what_was_known(
    declared: str, heard: list[str], before: str, named: str
) -> None:
    assert engine_name(declared, heard, before) == named
