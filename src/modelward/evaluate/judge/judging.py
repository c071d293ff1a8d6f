"""Judging records in each mode: by themselves, against a good answer, or as one of two in both orders."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from modelward.api.judge import JudgeReference
from modelward.evaluate.judge.asking import Asker, Outcome
from modelward.evaluate.judge.labels import LabelSet
from modelward.evaluate.judge.prompt import Task
from modelward.evaluate.judge.reading import LabelReading, NoLabel
from modelward.evaluate.judge.record import JudgedRecord, shortened
from modelward.evaluate.judge.settings import JudgeSettings

WORSE, BETTER, TIE = "worse", "better", "tie"
_FIRST, _SECOND = "first", "second"
_WHICH = "By the rubric, which answer is better?"


@dataclass(frozen=True, slots=True)
class NoReference:
    """A record with a question that no reference answers."""


async def judged(asker: Asker, record: JudgedRecord) -> Outcome | NoReference:
    """Return what a judge says of one record in its mode; never raises for anything that a judge does."""
    settings = asker.settings
    reference = reference_of(settings.references, record.question)
    if settings.mode == "Single":
        return await asker.within_time(lambda: asker.reading(single(settings, record), record.id))
    if reference is None:
        return NoReference()
    if settings.mode == "Reference":
        return await asker.within_time(lambda: asker.reading(beside(settings, record, reference), record.id))
    return await asker.within_time(lambda: _both_orders(asker, record, reference))


def single(settings: JudgeSettings, record: JudgedRecord) -> Task:
    """Return the task of one record by itself."""
    return Task(record.fields(settings.sees), settings.label_set)


def beside(settings: JudgeSettings, record: JudgedRecord, reference: str) -> Task:
    """Return the task of one record with a good answer."""
    return Task({**record.fields(settings.sees), "reference": shortened(reference)}, settings.label_set)


def pair(settings: JudgeSettings, record: JudgedRecord, reference: str, *, swapped: bool) -> Task:
    """Return the task of two answers; a fault is that the reference is better, wherever it stands."""
    fields = {name: value for name, value in record.fields(settings.sees).items() if name != "answer"}
    answers = (reference, record.answer) if swapped else (record.answer, reference)
    theirs, ours = (_FIRST, _SECOND) if swapped else (_SECOND, _FIRST)
    shown = {_FIRST: shortened(answers[0]), _SECOND: shortened(answers[1])}
    return Task({**fields, **shown}, LabelSet((theirs,), (ours,), (TIE,)), _WHICH)


async def _both_orders(asker: Asker, record: JudgedRecord, reference: str) -> Outcome:
    found: list[LabelReading] = []
    for swapped in (False, True):
        one = await asker.reading(pair(asker.settings, record, reference, swapped=swapped), f"{record.id}/{swapped}")
        if isinstance(one, NoLabel):
            return one
        found.append(one)
    return of_both(found)


def of_both(found: Sequence[LabelReading]) -> LabelReading:
    """Return what two orders say together: where they part, whatever came first was preferred, and it is a tie."""
    value = sum(0.5 if one.value is None else one.value for one in found) / len(found)
    meanings = {one.meaning for one in found}
    reason, by = found[0].reason, found[0].by
    if meanings == {"Fault"}:
        return LabelReading(WORSE, "Fault", value, reason, by)
    if meanings == {"OK"}:
        return LabelReading(BETTER, "OK", value, reason, by)
    return LabelReading(TIE, "OK", min(value, 0.5), reason, by)


def reference_of(references: Sequence[JudgeReference], question: str) -> str | None:
    """Return the good answer to a question, None where there is none."""
    known: Mapping[str, str] = {_words(one.question): one.answer for one in references}
    return known.get(_words(question))


def _words(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))
