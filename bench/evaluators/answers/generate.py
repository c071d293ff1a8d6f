"""Ask small models the questions of questions.yaml in the styles of styles.yaml, and write their answers.

    python generate.py --models DIRECTORY --output answers.jsonl [--limit N]

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
TEST_SHARE = 0.5
MAX_TOKENS = 64
TEMPERATURE = 0.7
RARE = ("refuse", "decline", "partial", "counter")
"""Asked first: what they ask for is what small models do least."""
PARALLEL = 8
ON = {"plain": 4, "helpful": 3, "bare": 1, "short": 1, "long": 2, "sorry": 3, "limits": 3, "counter": 3, "partial": 4,
      "refuse": 2, "decline": 7}  # fmt: skip
OFF = {"plain": 4, "helpful": 2, "bare": 2, "short": 1, "long": 1, "counter": 1, "partial": 1, "refuse": 11}


def number(text: str) -> int:
    """Return 32 bits that depend on the text alone."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")


def rows() -> Iterator[dict[str, Any]]:
    """Return what is asked of whom: each question of both models, and of the small one once more in another style."""
    assistants = yaml.safe_load((HERE / "questions.yaml").read_text())
    for assistant, about in assistants.items():
        for topic, part in (("on", "inside"), ("off", "outside")):
            for question in about[part]:
                split = "test" if number(f"split {assistant} {question}") / 2**32 < TEST_SHARE else "train"
                weights = ON if topic == "on" else OFF
                chance = random.Random(number(f"style {assistant} {question}"))  # no secret
                styles: list[str] = []
                while len(styles) < 3:
                    style = chance.choices(list(weights), list(weights.values()))[0]
                    if style not in styles:
                        styles.append(style)
                models = ("smollm2", "coder", "smollm2") if number(f"third {question}") % 2 else ("smollm2", "coder")
                for model, style in zip(models, styles, strict=False):
                    identity = hashlib.sha256(f"{assistant}|{question}|{model}|{style}".encode()).hexdigest()[:12]
                    yield {"id": identity, "split": split, "assistant": assistant, "scope": about["scope"],
                           "topic": topic, "style": style, "model": model, "question": question}  # fmt: skip


def prompt(row: dict[str, Any], assistants: dict[str, Any], styles: dict[str, Any]) -> list[dict[str, str]]:
    """Return the messages that the model gets."""
    about, style = assistants[row["assistant"]], styles[row["style"]]
    named = {"name": about["name"], "scope": about["scope"]}
    messages = []
    if style["system"]:
        messages.append({"role": "system", "content": style["system"].format(**named)})
    if "wordings" in style:
        wordings = style["wordings"][row["split"] == "test"]
        shown = wordings[number(f"wording {row['id']}") % len(wordings)].format(**named)
        turns = [(style["question"], shown)]
        if row["style"] != "decline":
            turns.insert(0, tuple(about["example"]))
        for asked, answered in turns:
            messages += [{"role": "user", "content": asked}, {"role": "assistant", "content": answered}]
    return [*messages, {"role": "user", "content": row["question"]}]


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
    body = {"messages": messages, "max_tokens": MAX_TOKENS, "temperature": TEMPERATURE, "seed": number(row["id"])}
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
    parser.add_argument("--limit", type=int, default=10_000)
    options = parser.parse_args()
    assistants, styles = (yaml.safe_load((HERE / name).read_text()) for name in ("questions.yaml", "styles.yaml"))
    done = set()
    if options.output.exists():
        done = {json.loads(line)["id"] for line in options.output.read_text().splitlines()}
    todo = [row for row in rows() if row["id"] not in done and row["model"] in options.only]
    todo = sorted(todo, key=lambda row: (row["style"] not in RARE, row["id"]))[: options.limit]
    servers = {model: server(options.models / f"{model}.gguf") for model in {row["model"] for row in todo}}
    with options.output.open("a") as output, ThreadPoolExecutor(PARALLEL) as pool:
        for row in pool.map(
            lambda row: ask(servers[row["model"]].listening_address, row, prompt(row, assistants, styles)), todo
        ):
            output.write(json.dumps(row, ensure_ascii=False) + "\n")
            output.flush()


if __name__ == "__main__":
    main()
