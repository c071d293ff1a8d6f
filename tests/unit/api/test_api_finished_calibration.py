"""A calibration ships as counts and hashes; one that was edited, cut, or never came to an end is refused."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelward.api.calibration import (
    CalibrationOutcome,
    OwnLabels,
    calibration_from_json,
    calibration_to_json,
    repeated,
)
from modelward.api.finished_calibration import KEY, finished_config_map, finished_from_json, finished_to_json

FOUND = CalibrationOutcome(
    "home", "tone", "judge/1+3f9a01cc", "uid-at-home/7", 1_795_480_000_000, labels=120, found=55, positives=60,
    false_alarms=6, negatives=60, kappa_ppm=810_000, kappa_low_ppm=680_000, kappa_high_ppm=900_000,
    readout="CompletionLabel", threshold="0.190", abstain_below="0.310", attacked=300, flipped=2, tokens=90_000,
    price=126_000, answered="judge/1+77aa01cc", own={"bot": OwnLabels(3, 4, 1, 9)}, labels_digest="a1b2",
)  # fmt: skip


def shipped(**changes: Any) -> CalibrationOutcome:
    return replace(FOUND, namespace="away", evaluator="other", labels_version="", tokens=0, price=0, own={}, **changes)


def test_what_is_shipped_is_read_as_it_was_found_without_what_holds_at_home_only() -> None:
    document = json.loads(json.dumps(finished_to_json(FOUND)))
    assert finished_from_json(document, "away", "other") == shipped()
    text = finished_config_map(FOUND, "tone-calibration")["data"][KEY]
    assert finished_from_json(json.loads(text), "away", "other") == shipped()
    assert not {"home", "uid-at-home/7", "bot"} & {part.strip('",') for part in text.split()}


@pytest.mark.parametrize("name", sorted(set(finished_to_json(FOUND)) - {"contract", "digest"}))
def test_a_field_that_was_edited_or_cut_is_noticed(name: str) -> None:
    document = finished_to_json(FOUND)
    other = document[name] + 1 if isinstance(document[name], int) else f"{document[name]}1"
    with pytest.raises(ValueError, match="edited or cut"):
        finished_from_json({**document, name: other}, "away", "other")
    with pytest.raises(ValueError, match="edited or cut"):
        finished_from_json({key: value for key, value in document.items() if key != name}, "away", "other")


@pytest.mark.parametrize(
    "changes",
    [
        {"reason": "CalibrationLimited"}, {"positives": 0, "found": 0}, {"negatives": 0, "false_alarms": 0},
    ],
)  # fmt: skip
def test_what_came_to_no_end_is_not_shipped(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="no rates"):
        finished_to_json(replace(FOUND, **changes))


@pytest.mark.parametrize(
    "changes", [{"labels": 121}, {"found": 61}, {"flipped": 301}, {"threshold": "nan"}, {"threshold": "half"}]
)
def test_counts_that_contradict_each_other_are_refused_though_their_digest_fits(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # each has words of its own
        finished_from_json(finished_to_json(replace(FOUND, **changes)), "away", "other")


def test_labels_of_endpoints_at_home_cannot_be_smuggled_in() -> None:
    body = {name: value for name, value in finished_to_json(FOUND).items() if name not in ("contract", "digest")}
    body["own"] = {"bot": {"flagged": 50, "flagged_faulty": 0, "others": 50, "others_faulty": 0}}
    digest = hashlib.sha256(json.dumps(body, sort_keys=True, separators=(",", ":")).encode()).hexdigest()[:32]
    with pytest.raises(ValueError, match="one cluster only"):
        finished_from_json({"contract": "calibration/v1", **body, "digest": digest}, "away", "other")


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda one: st.lists(one) | st.dictionaries(
    st.sampled_from(["contract", "digest", "labels", "found", "version"]), one)))  # fmt: skip
def test_what_is_no_calibration_is_refused_in_words(data: Any) -> None:
    with pytest.raises(ValueError, match=r"contract|digest"):
        finished_from_json(data, "away", "other")


FAILED = CalibrationOutcome(
    "home", "tone", FOUND.version, "uid-at-home/8", FOUND.at_ms + 9, tokens=95_000, reason="JudgeUnavailable",
    message="HTTP 401",
)  # fmt: skip


def test_a_later_calibration_that_found_no_rates_leaves_those_that_there_are_and_says_so() -> None:
    told = repeated(FOUND, FAILED)
    assert (told.found, told.at_ms, told.labels_version) == (FOUND.found, FOUND.at_ms, FOUND.labels_version)
    assert (told.repeat_reason, told.repeat_message, told.repeat_labels) == (
        "JudgeUnavailable",
        "HTTP 401",
        "uid-at-home/8",
    )
    assert told.tokens == 95_000
    assert calibration_from_json(json.loads(json.dumps(calibration_to_json(told)))) == told
    assert repeated(told, replace(FAILED, message="HTTP 403")).repeat_message == "HTTP 403"


@pytest.mark.parametrize(
    ("before", "found"),
    [
        (None, FAILED),
        (replace(FOUND, reason="CalibrationLimited"), FAILED),
        (FOUND, replace(FAILED, version="judge/1+other")),
        (repeated(FOUND, FAILED), replace(FOUND, found=20, at_ms=FOUND.at_ms + 10)),
    ],
)
def test_of_another_version_or_with_rates_of_its_own_the_later_one_counts(
    before: CalibrationOutcome | None, found: CalibrationOutcome
) -> None:
    assert repeated(before, found) is found
