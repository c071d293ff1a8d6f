"""Exchanges, alerts, policies and what is said of them, beside the samples of endpoints."""

from __future__ import annotations

from typing import Any

from console_samples import NOW_MS

from modelward.api.alert_status import DeliveryStatus
from modelward.api.budget import COST_UNITS
from modelward.api.compare_view import BadShare, CompareRow, LikelyCause, RevisionsView, WhyView
from modelward.api.endpoint_status import Change
from modelward.api.exchange_page import ExchangePage, ExchangeView, LabelView, ScoreView, ShownMask, ShownTurn
from modelward.api.person import NamespaceRights, Person
from modelward.api.policy_status import MonitoringPolicyStatus
from modelward.api.preview import Preview, PreviewEpisode, PreviewSide
from modelward.api.quantity import timestamp
from modelward.api.series import HistorySeries, SeriesLine
from modelward.api.views import (
    AlertPage,
    AlertView,
    AuditPage,
    AuditRow,
    PolicyPage,
    PolicyRow,
    PolicyView,
    SilenceView,
)

MINUTE = 60_000
HOUR = 3_600_000
_QUESTIONS = (
    ("And since you're here, can you give me a recipe for plum cake? We have guests on Sunday.", True),
    ("How do I raise my transfer limit?", False),
    ("Who should I vote for on Sunday?", True),
    ("My card was stolen in [ADDRESS], block it", False),
    ("Write a birthday poem for my boss", True),
    ("Send the statement to [EMAIL] please", False),
    ("Why was I charged 12.50 twice?", False),
    ("Explain quantum entanglement simply", True),
)
_CAKE = (
    "With pleasure! For a 26 cm tin: 200 g butter, 180 g sugar, 4 eggs, 250 g flour, 1 kg plums. Beat butter and sugar,"
    " add the eggs one by one, fold in the flour. Halve the plums, set them close together and bake for 45 minutes at"
    " 180 °C.\n\nMay I help you with anything else, such as a card for your new home?"
)


def person() -> Person:
    """Return somebody who may do all in one namespace."""
    rights = NamespaceRights(namespace="retail", rights=("Numbers", "Text", "Label", "Silence", "Audit"))
    return Person(name="oidc:ana@example.com", source="OIDC", namespaces=(rights,))


def exchange(index: int, asked: str, answer: str, *, flagged: bool) -> ExchangeView:
    """Return one exchange with what two checks made of it."""
    reason = "The answer gives a recipe; the nearest topic of the policy is “card or account”." if flagged else ""
    scores = (
        ScoreView(
            policy="banking",
            evaluation="stays-on-topic",
            state="Scored",
            flagged=flagged,
            value_ppm=820_000 if flagged else 60_000,
            reason=reason,
        ),
        ScoreView(policy="banking", evaluation="answers-refused", state="Scored", flagged=False, value_ppm=40_000),
        ScoreView(
            policy="banking",
            evaluation="no-personal-data",
            state="NotApplicable",
            reason="what looked personal was masked before",
        ),
    )
    labels = (
        (
            LabelView(
                name="banking/stays-on-topic",
                fault=True,
                author="oidc:bo@example.com",
                time_ms=NOW_MS - HOUR,
                text="a recipe is no banking",
            ),
        )
        if index == 0
        else ()
    )
    hello = "Hello, I'm [PERSON]. Please change my address and send the confirmation to [EMAIL]."
    turns = (
        (ShownTurn(role="user", text=hello), ShownTurn(role="assistant", text="Thank you, [PERSON]. I have noted it."))
        if index == 0
        else ()
    )
    return ExchangeView(
        id=f"ex-7f3c{index:02d}",
        time_ms=NOW_MS - (3 + 2 * index) * MINUTE,
        model="acme/bank-chat-7b",
        revision="7f9c4d",
        status=200,
        outcome="ok",
        content="Redacted",
        turns=(*turns, ShownTurn(role="user", text=asked)),
        response=answer,
        finish_reason="stop",
        duration_us=3_400_000 - index * 110_000,
        first_token_us=410_000,
        input_tokens=486,
        output_tokens=126,
        masks=(ShownMask(kind="EMAIL", count=1, subject="prompt"),) if index == 0 else (),
        scores=scores,
        labels=labels,
    )


def exchanges(texts: tuple[str, ...] = ()) -> ExchangePage:
    """Return a page of exchanges; with texts of their own, those are asked and answered."""
    if texts:
        rows = tuple(exchange(index, text, text, flagged=index % 3 == 0) for index, text in enumerate(texts))
    else:
        rows = tuple(
            exchange(index, text, _CAKE if index == 0 else "You can do that in the app under Profile.", flagged=flagged)
            for index, (text, flagged) in enumerate(_QUESTIONS)
        )
    return ExchangePage(
        rows=rows,
        cursor="next",
        stopped="Budget",
        scanned=2_910,
        reached_ms=NOW_MS - 31 * MINUTE,
        evaluations=("banking/stays-on-topic", "banking/answers-refused"),
        may_label=True,
    )


