"""A replay of stored counts has the episodes that the live engine would have had of them, one for one."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from modelward.alerts.replay import replay
from modelward.alerts.routing import routing_of
from modelward.api.alerts import AlertsSpec
from modelward.api.base import ObjectMeta
from modelward.api.endpoint_status import LLMEndpointStatus
from modelward.api.policy_objective import PolicyObjective
from modelward.api.quantity import timestamp_ms
from modelward.evaluate.objective import decide_rate
from modelward.hub.history.counts import COUNTED
from modelward.hub.history.points import Grid, Points
from modelward.hub.people.past_verdicts import past_verdicts
from modelward.operator.endpoint.alerting import endpoint_alerts
from modelward.reasons.checks import CheckReason
from modelward.status.checks import Check
from modelward.status.judgement import READING_ODDS

MINUTE_MS, START_MS, OVER = 60_000, 1_795_480_020_000, 5
ASKED = PolicyObjective.model_validate({"name": "e", "metric": "ErrorRate", "maxRate": "1%", "over": "5m"})
ROUTING = routing_of("p", AlertsSpec())
ABOUT = ObjectMeta(name="chat", namespace="retail")
Minute = tuple[int, int] | None
PHASES = st.tuples(st.sampled_from([(300, 0), (300, 200), (300, 3), (0, 0), None]), st.integers(1, 25))


def live(minutes: list[Minute]) -> list[tuple[int, int | None]]:
    """Return when episodes began firing and ended, as status said it after each minute."""
    status, found = LLMEndpointStatus(), dict[str, tuple[int, int | None]]()
    for at in range(len(minutes)):
        window = [one for one in minutes[max(0, at + 1 - OVER) : at + 1] if one is not None]
        now_ms = START_MS + (at + 1) * MINUTE_MS
        requests, errors = sum(one[0] for one in window), sum(one[1] for one in window)
        odds = READING_ODDS[ASKED.severity]
        v = decide_rate(
            requests=requests, errors=errors, max_rate_ppm=10_000, min_requests=ASKED.min_requests, odds=odds
        )
        verdict, reason = (v.verdict, v.reason) if window else ("Unknown", CheckReason.MISSING)
        check = Check("p", "e", "Objectives", ASKED.severity, verdict, reason, v.message, "", verdict, reason)
        rows = endpoint_alerts(LLMEndpointStatus(), status, ABOUT, [check], {"p": ROUTING}, (), now_ms)
        status = LLMEndpointStatus(alerts=rows)
        for row in rows:
            if row.state in ("Firing", "Held"):
                found.setdefault(row.episode, (now_ms, None))
                found[row.episode] = (found[row.episode][0], None)
            elif row.episode in found:
                found[row.episode] = (found[row.episode][0], timestamp_ms(row.since))
    return list(found.values())


@settings(deadline=None, max_examples=60)
@given(st.lists(PHASES, max_size=8))
def test_a_replay_has_the_episodes_of_the_live_engine(phases: list[tuple[Minute, int]]) -> None:
    minutes: list[Minute] = [one for one, lasts in phases for _ in range(lasts)]
    points = Points(Grid(START_MS, MINUTE_MS, len(minutes)))
    points.sums[(), "covered"] = [0 if one is None else MINUTE_MS for one in minutes]
    points.sums[(), "given.error"] = [0 if one is None else 1 for one in minutes]
    points.sums[COUNTED, "ok"] = [one[0] - one[1] if one else 0 for one in minutes]
    points.sums[COUNTED, "error"] = [one[1] if one else 0 for one in minutes]
    replayed = replay(past_verdicts("p", ASKED, points), ROUTING.timing)
    assert [(one.since_ms, one.until_ms) for one in replayed] == live(minutes)


def test_a_failure_and_its_end_are_one_episode_and_a_later_one_another() -> None:
    bad, good = [(300, 200)] * 10, [(300, 0)] * 40
    found = live([*good, *bad, *good, *bad])
    assert [end is None for _, end in found] == [False, True]
