"""The fleet and its endpoints as people see them: filtered, sorted and paged at the hub."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hub_fixtures import NOW_MS, Running, running_hub
from hypothesis import given
from hypothesis import strategies as st
from people_fixtures import CANARY, endpoint, evaluation, policy, retail_and_bank, shown
from promised_time import in_time

from modelward.api.shown_object import ShownName, shown_object
from modelward.api.views import FLEET_PAGE
from modelward.hub.people.fleet import Fleet, FleetQuery
from modelward.hub.people.shown import ShownObjects
from modelward.hub_client.client import HubUnavailableError
from modelward.hub_client.shown import Telling
from modelward.hub_client.views import ViewClient

HEALTH = ("Healthy", "Degraded", "Unhealthy", "Unknown")


def views(r: Running) -> ViewClient:
    return ViewClient(f"http://127.0.0.1:{r.hub.ports[0]}")


def held(*rows: dict[str, Any]) -> ShownObjects:
    """Return objects that the hub holds."""
    objects = ShownObjects(lambda: NOW_MS)
    for row in rows:
        assert objects.put(ShownName(row["kind"], row["namespace"], row["name"]), row)
    return objects


async def test_an_endpoint_shows_its_checks_with_their_limits_and_no_pod_template() -> None:
    async with running_hub("memory://") as r, views(r) as person:
        await r.client.put_objects(retail_and_bank(), telling=Telling("a", last=True))
        found = await person.endpoint("retail", "chat")
        [check] = found.checks
        assert (check.value, check.limit, check.verdict, check.evaluator) == (
            "31%",
            "10%",
            "Failed",
            "OffTopicAnswered",
        )
        assert check.bar
        assert (check.bar.value, check.bar.low, check.bar.limit, check.bar.fails) == (
            310_000,
            240_000,
            100_000,
            "Above",
        )
        assert (found.facts.backend, found.facts.mode, found.facts.engine) == ("Template", "Sidecar", "vllm")
        assert (found.need, found.row.leading) == ("NeedsYou", check)
        for path in ("fleet", "endpoints/retail/chat"):
            assert CANARY.encode() not in await person.ask("GET", f"/v1/view/{path}")


@given(st.lists(st.tuples(st.sampled_from("abc"), st.text("xyz", min_size=1, max_size=4), st.sampled_from(HEALTH)),
                max_size=130, unique_by=lambda one: one[:2]), st.sets(st.sampled_from("abc")))  # fmt: skip
def test_pages_hold_every_visible_endpoint_once_and_what_needs_a_person_first(
    rows: list[tuple[str, str, str]], visible: set[str]
) -> None:
    fleet = Fleet(held(*shown(*(("LLMEndpoint", endpoint(ns, name, health=health)) for ns, name, health in rows))))
    pages = [fleet.page(FleetQuery(visible, page=1))]
    pages += [fleet.page(FleetQuery(visible, page=number)) for number in range(2, pages[0].pages + 1)]
    found = [(row.namespace, row.name, row.health) for page in pages for row in page.rows]
    assert sorted(found) == sorted(one for one in rows if one[0] in visible)
    order = ["Unhealthy", "Degraded", "Unknown", "Healthy"]
    assert [order.index(health) for _, _, health in found] == sorted(order.index(health) for _, _, health in found)
    assert all(len(page.rows) <= FLEET_PAGE for page in pages)
    counts = pages[0].counts
    assert counts.needs_you + counts.cannot_tell + counts.well == pages[0].total == len(found)
    assert set(pages[0].namespaces) <= visible


def test_lists_are_filtered_by_words_and_health_and_sorted() -> None:
    rows = [endpoint("a", f"e{i}", health=HEALTH[i % 4], usage={"costPerHour": f"{i}.00 USD"}) for i in range(8)]
    fleet = Fleet(held(*shown(*(("LLMEndpoint", row) for row in rows))))

    def names(**asked: Any) -> list[str]:
        return [row.name for row in fleet.page(FleetQuery({"a"}, **asked)).rows]

    assert names(text="E3") == ["e3"]
    assert names(health="Degraded", sort="name") == ["e1", "e5"]
    assert names(health="NeedsYou", sort="name") == ["e1", "e2", "e5", "e6"]
    assert names(sort="cost")[:3] == ["e7", "e6", "e5"]
    assert fleet.page(FleetQuery({"a"}, page=99)).page == 1


def test_a_page_of_five_thousand_takes_little() -> None:
    checks = [evaluation(f"check-{i}") for i in range(5)]
    rows = [endpoint(f"n{i % 50}", f"e{i}", health=HEALTH[i % 4], evaluations=checks) for i in range(5_000)]
    objects = held(
        *shown(*(("LLMEndpoint", row) for row in rows), *(("MonitoringPolicy", policy(f"n{i}")) for i in range(50)))
    )
    fleet, everything = Fleet(objects), FleetQuery({f"n{i}" for i in range(50)}, page=3)
    fleet.page(everything)
    took = []
    for _ in range(5):
        began = time.process_time()
        assert len(fleet.page(everything).wire()["rows"]) == FLEET_PAGE
        took.append(time.process_time() - began)
    assert in_time(min(took), 0.15), f"{min(took) * 1_000:.0f} ms"


async def test_objects_are_held_within_a_share_and_what_is_gone_goes() -> None:
    objects = ShownObjects(lambda: NOW_MS, namespace_bytes=3_000)
    names = [ShownName("LLMEndpoint", "loud", f"e{i}") for i in range(9)]
    taken = [objects.put(name, shown_object("LLMEndpoint", endpoint("loud", name.name))) for name in names]
    assert 1 < sum(taken) < 9
    assert objects.put(ShownName("LLMEndpoint", "quiet", "e"), shown_object("LLMEndpoint", endpoint("quiet", "e")))
    objects.drop(names)
    assert objects.namespaces() == ["quiet"]
    assert objects.put(names[-1], shown_object("LLMEndpoint", endpoint("loud", "e8")))


async def test_a_telling_replaces_everything_but_what_the_operator_cannot_see() -> None:
    async with running_hub("memory://") as r, views(r) as person:
        both = retail_and_bank()
        hub, refused = await r.client.put_objects(both, telling=Telling("1", last=True))
        assert refused == []
        half = shown(("LLMEndpoint", endpoint("bank", "other")))
        await r.client.put_objects(half, telling=Telling("2", last=True, unseen={"retail"}))
        assert [row.name for row in (await person.fleet({"sort": "name"})).rows] == ["other", "chat"]
        await r.client.put_objects([], [ShownName("LLMEndpoint", "bank", "other")], hub=hub)
        assert [row.name for row in (await person.fleet()).rows] == ["chat"]
        with pytest.raises(HubUnavailableError) as error:
            await r.client.put_objects([], hub="another")
        assert error.value.status == 409
        assert (await r.client.overview()).hub == hub


STATUS = (
    "health",
    "usage",
    "evaluations",
    "metrics",
    "alerts",
    "conditions",
    "models",
    "healthSince",
    "collector",
    "budgets",
)
GARBAGE = st.recursive(
    st.none() | st.integers(-(2**63), 2**63) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)


@given(st.dictionaries(st.sampled_from(STATUS), GARBAGE))
def test_a_garbage_status_costs_itself_and_no_page(status: dict[str, Any]) -> None:
    rows = shown(("LLMEndpoint", endpoint("a", "odd", **status)), ("LLMEndpoint", endpoint("a", "even")))
    page = Fleet(held(*rows)).page(FleetQuery({"a"}))
    assert {row.name for row in page.rows} == {"odd", "even"}


@given(st.dictionaries(st.sampled_from(["objectives", "evaluations", "alerts", "budget"]), GARBAGE))
def test_a_garbage_policy_costs_itself_and_no_page(spec: dict[str, Any]) -> None:
    odd = policy("a") | {"spec": spec}
    rows = shown(("LLMEndpoint", endpoint("a", "e", evaluations=[evaluation()])), ("MonitoringPolicy", odd))
    [row] = Fleet(held(*rows)).page(FleetQuery({"a"})).rows
    assert row.leading
    assert row.leading.limit == ""