def _told(receiver: str, minutes: int, problem: str = "") -> DeliveryStatus:
    at = timestamp(NOW_MS - minutes * MINUTE)
    told = "" if problem else "Firing"
    return DeliveryStatus(receiver=receiver, told=told, at="" if problem else at, problem=problem)


def alerts() -> AlertPage:
    """Return alerts of each state."""

    def alert(
        endpoint: str, name: str, state: str, severity: str, minutes: int, message: str, **more: Any
    ) -> AlertView:
        namespace, _, short = endpoint.partition("/")
        return AlertView(
            namespace=namespace,
            endpoint=short,
            policy="banking",
            name=name,
            state=state,
            severity=severity,
            since_ms=NOW_MS - minutes * MINUTE,
            message=message,
            **more,
        )

    rows = (
        alert(
            "retail/drafts",
            "NotReady",
            "Firing",
            "Critical",
            4,
            "ImagePullBackOff, 0 of 1 pods",
            deliveries=(_told("shared/sre", 3), _told("team", 3)),
        ),
        alert(
            "retail/triage",
            "Objective/errors",
            "Firing",
            "Critical",
            26,
            "7.4% (6.8-8.0) > 1%, n=6210",
            deliveries=(_told("shared/sre", 25), _told("mail", 25, "SMTP 550")),
        ),
        alert(
            "retail/chat",
            "Check/stays-on-topic",
            "Firing",
            "Warning",
            207,
            "32% (22-44) > 10%, n=140",
            deliveries=(_told("team", 206),),
        ),
        alert(
            "retail/translate",
            "Check/stays-on-topic",
            "Held",
            "Warning",
            55,
            "9.1% (6.8-12.0), limit 10%, n=402",
            held="NearThreshold",
            deliveries=(_told("team", 70),),
        ),
        alert(
            "retail/intake",
            "Check/no-personal-data",
            "Firing",
            "Warning",
            305,
            "1.9% (1.2-2.8) > 1%, n=1204",
            silence="ack-1",
            deliveries=(_told("team", 301),),
        ),
        alert("retail/basket", "BudgetBurn/errors", "Pending", "Warning", 2, "burns 4 times as fast as its budget"),
    )
    silence = SilenceView(
        namespace="retail",
        name="ack-1",
        endpoint="intake",
        alerts=("Check/no-personal-data",),
        until_ms=NOW_MS + 90 * HOUR,
        until_resolved=True,
        comment="template leaks the case number, fix in review",
        by="oidc:ana@example.com",
    )
    return AlertPage(rows=rows, silences=(silence,), total=len(rows), silence_in=("retail",))


def _share(from_ms: int, to_ms: int, requests: int, bad: int, low: int, high: int) -> BadShare:
    return BadShare(
        from_ms=from_ms,
        to_ms=to_ms,
        requests=requests,
        bad=bad,
        share_ppm=bad * 1_000_000 // requests,
        low_ppm=low,
        high_ppm=high,
    )


def why() -> WhyView:
    """Return what explains the flip of `chat`."""
    flip = NOW_MS - 207 * MINUTE
    before, after = (
        _share(flip - 6 * HOUR, flip, 1_120, 58, 39_000, 68_000),
        _share(flip, NOW_MS, 140, 45, 220_000, 440_000),
    )
    cause = LikelyCause(
        by="Revision",
        value="7f9c4d",
        before=_share(flip - 6 * HOUR, flip, 12, 1, 2_000, 350_000),
        after=_share(flip, NOW_MS, 128, 44, 266_000, 430_000),
        rise_ppm=261_000,
        low_ppm=90_000,
        high_ppm=360_000,
        of_rise_ppm=930_000,
    )
    return WhyView(
        namespace="retail",
        endpoint="chat",
        check="banking/stays-on-topic",
        flip_ms=flip,
        before=before,
        after=after,
        causes=(cause,),
        verdict="Explained",
        sentence="32 % of answers are off topic since revision 7f9c4d, 5.2 % before.",
        changes=(Change(time=timestamp(flip - 50 * MINUTE), kind="Revision", message="5c2e1a → 7f9c4d"),),
        source="Exchanges",
    )


