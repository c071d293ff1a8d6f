"""The fleet's page says what needs a person, keeps the address, and draws no state that it does not know."""

from __future__ import annotations

import console_samples as samples
import pytest

from modelward.console.charts.shapes import SvgElement
from modelward.console.pages.fleet import headline, shown_fleet, shown_row
from modelward.console.pages.fleet_filter import FleetFilter, query_of

NOW = samples.NOW_MS


def _classes(shapes: tuple[SvgElement, ...]) -> list[str]:
    return [shape.attributes["class"] for shape in shapes]


@pytest.mark.parametrize(
    ("counts", "says"),
    [
        ((6, 5, 39), "6 endpoints need you. 5 can’t be judged."),
        ((1, 0, 3), "1 endpoint needs you."),
        ((0, 2, 3), "2 endpoints can’t be judged."),
        ((0, 0, 1), "All is well: 1 endpoint."),
    ],
)
def test_the_headline_answers_what_needs_me(counts: tuple[int, int, int], says: str) -> None:
    assert headline(*counts) == says


def test_an_address_keeps_what_was_asked_and_leaves_out_what_is_no_question() -> None:
    asked = query_of({"q": "chat", "ns": "retail", "sort": "cost", "page": "3"}, ["Healthy", "nonsense", "Unhealthy"])
    assert asked == FleetFilter("chat", "retail", ("Unhealthy", "Healthy"), "cost", 3)
    assert asked.href() == "/?q=chat&ns=retail&health=Unhealthy&health=Healthy&sort=cost&page=3"
    assert query_of({"sort": "'; drop", "page": "-1"}, []).href() == "/"
    assert query_of({"page": "²"}, []).page == 1
    assert asked.asked()["health"] == "Unhealthy,Healthy"


def test_groups_stand_in_the_order_of_need() -> None:
    page = shown_fleet(samples.fleet_page(), FleetFilter(), ["retail"], NOW)
    assert [(group.key, group.count) for group in page.groups] == [("need", 4), ("cant", 3), ("well", 13)]
    assert page.groups[0].rows[0].name == "drafts"
    assert not page.first_run


def test_nothing_to_show_teaches_at_first_and_says_what_hides_it_later() -> None:
    empty = samples.fleet_page(())
    assert shown_fleet(empty, FleetFilter(), ["retail"], NOW).first_run
    hidden = shown_fleet(empty, FleetFilter(text="zzz"), ["retail"], NOW)
    assert (hidden.first_run, hidden.groups) == (False, ())


def test_a_day_without_history_is_drawn_neither_as_quiet_nor_as_not_watched() -> None:
    row = samples.row("chat", "retail", "Degraded", 60, "").model_copy(update={"ribbon": "", "asked": ()})
    shown = shown_row(row, NOW)
    assert shown.spark == ()
    assert shown.spark_says == "no history of the last 24 hours"


def test_the_state_is_drawn_for_as_long_as_it_is_known_to_hold() -> None:
    asked = (*(None for _ in range(10)), *(5 for _ in range(86)))
    row = samples.row("chat", "retail", "Degraded", 60, "").model_copy(update={"ribbon": "", "asked": asked})
    shown = shown_row(row, NOW)
    states = [shape for shape in shown.spark if shape.attributes["class"].startswith("rb-")]
    assert [shape.attributes["class"] for shape in states] == ["rb-Degraded"]
    assert float(states[0].attributes["x"]) >= 1000 * 22 / 24
    assert "nowatch" in _classes(shown.spark)
    assert "10 % not watched" in shown.spark_says
