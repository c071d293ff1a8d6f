"""The index knows what each namespace holds, however objects come and go."""

from __future__ import annotations

from hub_fixtures import HOUR_MS, NOW_MS
from hypothesis import given
from hypothesis import strategies as st

from modelward.hub.index import Index, on_disk
from modelward.hub.layout import ExchangeObject, hour_of


def item(namespace: str, endpoint: str, hours: int, unique: int) -> ExchangeObject:
    at_ms = NOW_MS - hours * HOUR_MS
    return ExchangeObject(f"{namespace}/{endpoint}", hour_of(at_ms), at_ms, at_ms, 1, f"{unique:x}", unique * 3_000)


ITEMS = st.builds(item, st.sampled_from(["a", "b"]), st.sampled_from(["x", "y"]), st.integers(0, 3), st.integers(0, 9))


@given(st.lists(st.tuples(st.booleans(), ITEMS), max_size=40))
def test_usage_is_the_sum_of_what_is_there_and_the_oldest_come_first(steps: list[tuple[bool, ExchangeObject]]) -> None:
    index, there = Index(), dict[str, ExchangeObject]()
    for added, one in steps:
        if added:
            index.add(one)
            there[one.path] = one
        else:
            index.remove([one])
            there.pop(one.path, None)
    for namespace in ("a", "b"):
        own = [one for one in there.values() if one.namespace == namespace]
        assert index.usage(namespace) == (sum(on_disk(one.size) for one in own), len(own))
        assert set(index.endpoints_of(namespace)) == {one.endpoint for one in own}
        oldest = [one.last_ms for one in index.oldest(namespace)]
        assert oldest == sorted(one.last_ms for one in own)
    assert index.total() == sum(on_disk(one.size) for one in there.values())
    assert index.namespaces() == {one.namespace for one in there.values()}
    assert index.size() == len(there)
