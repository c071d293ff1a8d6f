"""On servers that accept any name, the models that are asked for have the labels, and invented names do not last."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator

import pytest
from collector_rig import json_answer, post, rig, run
from hypothesis import given
from hypothesis import strategies as st

from modelward.collector import families
from modelward.collector.metrics_recorder import OTHER_MODEL, MetricsRecorder
from modelward.collector.model_labels import CHANGE_SECONDS, CHANGES_AT_ONCE, MAX_MODELS, ModelLabels
from modelward.collector.rendering import render
from modelward.collector.shared_metrics import SharedMetrics, new_board_fd


@pytest.fixture
def board_fd() -> Iterator[int]:
    fd = new_board_fd("test")
    yield fd
    os.close(fd)


def asked(recorder: MetricsRecorder, name: str, times: int = 1) -> None:
    """Count so many successful requests for a model."""
    for _ in range(times):
        recorder.finished(recorder.model(name, 200).model, "chat", 200, "ok", 0.1)


def labelled(board: SharedMetrics) -> set[str]:
    return {labels[0] for (name, labels), values in board.read() if name == families.REQUESTS and values[0]}


def test_the_real_model_gets_a_label_after_any_number_of_invented_names() -> None:
    async def script(head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(json_answer(b"{}"))

    async def work() -> None:
        async with rig(script) as one:
            for number in range(25):
                await one.ask(post(b'{"model":"fake%d"}' % number))
            await one.ask(post(b'{"model":"the-real-one"}'))
            for number in range(25, 75):
                await one.ask(post(b'{"model":"fake%d"}' % number))
                await one.ask(post(b'{"model":"the-real-one"}'))
            assert one.value(families.REQUESTS, model="the-real-one") == 51
            assert one.value(families.REQUESTS, model="fake0") == 0

    run(work())


def test_a_model_in_use_keeps_its_label_whatever_names_are_invented(board_fd: int) -> None:
    board = SharedMetrics(board_fd)
    recorder = MetricsRecorder(board, "r1")
    for number in range(500):
        asked(recorder, "real", 2)
        asked(recorder, f"fake{number}", 2)
        for _ in range(CHANGE_SECONDS):
            recorder.tick()
    assert "real" in labelled(board)
    assert len(labelled(board) - {OTHER_MODEL}) <= MAX_MODELS


def test_labels_change_hands_a_bounded_number_of_times_and_then_for_the_most_asked_for(board_fd: int) -> None:
    board = SharedMetrics(board_fd)
    recorder = MetricsRecorder(board, "r1")
    seen: set[str] = set()
    for number in range(200):
        asked(recorder, f"fake{number}")
        seen |= labelled(board)
    assert len(seen - {OTHER_MODEL}) == MAX_MODELS + CHANGES_AT_ONCE - 1
    asked(recorder, "real", 2)
    assert "real" in labelled(board), "the last change is kept for it"
    asked(recorder, "late", 9)
    assert "late" not in labelled(board)
    for _ in range(CHANGE_SECONDS):
        recorder.tick()
    asked(recorder, "fake7", 5)
    assert "fake7" not in labelled(board), "another name without a label is asked for more"
    asked(recorder, "late")
    assert "late" in labelled(board)


def test_an_exchange_under_way_is_not_counted_for_the_model_that_takes_the_label(board_fd: int) -> None:
    recorder = MetricsRecorder(SharedMetrics(board_fd), "r1")
    held = recorder.model("first", 200)
    for number in range(MAX_MODELS - 1):
        asked(recorder, f"m{number}", 5)
    asked(recorder, "next", 3)
    assert recorder.model("next", 200).model == "next"
    assert held.model == OTHER_MODEL
    held.chunks[0] += 7
    assert recorder.model("next", 200).chunks[0] == 0


@given(st.lists(st.sampled_from([f"m{n}" for n in range(30)]), max_size=400))
def test_who_takes_a_label_was_asked_for_no_less(names: list[str]) -> None:
    labels, held = ModelLabels({}), [f"m{n}" for n in range(MAX_MODELS)]
    counts = dict.fromkeys(held, 0)
    for name in names:
        labels.note(name)
        counts[name] = counts.get(name, 0) + 1
        for _ in range(CHANGE_SECONDS):
            labels.tick()
        less = "" if name in held else labels.displaced_by(name, held)
        if less:
            assert counts[less] <= counts[name]
            assert counts[less] == min(counts[each] for each in held)
            held[held.index(less)] = name


def test_names_that_are_remembered_are_bounded_and_old_fame_fades() -> None:
    labels = ModelLabels({})
    for number in range(5_000):
        labels.note(f"fake{number}")
    assert len(labels._asked) <= 201
    for _ in range(1_000):
        labels.note("of-last-year")
    for _ in range(150_000):
        labels.note("of-today")
    labels.note("new")
    assert labels.displaced_by("new", ["of-today"]) == ""
    assert labels.displaced_by("new", ["of-last-year"]) == "of-last-year"


def test_another_process_sees_a_renamed_series_under_its_new_name_and_from_zero(board_fd: int) -> None:
    board = SharedMetrics(board_fd)
    old, new = ("modelward_chunks_total", ("a", "r1")), ("modelward_chunks_total", ("a/much/longer/name", "r1"))
    board.cell(*old, room=100)[0] = 5
    before = board.cell("modelward_collector_sent_total")
    before[0] = 3
    board.rename(old, new)
    board.cell(*new)[0] += 2
    found = dict(SharedMetrics(board_fd).read())
    assert found == {new: [2.0], ("modelward_collector_sent_total", ()): [3.0]}
    assert 'model="a/much/longer/name"' in render(list(found.items()), {}, "r1")


def test_a_key_without_room_ends_its_series_and_harms_no_other(board_fd: int) -> None:
    board = SharedMetrics(board_fd)
    old, new = ("modelward_chunks_total", ("a", "r1")), ("modelward_chunks_total", ("b" * 100, "r1"))
    board.cell(*old)[0] = 5
    board.cell("modelward_collector_sent_total")[0] = 3
    board.rename(old, new)
    board.cell(*new)[0] += 1
    assert dict(SharedMetrics(board_fd).read()) == {new: [1.0], ("modelward_collector_sent_total", ()): [3.0]}


def test_a_reader_passes_over_a_series_that_is_being_renamed(board_fd: int) -> None:
    board = SharedMetrics(board_fd)
    board.cell("modelward_chunks_total", ("a", "r1"), room=100)[0] = 5
    board.cell("modelward_collector_sent_total")[0] = 3
    place = board._keys["modelward_chunks_total", ("a", "r1")]
    place[0] = 0
    assert [key[0] for key, _ in SharedMetrics(board_fd).read()] == ["modelward_collector_sent_total"]


def test_a_restarted_data_plane_keeps_the_labels_and_knows_how_much_they_are_asked_for(board_fd: int) -> None:
    recorder = MetricsRecorder(SharedMetrics(board_fd), "r1")
    for number in range(MAX_MODELS):
        asked(recorder, f"m{number}", 3)
    again = MetricsRecorder(SharedMetrics(board_fd), "r1")
    assert again.model("m3", 200).model == "m3"
    assert again.model("", 200).model == ""
    assert [again.model("late", 200).model for _ in range(3)] == [OTHER_MODEL] * 2 + ["late"]
