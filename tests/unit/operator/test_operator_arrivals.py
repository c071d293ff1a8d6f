"""What counts as new: all at the start, then what came since an endpoint was judged, whatever is dropped meanwhile."""

from modelward.operator.hub.arrivals import Arrivals


def test_arrivals_all_that_is_held_is_new_until_it_is_judged() -> None:
    arrivals = Arrivals()
    assert arrivals.since_judged("retail/chat") == 0
    arrivals.look({"retail/chat": 7, "retail/mail": 2})
    assert arrivals.since_judged("retail/chat") == 7
    arrivals.judged(["retail/chat"])
    arrivals.look({"retail/chat": 9, "retail/mail": 2})
    assert (arrivals.since_judged("retail/chat"), arrivals.since_judged("retail/mail")) == (2, 2)


def test_arrivals_what_the_hub_drops_takes_nothing_away() -> None:
    arrivals = Arrivals()
    arrivals.look({"retail/chat": 100})
    arrivals.judged(["retail/chat"])
    arrivals.look({"retail/chat": 40})
    arrivals.look({"retail/chat": 43})
    assert arrivals.since_judged("retail/chat") == 3


def test_arrivals_an_endpoint_without_exchanges_is_forgotten() -> None:
    arrivals = Arrivals()
    arrivals.look({"retail/chat": 5})
    arrivals.look({})
    assert arrivals.since_judged("retail/chat") == 0
