"""The forms of texts: one pattern for the rule and the reader, and words that name the value and what to write."""

import pytest
from pydantic import ValidationError

from modelward.api import crd
from modelward.api.form import BASE_URL, DURATION, FORMS, PERCENT, durations, in_words
from modelward.api.monitoringpolicy import MonitoringPolicySpec
from modelward.api.policy_objective import PolicyObjective
from modelward.api.structural import walk


def nodes() -> dict[str, dict[str, object]]:
    return {
        kind.short_name + path: node
        for kind, document in zip(crd.KINDS, crd.documents(), strict=True)
        for path, node in walk(document["spec"]["versions"][0]["schema"]["openAPIV3Schema"])
    }


def test_a_text_of_another_form_is_refused_in_words_that_say_how_to_write_it() -> None:
    rules = nodes()["mpol.spec.objectives[].over"]["x-kubernetes-validations"]
    sentence = " is not a duration; write whole numbers with h, m, s or ms, such as 15m or 1h30m (a day is 24h)"
    assert rules == [
        {
            "rule": f"self.matches(r'{DURATION.pattern}')",
            "message": f"this{sentence}",
            "messageExpression": f"'\"' + self + '\"{sentence}'",
        }
    ]
    assert DURATION.fault("5 min") == f'"5 min"{sentence}'


def test_no_pattern_of_a_spec_answers_with_its_bare_expression() -> None:
    assert [path for path, node in nodes().items() if ".spec" in path and "pattern" in node] == []


def test_no_sentence_ends_the_text_of_the_rule_that_holds_it() -> None:
    for form in FORMS.values():
        assert not set("'\"\\\n") & set(form.noun + form.advice)
        assert "'" not in form.pattern


def test_what_we_read_ourselves_is_refused_in_the_same_words() -> None:
    with pytest.raises(ValidationError) as caught:
        PolicyObjective.model_validate({"name": "a", "metric": "ErrorRate", "maxRate": "5"})
    assert in_words(caught.value, "spec") == (f"spec.maxRate: {PERCENT.fault('5')}",)
    with pytest.raises(ValidationError) as caught:
        PolicyObjective.model_validate({"name": "a", "metric": "Guess"})
    (fault,) = in_words(caught.value)
    assert fault.startswith("metric: Input should be 'TimeToFirstToken'")


def test_the_place_of_a_fault_is_written_as_the_api_server_does() -> None:
    spec = {"endpointSelector": {}, "objectives": [{"name": "a", "metric": "ErrorRate", "maxRate": 0.01}]}
    with pytest.raises(ValidationError) as caught:
        MonitoringPolicySpec.model_validate(spec)
    assert in_words(caught.value, "spec") == ("spec.objectives[0].maxRate: 0.01 is not text; write it in quotes",)


def test_a_url_that_may_hold_a_password_is_not_quoted() -> None:
    assert "hunter2" not in BASE_URL.fault("https://me:hunter2@host?x")
    assert "messageExpression" not in BASE_URL.rule()


def test_a_rule_on_a_duration_leaves_one_that_is_none_to_the_rule_of_its_form() -> None:
    assert durations("self.over") == f"!(self.over.matches(r'{DURATION.pattern}')) ||"
    for path, node in nodes().items():
        for rule in node.get("x-kubernetes-validations", ()):  # type: ignore[attr-defined]
            used = "duration(self" in rule["rule"] or "duration(e." in rule["rule"]
            assert not used or DURATION.pattern in rule["rule"], path
