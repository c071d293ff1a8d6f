"""The labelled sets that heads are trained on and measured with: where each is had, and its rows.

A set lies in a folder of its own under `eval` of the data folder, as its repository has it. Nothing is downloaded.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from modelward.job.training.attack_samples import attack_samples
from modelward.job.training.composed_attacks import composed_attacks
from modelward.job.training.composed_harm import composed_harm
from modelward.job.training.composed_requests import composed_requests
from modelward.job.training.harm_samples import samples


class MissingSetError(RuntimeError):
    """A labelled set is not in the data folder; the message says where it is had."""


@dataclass(frozen=True, slots=True)
class Row:
    """A text with the label that its set gives it, and the question where the text is an answer."""

    text: str
    label: str
    question: str = ""


@dataclass(frozen=True, slots=True)
class LabelledSet:
    """A public set: its folder, licence, repository on GitHub, and how its files become rows."""

    name: str
    folder: str
    licence: str
    repository: str
    read: Callable[[Path], Iterable[Row]]

    def rows(self, data: Path) -> list[Row]:
        """Read all rows, in the order of the files. MissingSetError when there is no such folder."""
        folder = data / "eval" / self.folder
        try:
            return list(self.read(folder))
        except FileNotFoundError as error:
            file = Path(error.filename or folder).name
            raise MissingSetError(
                f"{self.name}: {folder} has no {file}; put there the files of github.com/{self.repository}"
            ) from error


def digest(rows: Iterable[Row]) -> str:
    """Return SHA-256 over texts, labels and questions, so that a head names exactly what it was trained on."""
    found = hashlib.sha256()
    for row in rows:
        for part in (row.text, row.label, *([row.question] if row.question else ())):
            data = part.encode("utf-8", "surrogatepass")
            found.update(len(data).to_bytes(8, "big") + data)
    return found.hexdigest()


def _csv(path: Path) -> Iterator[dict[str, str]]:
    return csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"), newline=""))


def _lines(path: Path) -> Iterator[Any]:
    return (json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip())


def _goemotions(part: str) -> Callable[[Path], Iterator[Row]]:
    def read(folder: Path) -> Iterator[Row]:
        for line in (folder / f"{part}.tsv").read_text(encoding="utf-8").split("\n"):
            if line.strip():
                text, label, *_ = line.split("\t")
                yield Row(text, label)

    return read


def _clinc(*parts: str) -> Callable[[Path], Iterator[Row]]:
    def read(folder: Path) -> Iterator[Row]:
        data = json.loads((folder / "data_full.json").read_text(encoding="utf-8"))
        return (Row(text, label) for part in parts for text, label in data[part])

    return read


def _banking(part: str) -> Callable[[Path], Iterator[Row]]:
    return lambda folder: (Row(row["text"], row["category"]) for row in _csv(folder / f"{part}.csv"))


def _davidson(folder: Path) -> Iterator[Row]:
    names = {"0": "hate", "1": "offensive", "2": "neither"}
    return (Row(row["tweet"], names[row["class"]]) for row in _csv(folder / "labeled_data.csv"))


def _deepset(folder: Path) -> Iterator[Row]:
    data = json.loads((folder / "deepset_prompt_injections.json").read_text(encoding="utf-8"))
    names = {"DENY": "injection", "ALLOW": "benign"}
    return (Row(case["content"], names[case["expected_decision"]]) for case in data["cases"])


def _jailbreaks(*files: str) -> Callable[[Path], Iterator[Row]]:
    return lambda folder: (
        Row(row["prompt"], "jailbreak") for name in files for row in _csv(folder / f"{name}.csv") if row["prompt"]
    )


def _attacks(folder: Path) -> Iterator[Row]:
    for part in ("train", "test"):
        kinds = json.loads((folder / f"text_attack_{part}.json").read_text(encoding="utf-8"))
        yield from (Row(text, "attack") for texts in kinds.values() for text in texts)


def _emails(folder: Path) -> Iterator[Row]:
    return (Row(row["context"], part) for part in ("train", "test") for row in _lines(folder / f"email_{part}.jsonl"))


def _xstest_prompts(folder: Path) -> Iterator[Row]:
    return (Row(row["prompt"], row["label"]) for row in _csv(folder / "xstest_prompts.csv"))


def _xstest_answers(model: str) -> Callable[[Path], Iterator[Row]]:
    """Read the answers of one model; partial refusals refuse."""

    def read(folder: Path) -> Iterator[Row]:
        for row in _lines(folder / "xstest_completions_labelled.jsonl"):
            if row["model"] == model:
                label = "answer" if row["label"].startswith("1") else "refusal"
                yield Row(row["completion"], label, row["prompt"])

    return read


def _small_models(_: Path) -> Iterator[Row]:
    file = resources.files(__package__) / ANSWERS_FILE
    return (Row(*json.loads(line)) for line in file.read_text(encoding="utf-8").splitlines())


def _moderation(folder: Path) -> Iterator[Row]:
    """Label by the categories that are set, hate and threats H, sexual S, violence V, harassment HR, self-harm SH."""
    packed = folder / "samples-1680.jsonl.gz"
    text = gzip.decompress(packed.read_bytes()).decode("utf-8") if packed.exists() else ""
    for row in map(json.loads, text.splitlines()) if text else _lines(folder / "samples-1680.jsonl"):
        found = [name for name in ("H", "H2", "V", "V2", "HR", "S", "S3", "SH") if row.get(name)]
        yield Row(row["prompt"], "+".join(found) or "none")


def _notinject(folder: Path) -> Iterator[Row]:
    for name in ("one", "two", "three"):
        rows = json.loads((folder / f"NotInject_{name}.json").read_text(encoding="utf-8"))
        yield from (Row(row["prompt"], "benign") for row in rows)


def _piguard(folder: Path) -> Iterator[Row]:
    """Leave out the rows that come from NotInject and BIPIA, which are sets of their own here."""
    rows = json.loads((folder / "valid.json").read_text(encoding="utf-8"))
    yield from (Row(row["prompt"], row["source"]) for row in rows if row["source"].startswith(("PINT", "WildGuard")))


def _hatecheck(folder: Path) -> Iterator[Row]:
    return (Row(row["test_case"], row["label_gold"]) for row in _csv(folder / "test_suite_cases.csv"))


def _composed_attacks(_: Path) -> Iterator[Row]:
    yield from (Row(text, "attack") for text in composed_attacks())
    yield from (Row(text, "harmless") for text in composed_requests())


OWN = "Modelward harm samples"
OWN_ATTACKS = "Modelward attack samples"
COMPOSED_HARM = "Modelward composed harm"
COMPOSED_ATTACKS = "Modelward composed attacks"
SMALL_MODELS = "Answers of small models"
"""These five are in the package itself."""
ANSWERS_FILE = "refusal_answers.jsonl"
"""Answers, labels and questions: the training rows of bench/evaluators/answers, which says how they came about."""
XSTEST_MODELS = ("gpt4", "llama2new", "llama2orig", "mistralguard", "mistralinstruct")
_GOEMOTIONS = ("Apache-2.0", "google-research/goemotions (as in monologg/GoEmotions-pytorch, data/original)")
_CLINC = ("CC BY 3.0", "clinc/oos-eval (data)")
_BANKING = ("CC BY 4.0", "PolyAI-LDN/task-specific-datasets (banking_data)")
_JAILBREAKS = ("MIT", "yjw1029/Self-Reminder-Data (data)")
_BIPIA = ("MIT", "microsoft/BIPIA (benchmark)")
_XSTEST = ("CC BY 4.0", "paul-rottger/exaggerated-safety")
SETS: dict[str, LabelledSet] = {
    one.name: one
    for one in (
        LabelledSet("GoEmotions train", "goemotions", *_GOEMOTIONS, _goemotions("train")),
        LabelledSet("GoEmotions test", "goemotions", *_GOEMOTIONS, _goemotions("test")),
        LabelledSet("CLINC150 train", "clinc-oos", *_CLINC, _clinc("train", "oos_train")),
        LabelledSet("CLINC150 test", "clinc-oos", *_CLINC, _clinc("test", "oos_test")),
        LabelledSet("BANKING77 train", "banking77", *_BANKING, _banking("train")),
        LabelledSet("BANKING77 test", "banking77", *_BANKING, _banking("test")),
        LabelledSet(
            "Davidson", "davidson-hate-offensive", "MIT", "t-davidson/hate-speech-and-offensive-language", _davidson
        ),
        LabelledSet(
            "deepset", "deepset-prompt-injections", "Apache-2.0", "gabrielmariquito/ai-ethical-agent (eval)", _deepset
        ),
        LabelledSet(
            "Self-Reminder",
            "jailbreak-prompts",
            *_JAILBREAKS,
            _jailbreaks("jailbreak_prompts_train", "jailbreak_prompts", "jailbreak_prompts_itw"),
        ),
        LabelledSet("BIPIA attacks", "bipia", *_BIPIA, _attacks),
        LabelledSet("BIPIA e-mails", "bipia", *_BIPIA, _emails),
        LabelledSet(OWN_ATTACKS, "", "Apache-2.0", "", lambda _: (Row(*one) for one in attack_samples())),
        LabelledSet(COMPOSED_ATTACKS, "", "Apache-2.0", "", _composed_attacks),
        LabelledSet(COMPOSED_HARM, "", "Apache-2.0", "", lambda _: (Row(*one) for one in composed_harm())),
        LabelledSet("HateCheck", "hatecheck", "CC BY 4.0", "paul-rottger/hatecheck-data", _hatecheck),
        LabelledSet(OWN, "", "Apache-2.0", "", lambda _: (Row(*one) for one in samples())),
        LabelledSet("XSTest prompts", "xstest", *_XSTEST, _xstest_prompts),
        *(LabelledSet(f"XSTest {model}", "xstest", *_XSTEST, _xstest_answers(model)) for model in XSTEST_MODELS),
        LabelledSet(SMALL_MODELS, "", "Apache-2.0", "", _small_models),
        LabelledSet("moderation", "openai-moderation", "MIT", "openai/moderation-api-release (data)", _moderation),
        LabelledSet("PIGuard validation", "notinject", "MIT", "leolee99/PIGuard (datasets)", _piguard),
        LabelledSet("NotInject", "notinject", "MIT", "leolee99/PIGuard (datasets)", _notinject),
    )
}