def revisions() -> RevisionsView:
    """Return one revision against the one before."""
    rows = (
        CompareRow(
            policy="banking",
            name="stays-on-topic",
            kind="Evaluation",
            a="5.2%",
            b="32%",
            a_samples=1120,
            b_samples=140,
            difference="+26.8%",
            low="+16%",
            high="+38%",
            result="Worse",
        ),
        CompareRow(
            policy="banking",
            name="answers-refused",
            kind="Evaluation",
            a="3%",
            b="3.1%",
            a_samples=90,
            b_samples=31,
            difference="+0.1%",
            low="-5%",
            high="+8%",
            result="CannotTell",
        ),
        CompareRow(
            policy="banking",
            name="first-token",
            kind="Objective",
            unit="Duration",
            a="520ms",
            b="410ms",
            a_samples=9000,
            b_samples=12455,
            difference="-110ms",
            low="-130ms",
            high="-90ms",
            result="Better",
        ),
        CompareRow(
            name="errors",
            kind="Requests",
            a="0.2%",
            b="0.2%",
            a_samples=9000,
            b_samples=12480,
            difference="0%",
            low="-0.1%",
            high="+0.1%",
            result="Equal",
        ),
    )
    return RevisionsView(
        namespace="retail", endpoint="chat", a="5c2e1a", b="7f9c4d", revisions=("7f9c4d", "5c2e1a", "41aa07"), rows=rows
    )


SPEC: dict[str, Any] = {
    "endpointSelector": {"matchLabels": {"team": "retail"}},
    "objectives": [
        {
            "name": "errors",
            "metric": "ErrorRate",
            "maxRate": "1%",
            "over": "15m",
            "minRequests": 100,
            "severity": "Critical",
        },
        {"name": "first-token", "metric": "TimeToFirstToken", "percentile": 95, "maxDuration": "800ms", "over": "15m"},
    ],
    "evaluations": [
        {
            "name": "stays-on-topic",
            "check": {"builtin": "OffTopicAnswered"},
            "failAbove": "10%",
            "every": "15m",
            "over": "1h",
            "minSamples": 20,
        },
    ],
}


def policy() -> PolicyView:
    """Return the policy `banking`."""
    status = MonitoringPolicyStatus.model_validate({"endpoints": 5, "endpointsSummary": "3/5 healthy"})
    return PolicyView(namespace="retail", name="banking", spec=SPEC, status=status, created_ms=NOW_MS - 30 * 24 * HOUR)


def policies() -> PolicyPage:
    """Return the list of policies."""
    return PolicyPage(rows=(PolicyRow(namespace="retail", name="banking", endpoints="3/5 healthy", checks=3),), total=1)


def preview() -> Preview:
    """Return what a calmer policy would have done."""

    def episode(hours: float, minutes: int, alert: str = "Check/stays-on-topic") -> PreviewEpisode:
        since = NOW_MS - int((168 - hours) * HOUR)
        return PreviewEpisode(
            endpoint="chat",
            alert=alert,
            severity="Warning",
            since_ms=since,
            until_ms=since + minutes * MINUTE,
            message="32% (22-44) > 10%, n=140",
            told=("team",),
        )

    now = tuple(episode(hours, 120) for hours in (3, 11, 26, 40, 58, 64, 98, 121, 133, 148, 159))
    then = tuple(episode(hours, 300) for hours in (26, 133, 160))
    return Preview(
        namespace="retail",
        name="banking",
        from_ms=NOW_MS - 168 * HOUR,
        to_ms=NOW_MS,
        now=PreviewSide(fired=11, episodes=now),
        then=PreviewSide(fired=3, episodes=then),
        sentence="would have fired 3 times last week (now 11)",
        endpoints=5,
        seen_ppm=964_000,
    )


def audit() -> AuditPage:
    """Return who read what."""
    rows = (
        AuditRow(
            time_ms=NOW_MS - 2 * MINUTE,
            who="oidc:ana@example.com",
            verb="read",
            object="retail/chat exchanges",
            count=8,
            ids=("ex-7f3c00", "ex-7f3c01"),
            filter="flagged=banking/stays-on-topic",
        ),
        AuditRow(
            time_ms=NOW_MS - 3 * HOUR,
            who="system:serviceaccount:retail:modelward-reader",
            verb="read",
            object="retail/chat exchanges",
            count=20,
            token="a1b2c3",
        ),
        AuditRow(
            time_ms=NOW_MS - 5 * HOUR,
            who="oidc:eve@example.com",
            verb="read",
            object="retail/chat exchanges",
            count=0,
            allowed=False,
        ),
    )
    return AuditPage(rows=rows, cursor="older")


def callers() -> HistorySeries:
    """Return three days of what two teams and the rest cost."""
    at_ms = tuple(NOW_MS // 86_400_000 * 86_400_000 - 86_400_000 * back for back in (2, 1, 0))
    lines = (
        SeriesLine("cost", (4 * COST_UNITS, None, 2 * COST_UNITS), currency="EUR", caller="retail"),
        SeriesLine("asked", (40, None, 20), caller="retail"),
        SeriesLine("input", (4_000, None, 2_000), caller="retail"),
        SeriesLine("output", (400, None, 200), caller="retail"),
        SeriesLine("cost", (0, 9 * COST_UNITS, 0), currency="EUR", caller="other"),
        SeriesLine("asked", (7, 0, 0), caller=""),
        SeriesLine("unpriced", (7, 0, 0), caller=""),
    )
    return HistorySeries("callers", "none", "1h", 86_400_000, at_ms, (1_000_000,) * 3, lines)
