"""Pages say what the hub said, with its numbers, and make nothing up."""

from __future__ import annotations

from dataclasses import replace

import console_more_samples as more
import console_samples as samples
import pytest
from hostile_text import hostile_texts
from hypothesis import given
from hypothesis import strategies as st

from modelward.api.series import HistorySeries, SeriesLine
from modelward.console.charts.timeline import DAY, Timeline
from modelward.console.pages.alerts import shown_alerts
from modelward.console.pages.audit import shown_audit
from modelward.console.pages.budget import budget_of
from modelward.console.pages.cost import question, shown_cost
from modelward.console.pages.endpoint import because, shown_endpoint
from modelward.console.pages.masked_text import pieces
from modelward.console.pages.policies import PolicyTextError, changed_spec, policy_yaml, spec_of
from modelward.console.pages.policy_preview import shown_preview
from modelward.console.pages.revisions import shown_revisions
from modelward.console.pages.series import history_of
from modelward.console.pages.transcript_filter import query_of
from modelward.console.pages.transcripts import shown_transcripts
from modelward.console.pages.why import shown_why

NOW = samples.NOW_MS


@given(st.text(max_size=300) | st.sampled_from(hostile_texts(60)))
def test_text_with_masks_apart_is_still_the_text(text: str) -> None:
    assert "".join(piece.text for piece in pieces(text)) == text


def test_masks_are_told_from_what_people_write_in_brackets() -> None:
    found = pieces("Hello [PERSON], see [1] and [EMAIL][PHONE] [not a mask]")
    assert [piece.text for piece in found if piece.mask] == ["[PERSON]", "[EMAIL]", "[PHONE]"]


def test_the_sentence_of_an_endpoint_has_value_interval_limit_and_n() -> None:
    said = because(samples.endpoint_view()).replace("\u00a0", " ")
    assert said == "stays-on-topic is 32 % (22–44), where the policy allows 10 %: surely beyond the limit. n = 140."


def test_an_endpoint_shows_what_failed_first_and_what_is_left_of_its_budgets() -> None:
    page = shown_endpoint(samples.endpoint_view(), samples.history(), "24h", NOW, more.why())
    assert [(row.name, row.word) for row in page.checks][:2] == [
        ("stays-on-topic", "Failed"),
        ("answers-refused", "Undecided"),
    ]
    budgets = {row.name: row.budget.text for row in page.checks if row.budget}
    assert budgets == {"errors": "61 %", "first-token": "41 % seen"}
    assert page.evidence is not None
    assert [strip.title for strip in page.charts.strips][:3] == ["Health", "Quality", "Outcomes"]
    assert page.charts.strips[1].cause
    assert [one.href for one in page.actions if one.first] == ["/e/retail/chat/why?check=banking%2Fstays-on-topic"]


def test_an_endpoint_without_history_says_so_and_still_has_its_checks() -> None:
    page = shown_endpoint(samples.endpoint_view(), None, "24h", NOW)
    assert page.charts.strips == ()
    assert "keeps no history" in page.charts.missing
    assert len(page.checks) == 6


def test_units_of_the_hubs_series_become_seconds_shares_and_money() -> None:
    line = Timeline(NOW - DAY, NOW)

    def series(metric: str, *lines: SeriesLine) -> HistorySeries:
        return HistorySeries(metric, "none", "5m", 300_000, (NOW - 600_000, NOW - 300_000), (1_000_000, 0), lines)  # type: ignore[arg-type]

    found = history_of(
        samples.endpoint_view(),
        {
            "requests": series("requests", SeriesLine("ok", (7, None))),
            "ttft": series("ttft", SeriesLine("p95", (410_000, None))),
            "cost": series("cost", SeriesLine("cost", (2 * 10**12, None), currency="EUR")),
            "checks": series("checks", SeriesLine("stays-on-topic", (320_000, None), policy="banking")),
        },
        line,
    )
    assert found.outcomes.column("ok") == (7, None)
    assert found.first_token.column("p95") == (0.41, None)
    assert (found.cost.column("cost"), found.currency) == ((2.0, None), "EUR")
    assert found.quality[0].track.column("value") == (0.32, None)
    assert found.limits == {"first_token": (0.8, 95)}


@pytest.mark.parametrize(
    ("text", "words", "state"),
    [
        ("35%", "35 %", ""),
        ("18% (6%-31%)", "18 %", "warn"),
        ("-4%", "spent", "bad"),
        ("41% of the period seen", "41 % seen", "unk"),
        ("not known", "not known", "unk"),
    ],
)
def test_a_budget_is_told_in_words_that_match_its_bar(text: str, words: str, state: str) -> None:
    found = budget_of(text)
    assert found is not None
    assert (found.text, found.state) == (words, state)


def test_alerts_stand_by_state_and_a_held_one_says_that_silence_is_no_recovery() -> None:
    page = shown_alerts(more.alerts(), "", ["retail"], NOW)
    assert page.headline == "3 firing, 2 of them critical. 1 message did not get through."
    assert [group.title for group in page.groups] == ["Firing", "Held", "Acknowledged and silenced", "Pending"]
    held = page.groups[1].rows[0]
    assert held.note.startswith("NearThreshold: resolves only when the check passes")
    assert page.groups[2].rows[0].note.startswith("Acknowledged by oidc:ana@example.com")
    assert not page.groups[2].rows[0].may_silence, "it is silenced already"
    assert {one.name: (one.told, one.asked) for one in page.receivers}["mail"] == (0, 1)


