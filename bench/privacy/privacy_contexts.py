"""Texts in which a value may stand: prose, JSON, JSON in JSON, code, logs, tables, and characters that hide it."""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random

from privacy_values import Value

Context = Callable[[Value, Random], str]
_FULLWIDTH = str.maketrans("0123456789", "０１２３４５６７８９")
_ARABIC = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")


def written(value: Value, rng: Random) -> str:
    """Return the value behind a word that announces it, where it needs one."""
    if value.name == "url_credentials":
        return f"postgres://{value.text}@db.example.internal:5432/app"
    if not value.words:
        return value.text
    word = rng.choice(value.words)
    return f"{word}{'' if word.endswith('=') else ' '}{value.text}"


def _key(value: Value) -> str:
    """Return the name that a field with the value would have: its kind says what the word says."""
    names = {
        "phone_bare": "phone",
        "us_ssn_solid": "ssn",
        "uk_health": "nhs_number",
        "nl_citizen": "bsn",
        "dk_person": "cpr",
    }
    names |= {"ca_insurance": "sin", "au_tax": "tfn", "driving_licence": "drivers_license", "url_credentials": "url"}
    return names.get(value.name, value.name if value.words else "value")


def _field(value: Value) -> str:
    return written(value, Random(0)) if value.name == "url_credentials" else value.text


def _prose(value: Value, rng: Random) -> str:
    frames = (
        "Hello, {} is all that I have.", "Please check {}, thanks!", "I wrote it down ({}) yesterday.",
        "Hier ist es: {}.", "Voici: {} merci",
        "Aquí está {} gracias", "“{}” — she said", "* {}", "Dear team,\n\n{}\n\nBest, A.", "{}",
    )  # fmt: skip
    return rng.choice(frames).format(written(value, rng))


def _json(value: Value, rng: Random) -> str:
    return json.dumps({"id": 7, _key(value): _field(value), "ok": True}, ensure_ascii=rng.random() < 0.5)


def _nested(value: Value, rng: Random) -> str:
    inner = json.dumps({_key(value): _field(value), "note": f"see\n{written(value, rng)}\n"})
    return json.dumps({"name": "send", "arguments": inner if rng.random() < 0.5 else json.dumps({"body": inner})})


def _lines_in_json(value: Value, rng: Random) -> str:
    return json.dumps({"rows": f"name\tnote\nAnn\t{written(value, rng)}\n{written(value, rng)}\r\n"})


def _code(value: Value, rng: Random) -> str:
    frames = (
        '{key} = "{value}"',
        "const {key} = '{value}';",
        "# {said}",
        "f({key}='{value}')",
        "export {upper}='{value}'",
        "// {said}",
    )
    return rng.choice(frames).format(
        key=_key(value), value=_field(value), said=written(value, rng), upper=_key(value).upper()
    )


def _log(value: Value, rng: Random) -> str:
    frames = (
        "2026-05-17T12:00:01.123Z INFO worker-3 {key}={value} took 12ms",
        "[12:00:01] WARN failed for {said} (code 17)",
    )
    return rng.choice(frames).format(key=_key(value), value=_field(value), said=written(value, rng))


def _table(value: Value, rng: Random) -> str:
    frames = (
        "| Ann | {said} | yes |",
        "1;Ann;{said};x",
        "Ann\t{said}\t12",
        "<td>{said}</td>",
        "- {key}: {value}\n- other: 5",
        "<{key}>{value}</{key}>",
    )
    return rng.choice(frames).format(key=_key(value), value=_field(value), said=written(value, rng))


def _disguised(value: Value, rng: Random) -> str:
    text = written(value, rng)
    ways: tuple[Callable[[str], str], ...] = (
        lambda t: t.translate(_FULLWIDTH),
        lambda t: t.translate(_ARABIC),
        "\u200b".join,
        lambda t: t.replace(" ", "\u00a0").replace("-", "\u2011"),
        lambda t: t.replace("@", "\\u0040").replace(" ", "\\u00a0"),
        lambda t: t.replace(" ", "&nbsp;").replace("@", "&#64;"),
    )
    return f"note: {rng.choice(ways)(text)} end" if "\n" not in text else f"note: {text} end"


CONTEXTS: dict[str, Context] = {
    "prose": _prose, "json": _json, "nested": _nested, "lines in json": _lines_in_json, "code": _code, "log": _log,
    "table": _table, "disguised": _disguised,
}  # fmt: skip
HELD_OUT_CONTEXTS = ("log", "table")
HELD_OUT_KINDS = (
    "phone_elsewhere",
    "ch_ahv",
    "tr_identity",
    "sg_identity",
    "za_identity",
    "it_fiscal",
    "ipv6",
    "au_tax",
)
"""What was not read while the detectors were written, so that the rest does not flatter them."""
