"""What counts as new: all at the start, then what came since an evaluation was made, whatever is dropped meanwhile."""

from modelward.operator.hub.arrivals import Arrivals

TOPIC, LEAKS = ("baseline", "topic"), ("baseline", "leaks")
NOW_MS = 1_795_480_000_000


def fresh(arrivals: Arrivals, endpoint: str, evaluation: tuple[str, str] = TOPIC) -> int:
    return arrivals.traffic(endpoint, NOW_MS).fresh(evaluation)


def test_arrivals_all_that_is_held_is_new_until_it_is_judged() -> None:
    arrivals = Arrivals()
    assert fresh(arrivals, "retail/chat") == 0
    arrivals.take({"retail/chat": 7, "retail/mail": 2}, NOW_MS)
    assert fresh(arrivals, "retail/chat") == 7
    arrivals.judged("retail/chat", [TOPIC], NOW_MS)
    arrivals.take({"retail/chat": 9, "retail/mail": 2}, NOW_MS + 2_000)
    assert (fresh(arrivals, "retail/chat"), fresh(arrivals, "retail/mail")) == (2, 2)


def test_arrivals_what_one_evaluation_judged_is_new_to_the_others() -> None:
    arrivals = Arrivals()
    arrivals.take({"retail/chat": 7}, NOW_MS)
    arrivals.judged("retail/chat", [TOPIC], NOW_MS)
    assert (fresh(arrivals, "retail/chat"), fresh(arrivals, "retail/chat", LEAKS)) == (0, 7)


def test_arrivals_what_came_after_the_end_of_the_window_is_still_new() -> None:
    arrivals = Arrivals()
    for second, held in enumerate((1, 3, 40, 120)):
        arrivals.take({"retail/chat": held}, NOW_MS + second * 2_000)
    arrivals.judged("retail/chat", [TOPIC], NOW_MS + 3_000)
    assert fresh(arrivals, "retail/chat") == 120 - 3
    for second in range(4, 30):
        arrivals.take({"retail/chat": 120}, NOW_MS + second * 2_000)
    arrivals.judged("retail/chat", [TOPIC], NOW_MS + 53_000)
    assert fresh(arrivals, "retail/chat") == 0


def test_arrivals_nothing_is_taken_for_judged_that_a_clock_had_in_the_future() -> None:
    arrivals = Arrivals()
    arrivals.take({"retail/chat": 1}, NOW_MS)
    arrivals.take({"retail/chat": 50}, NOW_MS + 3_600_000)
    arrivals.take({"retail/chat": 51}, NOW_MS + 2_000)
    arrivals.judged("retail/chat", [TOPIC], NOW_MS + 1_000)
    assert fresh(arrivals, "retail/chat") == 50


def test_arrivals_what_the_hub_drops_takes_nothing_away() -> None:
    arrivals = Arrivals()
    arrivals.take({"retail/chat": 100}, NOW_MS)
    arrivals.judged("retail/chat", [TOPIC], NOW_MS)
    arrivals.take({"retail/chat": 40}, NOW_MS)
    arrivals.take({"retail/chat": 43}, NOW_MS)
    assert fresh(arrivals, "retail/chat") == 3


def test_arrivals_an_endpoint_without_exchanges_is_forgotten() -> None:
    arrivals = Arrivals()
    arrivals.take({"retail/chat": 5}, NOW_MS)
    arrivals.judged("retail/chat", [TOPIC], NOW_MS)
    arrivals.take({}, NOW_MS)
    assert fresh(arrivals, "retail/chat") == 0
    arrivals.take({"retail/chat": 2}, NOW_MS)
    assert fresh(arrivals, "retail/chat") == 2
