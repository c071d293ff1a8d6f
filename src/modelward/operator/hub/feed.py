"""What the operator knows of the hub: results within reach of a verdict, and when each endpoint last had an exchange.

The hub is the truth; this is a copy that is refreshed every few seconds and rebuilt after a restart.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from modelward.api.evaluation import Late, WindowResult
from modelward.api.evaluationrun import RunItem
from modelward.api.history import HistoryHealth
from modelward.api.quantity import timestamp_ms
from modelward.desired.due import WindowKey
from modelward.desired.runs import is_scheduled
from modelward.evaluate.pool import HELD_MS
from modelward.hub_client.client import HubClient, HubUnavailableError, Stored
from modelward.operator.hub.arrivals import Arrivals
from modelward.operator.hub.budgets import BudgetFeed
from modelward.operator.hub.calibrations import KnownCalibrations
from modelward.operator.hub.error_budgets import ErrorBudgetFeed
from modelward.operator.hub.labels import KnownLabels
from modelward.operator.hub.namespaces import NamespaceCheck
from modelward.operator.hub.past_burns import PastBurns
from modelward.operator.hub.past_results import PastResults
from modelward.operator.hub.result_memory import EvaluationKey, ResultMemory
from modelward.operator.hub.rules import HubRule
from modelward.operator.hub.scopes import KnownScopes
from modelward.operator.hub.shown import ShownFeed
from modelward.operator.hub.silences import AskedSilences

log = logging.getLogger(__name__)

KEPT_MS = HELD_MS
"""Results older than this are forgotten, and those of windows that end as much later than now: no clock is so wrong."""
_OVERLAP_MS = 1_200_000
"""A window is stored when its Job ends, up to fifteen minutes after the window itself ended."""

_ASKED_LATE_MS = 60_000
"""How much later than planned the feed may ask: what is that near the edge of its reach is requested separately."""
_SPOOL_MS = 60_000
"""The longest pause of a collector before it tries a hub again that was away."""
_SPOOL_SLACK_MS = 10_000
"""For seeing late that the hub went, and for sending."""


@dataclass(slots=True)
class HubFeed:
    """A refreshed copy of the hub's results; `available` is None before the first answer."""

    clock_ms: Callable[[], int]
    hub: HubClient | None = None
    available: bool | None = None
    problem: str = ""
    complete_from_ms: int = 0
    """When collectors have surely brought what they spooled while the hub was away; before, windows have holes."""
    newest_ms: Mapping[str, int] = field(default_factory=dict)
    stored: Mapping[str, Stored] = field(default_factory=dict)
    """What each namespace holds at the hub."""
    late: Mapping[str, tuple[Late, ...]] = field(default_factory=dict)
    """What came late of each endpoint (`namespace/name`), and may be missing in results."""
    arrivals: Arrivals = field(default_factory=Arrivals)
    past: PastResults = field(default_factory=PastResults)
    """What runs over a time out of reach have found."""
    calibrations: KnownCalibrations = field(default_factory=KnownCalibrations)
    """What calibrations found of the evaluators that ask for one."""
    scopes: KnownScopes = field(default_factory=KnownScopes)
    """What Jobs found of the scopes that policies name."""
    budgets: BudgetFeed = field(default_factory=BudgetFeed)
    """What judges may spend, and have spent."""
    periods: ErrorBudgetFeed = field(init=False)
    """What objectives counted over the periods of their budgets."""
    burns: PastBurns = field(init=False)
    """What objectives counted before this process led."""
    labels: KnownLabels = field(default_factory=KnownLabels)
    """What people said of exchanges."""
    shown: ShownFeed | None = None
    """What people are shown of the cluster's objects."""
    silences: AskedSilences | None = None
    """What people asked the hub to silence."""
    namespaces: NamespaceCheck | None = None
    """Finds out whether namespaces are gone of which the hub holds something."""
    rules: Callable[[], Mapping[str, HubRule]] = dict
    """What the hub may keep of each endpoint (`namespace/name`); of one that is not among them it deletes the text."""
    unseen: Callable[[], Collection[str]] = tuple
    """Namespaces of which it is not known what there is: no endpoint of theirs counts as deleted."""
    exists: Callable[[str], bool] = lambda _: True
    """Whether there is such an endpoint (`namespace/name`). Whoever may post chooses the names that the hub lists."""
    skipped: Callable[[str, int], None] = lambda _reason, _count: None
    """Told why rows of the hub's answers are left out, and how many."""
    history: HistoryHealth | None = None
    """How the hub's history is; None where that is not known."""
    _results: ResultMemory = field(default_factory=ResultMemory)
    _since_ms: int = 0
    _erased_ms: int = 0
    """When the last erasure was that results were read after."""
    _lost_ms: int = 0
    _rules_sent: tuple[Mapping[str, HubRule], frozenset[str]] | None = None
    _rules_problem: str = ""

    def __post_init__(self) -> None:
        self.periods = ErrorBudgetFeed(self.clock_ms)
        self.burns = PastBurns(self.clock_ms)

    def of(self, key: EvaluationKey) -> tuple[WindowResult, ...]:
        """Return the windows known of one evaluation, in no order."""
        return self._results.of(key)

    def stored_of(self, namespace: str) -> Stored | None:
        """Return what a namespace holds at the hub, where that is known, and what results it lacks for its share.

        Results that are too old for a verdict are missed by none.
        """
        held = self.stored.get(namespace)
        cut_ms = max(held.results_cut_ms if held else 0, self._results.cut_ms(namespace))
        if cut_ms <= self.clock_ms() - KEPT_MS:
            return held and replace(held, results_cut_ms=0)
        return replace(held or Stored(namespace, 0, 0, full=False), results_cut_ms=cut_ms)

    def trouble(self) -> str:
        """Return why results may be missing, empty when the hub answers."""
        if self.hub is None:
            return "no hub is configured; evaluations need one (hub.enabled in the chart)"
        return "" if self.available else f"the hub does not answer: {self.problem or 'not asked yet'}"

    @property
    def complete(self) -> bool:
        """Whether the hub answers and has all that collectors spooled while it was away."""
        wait_ms = self.complete_from_ms - self.clock_ms()
        # A longer wait was never set: then the clock was.
        return bool(self.available) and not 0 < wait_ms <= _SPOOL_MS + _SPOOL_SLACK_MS

    def last_window_ms(self, namespace: str | None = None) -> dict[EvaluationKey, int]:
        """Return where the newest scheduled window of each evaluation, of one namespace or all, ended: the next begins.

        A run over a past time does not count, or the schedule would leave out what came before.
        """
        now_ms = self.clock_ms()
        known = self._results.all() if namespace is None else self._results.in_namespace(namespace).items()
        ended = {
            key: [end for (_, end), found in windows.items() if end <= now_ms and is_scheduled(found.run)]
            for key, windows in known
        }
        return {key: max(ends) for key, ends in ended.items() if ends}

    def windows(self, namespace: str) -> dict[WindowKey, tuple[WindowResult, ...]]:
        """Return the windows known of the evaluations of one namespace, in no order."""
        known = self._results.in_namespace(namespace)
        return {key[1:]: tuple(windows.values()) for key, windows in known.items()}

    def result(self, namespace: str, run: str, item: RunItem) -> WindowResult | None:
        """Return what this run found; an earlier run of the same window may have had another evaluator."""
        wanted = (run, item.policy, item.evaluation, timestamp_ms(item.from_), timestamp_ms(item.to))
        near = self.of((namespace, item.endpoint, item.policy, item.evaluation))
        far = self.past.of(namespace, run, item.endpoint)
        found = ((one, (one.run, one.policy, one.evaluation, one.from_ms, one.to_ms)) for one in (*near, *far))
        return next((one for one, key in found if key == wanted), None)

    def want(self, namespace: str, run: str, endpoint: str, to_ms: int) -> None:
        """Ask for what a run found in a window that ended too long ago for its result to come by itself."""
        if to_ms < self.clock_ms() - _OVERLAP_MS + _ASKED_LATE_MS:
            self.past.want(namespace, run, endpoint, to_ms)

    def knows_burns(self, endpoint: str) -> bool:
        """Return whether what objectives counted before this process led is known, or will never be; else ask."""
        if self.hub is None:
            return True
        self.burns.want(endpoint)
        return self.burns.known(endpoint)

    def forget(self, endpoint: str) -> None:
        """Drop the results of an endpoint that is gone."""
        self._results.drop_endpoint(endpoint)
        self.periods.forget(endpoint)
        self.burns.forget(endpoint)

    async def refresh(self) -> frozenset[str]:
        """Ask the hub once; return the endpoints (`namespace/name`) with new results. Never raises."""
        if self.hub is None:
            return frozenset()
        fresh: set[str] = set()
        try:
            await self._send_rules(self.hub)
            await self.budgets.refresh(self.hub)
            await self._note_erasures(self.hub)
            overview = await self.hub.overview()
            holdings = [held for held in overview.holdings if self.exists(held.endpoint)]
            asked_ms = self.clock_ms()
            async for batch in self.hub.result_batches(self._asked_from_ms()):
                fresh |= self.keep(batch)
        except HubUnavailableError as error:
            self._lost(error)
            return frozenset(fresh)
        self._since_ms = asked_ms
        self.stored, self.history = {one.namespace: one for one in overview.stored}, overview.history
        if not overview.rules_asked:
            self._rules_sent = None  # It restarted, and may have found its own rules damaged.
            self.budgets.forget_sent()
        if not self.available:
            log.info("hub=reachable endpoints=%d", len(holdings))
        if self.available is False:
            self._found_again()
        self.available, self.problem = True, ""
        self.newest_ms = {held.endpoint: held.newest_ms for held in holdings}
        self.late = {held.endpoint: held.late for held in holdings if held.late}
        self.arrivals.take({held.endpoint: held.exchanges for held in holdings}, asked_ms)
        fresh |= await self._show(self.hub, overview.hub, overview.asked_namespaces)
        await self.past.fetch(self.hub)
        await self.scopes.fetch(self.hub)
        await self.calibrations.fetch(self.hub)
        fresh |= await self._ask_periods(self.hub)
        return frozenset(fresh | self.keep(tuple(self.past.scheduled())))

    async def _ask_periods(self, hub: HubClient) -> frozenset[str]:
        """Ask for error budgets. What goes wrong there keeps nothing else from being known."""
        try:
            return await self.burns.refresh(hub) | await self.periods.refresh(hub)
        except HubUnavailableError as error:
            log.warning("error_budgets=not_asked error=%r", str(error)[:200])
            return frozenset()

    async def _note_erasures(self, hub: HubClient) -> None:
        """Ask for all results again when something was erased: those that are held may name it."""
        erased = await hub.audit(self._erased_ms + 1, "erase")
        times = [one["time_ms"] for one in erased if isinstance(one.get("time_ms"), int)]
        if times:
            self._erased_ms, self._since_ms = max(times), 0

    async def _show(self, hub: HubClient, hub_id: str, asked: Sequence[str]) -> frozenset[str]:
        """Show people what changed, and hear what they said; what goes wrong there keeps nothing else from being asked.

        Return the endpoints of which something else was said.
        """
        try:
            if self.silences is not None:
                await self.silences.carry_out(hub)
            if self.namespaces is not None:
                await self.namespaces.refresh(hub, asked)
            if self.shown is not None:
                await self.shown.refresh(hub, hub_id)
            return await self.labels.refresh(hub, hub_id)
        except HubUnavailableError as error:
            log.warning("shown=not_sent error=%r", str(error)[:200])
            return frozenset()

    async def _send_rules(self, hub: HubClient) -> None:
        """Send the rules where they changed. Results are requested even from a hub that refuses them."""
        rules, unseen = dict(self.rules()), frozenset(self.unseen())
        if (rules, unseen) == self._rules_sent:
            return
        try:
            for name, cause in (await hub.put_rules(rules, unseen)).items():
                log.warning("hub_rule=refused endpoint=%s cause=%r", name, cause)
        except HubUnavailableError as error:
            if not error.status:
                raise
            if (text := str(error)[:200]) != self._rules_problem:
                log.warning("hub_rules=refused status=%d error=%r", error.status, text)
            self._rules_problem = text
            return
        self._rules_sent, self._rules_problem = (rules, unseen), ""

    def _asked_from_ms(self) -> int:
        """From when on results are requested; all that are kept, once the clock was set back: by it some were old."""
        now_ms = self.clock_ms()
        set_back = now_ms < self._since_ms - _OVERLAP_MS
        return max(0, now_ms - KEPT_MS, 0 if set_back else self._since_ms - _OVERLAP_MS)

    def _found_again(self) -> None:
        # Collectors wait twice as long after each failure, so their last pause is at most twice the time away.
        now_ms = self.clock_ms()
        away_ms = now_ms - self._lost_ms
        pause_ms = min(_SPOOL_MS, 2 * away_ms) if away_ms >= 0 else _SPOOL_MS
        self.complete_from_ms = now_ms + pause_ms + _SPOOL_SLACK_MS

    def _lost(self, error: Exception) -> None:
        text = str(error)[:200]
        if self.available is not False:
            self._lost_ms = self.clock_ms()
            log.warning("hub=unreachable error=%r", text)
        # A hub that was away may have lost its rules with its memory: send them again.
        self.available, self.problem, self._rules_sent, self.history = False, text, None, None
        self.budgets.forget_sent()

    def keep(self, results: Sequence[WindowResult]) -> frozenset[str]:
        """Take results in and forget others; return the endpoints (`namespace/name`) with new ones."""
        now_ms = self.clock_ms()
        near = [one for one in results if one.to_ms <= now_ms + KEPT_MS]
        if len(near) < len(results):
            self.skipped("future", len(results) - len(near))
        fresh = self._results.keep(near)
        self._results.drop_outside(now_ms - KEPT_MS, now_ms + KEPT_MS)
        for namespace, number in self._results.drop_surplus().items():
            log.warning("results=too_many namespace=%s dropped=%d next=%r", namespace, number, "evaluate less often")
            self.skipped("share", number)
        return frozenset(fresh)