def test_who_may_not_silence_is_offered_no_form() -> None:
    page = shown_alerts(more.alerts().model_copy(update={"silence_in": ()}), "", ["retail"], NOW)
    assert not any(one.may_silence for group in page.groups for one in group.rows)


def test_who_may_not_label_is_offered_no_button() -> None:
    found = more.exchanges().model_copy(update={"may_label": False})
    page = shown_transcripts(samples.endpoint_view(), found, query_of({}), "ana", NOW)
    assert not page.may_label
    assert page.one is not None
    assert page.one.scores[0].said.startswith("oidc:bo@example.com: at fault")
    assert page.one.scores[2].word == "not applicable"


def test_an_address_of_transcripts_keeps_its_filter_when_another_is_opened() -> None:
    query = query_of({"flagged": "any", "text": "a&b=c", "id": "ex-1"})
    page = shown_transcripts(samples.endpoint_view(), more.exchanges(), query, "ana", NOW)
    assert page.rows[1].href == "/e/retail/chat/transcripts?flagged=any&text=a%26b%3Dc&id=ex-7f3c01"


def test_a_form_changes_the_numbers_that_it_names_and_nothing_else() -> None:
    form = {"evaluations.0.limit": "40%", "evaluations.0.n": "60", "objectives.0.over": "", "objectives.9.limit": "1%"}
    changed = changed_spec(more.SPEC, form)
    assert changed["evaluations"][0] == {**more.SPEC["evaluations"][0], "failAbove": "40%", "minSamples": 60}
    assert changed["objectives"] == more.SPEC["objectives"]
    assert more.SPEC["evaluations"][0]["failAbove"] == "10%", "the policy's own is left as it is"


def test_yaml_comes_back_as_the_spec_that_it_was_written_from() -> None:
    text = policy_yaml("retail", "banking", more.SPEC)
    assert spec_of(text) == more.SPEC
    assert text.startswith("apiVersion: modelward.dev/v1alpha1\nkind: MonitoringPolicy\n")


def test_a_preview_that_was_cut_says_at_least() -> None:
    found = more.preview()
    whole = shown_preview(found, "", "", NOW)
    assert (whole.fired, whole.times, whole.now) == ("3", "times", "11")
    cut = shown_preview(found.model_copy(update={"cut": True}), "", "", NOW)
    assert (cut.fired, cut.now) == ("at least 3", "at least 11")
    assert shown_preview(found.model_copy(update={"then": None}), "", "", NOW).fired == ""


@pytest.mark.parametrize("text", ["spec: [", "just words", "- a\n- b", "x: !!python/object:os.system {}", "a" * 60_000])
def test_what_is_no_policy_is_refused_with_a_word_on_why(text: str) -> None:
    with pytest.raises(PolicyTextError):
        spec_of(text)


def test_why_and_revisions_say_when_they_cannot_tell() -> None:
    assert shown_why(more.why(), (), NOW).headline == "Revision 7f9c4d explains most of it"
    unsure = more.why().model_copy(update={"verdict": "CannotTell", "causes": ()})
    assert shown_why(unsure, (), NOW).headline == "It can’t be told what explains it"
    assert "capture.sample" in shown_why(unsure, (), NOW).missing
    fell = unsure.model_copy(update={"verdict": "NotRisen"})
    assert shown_why(fell, (), NOW).headline == "No more of them are bad than before"
    assert "Ask about the check" in shown_why(fell, (), NOW).missing
    page = shown_revisions(more.revisions())
    assert page.headline == "7f9c4d is worse in stays-on-topic, better in first-token"
    assert [row.word for row in page.rows] == ["worse", "can’t tell", "better", "the same"]


def test_a_refused_reading_and_a_broken_chain_are_shown() -> None:
    page = shown_audit(more.audit().model_copy(update={"whole": False, "problem": "line 7"}), "retail", ["retail"], NOW)
    assert [row.allowed for row in page.rows] == [True, True, False]
    assert (page.whole, page.problem) == (False, "line 7")
    assert page.following == "/audit?ns=retail&cursor=older"


def test_cost_names_callers_by_what_they_cost_and_the_rest_last() -> None:
    page = shown_cost(("retail", "chat"), more.callers())
    assert page.headline == "15.00 EUR in the last 31 days"
    assert [(one.name, one.total, one.today, one.requests, one.unpriced) for one in page.rows] == [
        ("retail", "6.00", "2.00", "60", "–"),
        ("other", "9.00", "0.00", "–", "–"),
        ("no name", "–", "–", "7", "7"),
    ]
    assert page.rows[0].days == ("4.00", "0.00", "2.00")
    assert len(page.rows[0].bars) == 2
    assert page.rows[0].says.endswith("most on 25 Nov with 4.00")


def test_cost_without_the_right_to_text_or_without_history_says_so() -> None:
    whole = replace(more.callers(), metric="cost", lines=(SeriesLine("cost", (1, 2, 3), currency="EUR"),))
    page = shown_cost(("retail", "chat"), whole)
    assert (page.named, [one.name for one in page.rows]) == (False, ["all callers"])
    gone = shown_cost(("retail", "chat"), None)
    assert (gone.rows, "no history" in gone.problem) == ((), True)


def test_cost_asks_for_whole_utc_days() -> None:
    asked = question(NOW)
    assert (asked.from_ms % DAY, asked.to_ms % DAY, asked.to_ms - asked.from_ms) == (0, 0, asked.points * DAY)
    assert asked.from_ms < NOW < asked.to_ms
