"""Ask small models the questions of questions.yaml in the styles of styles.yaml, and write their answers.

    python generate.py --models DIRECTORY --output answers.jsonl [--split train ...] [--only coder ...] [--limit N]

DIRECTORY holds smollm2.gguf and coder.gguf (README.md says where they are had). Needs xllamacpp, which
requirements/demo.txt pins. Goes on where an earlier run stopped. The seed of each answer is a hash of its row.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import yaml

HERE = Path(__file__).parent
MODELS = {"smollm2": "SmolLM2-135M-Instruct Q4_1", "coder": "Qwen2.5-Coder-0.5B-Instruct Q4_K_M"}
TEST_SHARE, TUNE_SHARE = 0.5, 0.2
SPLITS = ("train", "tune", "test", "checked", "check")
MAX_TOKENS, MAX_TOKENS_OF_SECOND = 64, 48
TEMPERATURE = 0.7
PARALLEL = 8
ON = {"plain": 4, "helpful": 3, "bare": 1, "short": 1, "long": 2, "sorry": 3, "limits": 3, "counter": 3, "partial": 4,
      "refuse": 2, "decline": 7}  # fmt: skip
OFF = {"plain": 4, "helpful": 2, "bare": 2, "short": 1, "long": 1, "counter": 1, "partial": 1, "refuse": 11}
SECOND = {
    "inside": {"offers": 4, "warm": 4, "asks": 3, "half": 4, "strict": 3, "powerless": 2},
    "closed": {"powerless": 9, "strict": 2, "half": 2},
    "outside": {"strict": 6, "wordy": 4, "shown": 3},
}
"""Styles of the second assistants."""
THIRD = {
    "inside": {"plain": 5, "helpful": 4, "offers": 3, "warm": 3, "half": 2, "strict": 2},
    "closed": {"powerless": 8, "strict": 3, "plain": 2},
    "outside": {"strict": 6, "wordy": 3, "plain": 2},
}
"""Styles of the third, fifth and sixth: none shows an example, so every wording is the model's own."""
FOURTH = {
    "inside": {"plain": 3, "helpful": 2, "offers": 3, "warm": 2, "half": 3, "asks": 2, "strict": 2},
    "closed": {"powerless": 7, "strict": 2, "plain": 2, "half": 2},
    "outside": {"strict": 6, "wordy": 3, "plain": 2},
}
LATER = {"second": SECOND, "third": THIRD, "fourth": FOURTH, "fifth": THIRD, "sixth": THIRD}
"""Styles by when assistants came; questions.yaml says it of each but the first."""
SPLIT = {"third": "checked", "fourth": "train", "fifth": "check", "sixth": "check"}
WORDINGS = {"third": 3, "fourth": 4, "fifth": 5, "sixth": 6}
"""Which list of a style's instructions these are told."""
SHUT = {"second": 1, "third": 3, "fourth": 2, "fifth": 3, "sixth": 3}
"""Of how many questions one is asked of an assistant that answers nothing, too."""
SECOND_STYLES = {"shut", *(style for styles in SECOND.values() for style in styles)}
RARE = dict.fromkeys(SECOND_STYLES, 1) | dict.fromkeys(("refuse", "decline", "partial", "counter"), 2) | {"shut": 0}
REFUSING = ("shut", "powerless", "strict", "wordy")
LAST = 3
"""Asked first are the second assistants, then what small models do least."""


