"""The schedule hands out each key once, when it is due, and never twice at a time."""

from hypothesis import settings, strategies
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from long_form import FULL

from modelward.operator.runtime.work_queue import Lane, WorkKey, WorkQueue

CHAT = WorkKey("endpoint", "retail", "chat")
MAIL = WorkKey("endpoint", "retail", "mail")


def test_schedule_a_key_asked_for_twice_is_handed_out_once() -> None:
    schedule = WorkQueue()
    assert schedule.add(CHAT, Lane.SPEC, 0, 0)
    assert not schedule.add(CHAT, Lane.SPEC, 0, 0)
    assert schedule.take(Lane.SPEC, 2) == (CHAT, 2)
    assert schedule.take(Lane.SPEC, 2) is None


def test_schedule_what_is_not_due_waits_and_an_earlier_wish_wins() -> None:
    schedule = WorkQueue()
    schedule.add(CHAT, Lane.SPEC, 300, 0)
    assert schedule.take(Lane.SPEC, 299) is None
    assert schedule.next_due(Lane.SPEC) == 300
    schedule.add(CHAT, Lane.SPEC, 5, 0)
    schedule.add(CHAT, Lane.SPEC, 400, 0)
    assert schedule.take(Lane.SPEC, 5) == (CHAT, 0)
    assert schedule.next_due(Lane.SPEC) is None


def test_schedule_a_change_by_people_overtakes_the_periodic_refresh() -> None:
    schedule = WorkQueue()
    schedule.add(CHAT, Lane.STATUS, 300, 0)
    schedule.add(CHAT, Lane.SPEC, 1, 1)
    assert schedule.take(Lane.STATUS, 300) is None
    assert schedule.take(Lane.SPEC, 1) == (CHAT, 0)


def test_schedule_never_sinks_from_the_spec_lane() -> None:
    schedule = WorkQueue()
    schedule.add(CHAT, Lane.SPEC, 10, 0)
    schedule.add(CHAT, Lane.STATUS, 2, 0)
    assert schedule.take(Lane.SPEC, 2) is not None


def test_schedule_a_key_under_work_is_taken_again_only_after_it() -> None:
    schedule = WorkQueue()
    schedule.add(CHAT, Lane.SPEC, 0, 0)
    schedule.take(Lane.SPEC, 0)
    schedule.add(CHAT, Lane.STATUS, 1, 1)
    assert schedule.take(Lane.STATUS, 9) is None
    assert schedule.next_due(Lane.STATUS) is None
    schedule.done(CHAT)
    assert schedule.take(Lane.STATUS, 9) == (CHAT, 8)


def test_schedule_the_longest_due_goes_first_and_depth_counts_what_is_due() -> None:
    schedule = WorkQueue()
    schedule.add(CHAT, Lane.SPEC, 5, 0)
    schedule.add(MAIL, Lane.SPEC, 3, 0)
    assert [schedule.depth(Lane.SPEC, now) for now in (2, 4, 6)] == [0, 1, 2]
    assert schedule.take(Lane.SPEC, 6) == (MAIL, 3)
    assert schedule.active() == {MAIL: 6}


def test_schedule_a_namespace_with_countless_keys_makes_another_wait_for_one_of_them() -> None:
    schedule = WorkQueue()
    for number in range(5_000):
        schedule.add(WorkKey("endpoint", "greedy", str(number)), Lane.SPEC, 0, 0)
    schedule.add(CHAT, Lane.SPEC, 1, 1)
    schedule.add(MAIL, Lane.SPEC, 2, 2)
    taken = [schedule.take(Lane.SPEC, 3) for _ in range(4)]
    assert [key.namespace for key, _ in filter(None, taken)] == ["greedy", "retail", "greedy", "retail"]
    schedule.add(WorkKey("endpoint", "late", "x"), Lane.SPEC, 3, 3)
    assert "late" in {(schedule.take(Lane.SPEC, 4) or (CHAT, 0))[0].namespace for _ in range(2)}


class ScheduleMachine(RuleBasedStateMachine):
    """Against a model: of each key the earliest wish and the better lane, and which are under work."""

    keys = strategies.sampled_from(
        [CHAT, MAIL, WorkKey("policy", "other", "baseline"), WorkKey("endpoint", "other", "chat")]
    )
    lanes = strategies.sampled_from(list(Lane))

    def __init__(self) -> None:
        super().__init__()
        self.schedule = WorkQueue()
        self.now = 0.0
        self.wished: dict[WorkKey, tuple[Lane, float]] = {}
        self.active: set[WorkKey] = set()

    @rule(key=keys, lane=lanes, after=strategies.integers(0, 5))
    def add(self, key: WorkKey, lane: Lane, after: int) -> None:
        self.schedule.add(key, lane, self.now + after, self.now)
        before = self.wished.get(key, (lane, self.now + after))
        better = Lane.SPEC if Lane.SPEC in (lane, before[0]) else Lane.STATUS
        self.wished[key] = better, min(before[1], self.now + after)

    @rule(lane=lanes)
    def take(self, lane: Lane) -> None:
        ready = {
            key: due
            for key, (place, due) in self.wished.items()
            if place == lane and due <= self.now and key not in self.active
        }
        taken = self.schedule.take(lane, self.now)
        assert (taken is None) == (not ready)
        if taken is not None:
            assert ready[taken[0]] == min(due for key, due in ready.items() if key.namespace == taken[0].namespace)
            del self.wished[taken[0]]
            self.active.add(taken[0])

    @precondition(lambda self: self.active)
    @rule(data=strategies.data())
    def done(self, data: strategies.DataObject) -> None:
        key = data.draw(strategies.sampled_from(sorted(self.active)))
        self.schedule.done(key)
        self.active.discard(key)

    @rule(seconds=strategies.integers(0, 3))
    def wait(self, seconds: int) -> None:
        self.now += seconds

    @invariant()
    def next_due_is_never_too_late(self) -> None:
        for lane in Lane:
            dues = [due for key, (place, due) in self.wished.items() if place == lane and key not in self.active]
            assert self.schedule.next_due(lane) == min(dues, default=None)


ScheduleMachine.TestCase.settings = settings(max_examples=150 if FULL else 75, stateful_step_count=30, deadline=None)
TestScheduleMachine = ScheduleMachine.TestCase