def number(text: str) -> int:
    """Return 32 bits that depend on the text alone."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")


def rows() -> Iterator[dict[str, Any]]:
    """Return what is asked of whom: each question of both models, and of the small one once more in another style."""
    assistants = yaml.safe_load((HERE / "questions.yaml").read_text())
    for assistant, about in assistants.items():
        came = next((name for name in LATER if name in about), "")
        for topic, part in (("on", "inside"), ("on", "closed"), ("off", "outside")):
            for question in about.get(part, ()):
                split = SPLIT.get(came) or split_of(assistant, question)
                weights = LATER[came][part] if came else ON if topic == "on" else OFF
                chance = random.Random(number(f"style {assistant} {question}"))  # no secret
                styles: list[str] = []
                while len(styles) < 3:
                    style = chance.choices(list(weights), list(weights.values()))[0]
                    if style not in styles:
                        styles.append(style)
                models = ("smollm2", "coder", "smollm2") if number(f"third {question}") % 2 else ("smollm2", "coder")
                models = ("coder", "smollm2") if came else models
                shut = came and number(f"shut {question}") % SHUT[came] == 0
                pairs = [*zip(models, styles, strict=False), *((("coder", "shut"),) if shut else ())]
                for model, style in pairs:
                    identity = hashlib.sha256(f"{assistant}|{question}|{model}|{style}".encode()).hexdigest()[:12]
                    yield {"id": identity, "split": split, "assistant": assistant, "scope": about["scope"],
                           "topic": topic, "style": style, "model": model, "question": question}  # fmt: skip


def split_of(assistant: str, question: str) -> str:
    """Return the side that a question is on, with all of its answers."""
    chance = number(f"split {assistant} {question}") / 2**32
    return "test" if chance < TEST_SHARE else "tune" if chance < TEST_SHARE + TUNE_SHARE else "train"


def prompt(row: dict[str, Any], assistants: dict[str, Any], styles: dict[str, Any]) -> list[dict[str, str]]:
    """Return the messages that the model gets."""
    about, style = assistants[row["assistant"]], styles[row["style"]]
    named = {"name": about["name"], "scope": about["scope"]}
    messages = []
    if system := style.get("system") or drawn(style.get("systems"), row, about):
        messages.append({"role": "system", "content": system.format(**named)})
    if "wordings" in style:
        shown = drawn(style["wordings"], row, about).format(**named)
        turns = [(style["question"], shown)]
        if row["style"] != "decline":
            turns.insert(0, tuple(about["example"]))
        for asked, answered in turns:
            messages += [{"role": "user", "content": asked}, {"role": "assistant", "content": answered}]
    return [*messages, {"role": "user", "content": row["question"]}]


def drawn(wordings: list[list[str]] | None, row: dict[str, Any], about: dict[str, Any]) -> str:
    """Return the wording for a row, of those of its side; of two lists, training and tuning questions share one."""
    if not wordings:
        return ""
    own = next((place for name, place in WORDINGS.items() if name in about), None)
    ours = wordings[_list_of(row["split"], len(wordings)) if own is None else own]
    return ours[number(f"wording {row['id']}") % len(ours)]


def _list_of(split: str, lists: int) -> int:
    return int(split == "test") if lists == 2 else SPLITS.index(split)


def server(path: Path) -> Any:
    """Serve a model on one thread."""
    import xllamacpp

    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(path)
    parameters.hostnames = ["127.0.0.1"]
    parameters.port = 0
    parameters.n_parallel = PARALLEL
    parameters.n_ctx = 768 * PARALLEL
    parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = 1
    return xllamacpp.Server(parameters)


def ask(address: str, row: dict[str, Any], messages: list[dict[str, str]]) -> dict[str, Any]:
    """Return the row with the model's answer and why it ended."""
    most = MAX_TOKENS_OF_SECOND if row["style"] in SECOND_STYLES else MAX_TOKENS
    body = {"messages": messages, "max_tokens": most, "temperature": TEMPERATURE, "seed": number(row["id"])}
    request = Request(f"{address}/v1/chat/completions", json.dumps(body).encode(),
                      {"Content-Type": "application/json"})  # fmt: skip
    with urlopen(request, timeout=600) as reply:  # our own server
        choice = json.load(reply)["choices"][0]
    return row | {"answer": choice["message"]["content"].strip(), "finish": choice["finish_reason"]}


def main() -> None:
    """Ask everything that is not in the output yet, in an order that mixes assistants and styles."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--models", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--only", nargs="*", choices=MODELS, default=list(MODELS))
    parser.add_argument("--split", nargs="*", choices=SPLITS, default=list(SPLITS))
    parser.add_argument("--came", nargs="*", choices=LATER, help="only assistants that came then")
    parser.add_argument("--limit", type=int, default=10_000)
    options = parser.parse_args()
    assistants, styles = (yaml.safe_load((HERE / name).read_text()) for name in ("questions.yaml", "styles.yaml"))
    done = set()
    if options.output.exists():
        done = {json.loads(line)["id"] for line in options.output.read_text().splitlines()}
    todo = [row for row in rows() if row["id"] not in done]
    todo = [row for row in todo if row["model"] in options.only and row["split"] in options.split]
    if options.came:
        todo = [row for row in todo if set(options.came) & set(assistants[row["assistant"]])]
    asked = {row["id"]: prompt(row, assistants, styles) for row in todo}
    if options.came:
        todo.sort(key=lambda row: (row["split"] == "train" and row["style"] not in REFUSING, number(row["id"])))
    else:
        todo.sort(key=lambda row: (RARE.get(row["style"], LAST), str(asked[row["id"]])))
    todo = todo[: options.limit]
    servers = {model: server(options.models / f"{model}.gguf") for model in {row["model"] for row in todo}}
    with options.output.open("a") as output, ThreadPoolExecutor(PARALLEL) as pool:
        for row in pool.map(lambda row: ask(servers[row["model"]].listening_address, row, asked[row["id"]]), todo):
            output.write(json.dumps(row, ensure_ascii=False) + "\n")
            output.flush()


if __name__ == "__main__":
    main()
