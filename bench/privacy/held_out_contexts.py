"""Where the held-out sample puts its values: sentences of four languages, data, code, logs, disguised characters.

`SEALED` are contexts, and `SEALED_SENTENCES` sentences, of which no miss was read while detectors were mended.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from html import escape
from random import Random
from urllib.parse import quote, quote_plus

from held_out_values import HeldOutValue, announced
from held_out_words import LANGUAGES

Place = Callable[[HeldOutValue, Random], str]

SENTENCES = {
    "en": ("Please update my {c}: {v}. Thanks!", "my {c} is {v} and I moved last week", "{c} - {v}",
           "Can you check whether {c} {v} is valid?", "{c} (see the letter): {v}", "Here is the {c} you asked for: {v}",
           "My wife's {c} is {v}, mine is in the other mail.", "Use {v} as the {c}, please.", "{c}\n{v}\nRegards, Tim",
           "As {c} I have {v}; is this right?", "{c} => {v}", "The {c} on file ({v}) is wrong."),
    "de": ("Meine {c} lautet {v}.", "Bitte ändern Sie meine {c} in {v}, danke.", "{c}: {v}", "{c} = {v}, bitte prüfen!",
           "Die {c} des Kunden ist {v}", "Ich habe als {c} {v} angegeben.", "Hier meine {c}:\n{v}\nGrüße",
           "Unter der {c} {v} bin ich bekannt.", "{c} – {v}", "Stimmt die {c} ({v})?"),
    "es": ("Mi {c} es {v}.", "Le envío mi {c}: {v}, gracias.", "{c}: {v}", "¿Puede comprobar el {c} {v}?",
           "El {c} del cliente es {v}", "Con {c} {v}, vecino de Madrid", "{c} nº {v}", "Su {c} ahora es «{v}»."),
    "fr": ("Mon {c} est {v}.", "Voici mon {c} : {v}, merci.", "{c} : {v}", "Pouvez-vous vérifier le {c} {v} ?",
           "Le {c} du client est le {v}", "{c} n° {v}", "J'ai indiqué {v} comme {c}.", "Son {c} (« {v} ») a changé."),
}  # fmt: skip
NEUTRAL = (
    "Please use {v} for this, thanks.", "{v}", "Bitte an {v} schicken.", "Lo he cambiado a {v} ayer.",
    "C'est {v}, merci.", "I found {v} in the file.", "Old: {v}", "see ({v})", "It says \"{v}\".", "- {v}\n- none",
)  # fmt: skip
PASSWORD_SENTENCES = {
    "en": ("the password for the router is {v}", "log in with user admin and password {v}", "Password: {v}",
           "I forgot it, then set my password to {v} again", "use {v} as password", "our wifi password is still {v}",
           "creds: admin / {v}", "His new passcode is {v}!", "my pwd was {v}, please reset",
           "type {v} as the passphrase"),
    "de": ("Das Passwort ist {v}", "Mein Kennwort lautet {v}, bitte ändern", "Passwort: {v}", "PW: {v}",
           "Das neue WLAN-Passwort heißt {v}.", "Melde dich mit dem Passwort {v} an",
           "als Kennwort habe ich {v} gewählt",
           "Zugangsdaten: admin / {v}"),
    "es": ("La contraseña es {v}", "mi clave es {v}, cámbiela", "Contraseña: {v}", "entra con la contraseña {v}",
           "He puesto {v} como contraseña", "la contraseña del wifi sigue siendo {v}"),
    "fr": ("Le mot de passe est {v}", "mon mot de passe : {v}", "Connectez-vous avec le mot de passe {v}",
           "le mot de passe du wifi, c'est {v}", "J'ai choisi {v} comme mot de passe", "mdp : {v}"),
}  # fmt: skip


def sentence_of(value: HeldOutValue, rng: Random, language: str, *, sealed: bool) -> str:
    """Put a value in a sentence, of those that were read while detectors were mended or of the others."""
    sentences = PASSWORD_SENTENCES if value.name == "password" else SENTENCES
    chosen = rng.choice(sentences[language][int(sealed) :: 2])
    if value.alone and rng.random() < 0.4:
        chosen = rng.choice(NEUTRAL[int(sealed) :: 2])
    return chosen.replace("{c}", announced(value, LANGUAGES.index(language), rng)).replace("{v}", value.text)


def _sentence(language: str, *, sealed: bool) -> Place:
    return lambda value, rng: sentence_of(value, rng, language, sealed=sealed)


def _field(value: HeldOutValue, rng: Random) -> str:
    return announced(value, 4, rng)


def _title(value: HeldOutValue, rng: Random) -> str:
    return announced(value, rng.randrange(4), rng)


def _json(value: HeldOutValue, rng: Random) -> str:
    return json.dumps(
        {"id": 7, "customer": {_field(value, rng): value.text, "active": True}}, indent=rng.choice((None, 2))
    )


def _nested_json(value: HeldOutValue, rng: Random) -> str:
    text = json.dumps({_field(value, rng): value.text})
    for key in ("arguments", "body")[: rng.randrange(1, 3)]:
        text = json.dumps({"name": "save", key: text})
    return text


def _escaped_json(value: HeldOutValue, rng: Random) -> str:
    hidden = "".join(sign if sign.isalnum() and sign.isascii() else f"\\u{ord(sign):04x}" for sign in value.text)
    return f'{{"{_field(value, rng)}": "{hidden}"}}'


def _json_list(value: HeldOutValue, rng: Random) -> str:
    return json.dumps([{"label": _title(value, rng), "value": value.text}])


def _yaml(value: HeldOutValue, rng: Random) -> str:
    return f"customer:\n  {_field(value, rng)}: {json.dumps(value.text, ensure_ascii=False)}\n  tier: gold\n"


def _xml(value: HeldOutValue, rng: Random) -> str:
    name = _field(value, rng)
    return f"<person><{name}>{escape(value.text)}</{name}></person>"


def _xml_attribute(value: HeldOutValue, rng: Random) -> str:
    return f'<person {_field(value, rng)}="{escape(value.text)}" tier="gold"/>'


def _html_row(value: HeldOutValue, rng: Random) -> str:
    return f"<tr><th>{_title(value, rng)}</th><td>{escape(value.text)}</td></tr>"


def _table_row(value: HeldOutValue, rng: Random) -> str:
    return f"| Field | Value |\n|---|---|\n| Name | A. |\n| {_title(value, rng)} | {value.text} |\n"


def _table_column(value: HeldOutValue, rng: Random) -> str:
    return f"| Name | {_title(value, rng)} | Since |\n|:--|--:|---|\n| Kim | {value.text} | yes |\n"


def _csv(delimiter: str, quoting: int) -> Place:
    def place(value: HeldOutValue, rng: Random) -> str:
        out = io.StringIO()
        writer = csv.writer(out, delimiter=delimiter, quoting=csv.QUOTE_ALL if quoting else csv.QUOTE_MINIMAL)
        writer.writerows((("name", _field(value, rng), "city"), ("Kim", value.text, "Bonn"), ("Lee", "", "Graz")))
        return out.getvalue()

    return place


def _query(value: HeldOutValue, rng: Random) -> str:
    return f"GET https://shop.example.com/find?page=2&{_field(value, rng)}={quote(value.text, safe='')}&sort=up"


def _form(value: HeldOutValue, rng: Random) -> str:
    return f"name=Kim+Lee&{_field(value, rng)}={quote_plus(value.text)}&go=1"


def _logfmt(value: HeldOutValue, rng: Random) -> str:
    return f"ts=now level=info msg=saved {_field(value, rng)}={json.dumps(value.text, ensure_ascii=False)} took=3ms"


def _log(value: HeldOutValue, rng: Random) -> str:
    return f"WARN [worker-3] shop.Customer - rejected {_title(value, rng)} {value.text}"


def _python(value: HeldOutValue, rng: Random) -> str:
    return f"def test_save():\n    customer.{_field(value, rng)} = {value.text!r}\n    customer.save()\n"


def _call(value: HeldOutValue, rng: Random) -> str:
    return f"save(Customer({_field(value, rng)}={json.dumps(value.text)}, tier='gold'))"


def _setter(value: HeldOutValue, rng: Random) -> str:
    name = _field(value, rng)
    return f"customer.set{name[0].upper()}{name[1:]}({json.dumps(value.text)});"


def _insert(value: HeldOutValue, rng: Random) -> str:
    text = value.text.replace("'", "''")
    return f"INSERT INTO people (name, {_field(value, rng)}) VALUES ('Kim', '{text}');"  # noqa: S608


def _where(value: HeldOutValue, rng: Random) -> str:
    text = value.text.replace("'", "''")
    return f"SELECT * FROM people WHERE {_field(value, rng)} = '{text}' LIMIT 1"  # noqa: S608


def _export(value: HeldOutValue, rng: Random) -> str:
    return f"export {_field(value, rng).upper()}='{value.text}'\nmake"


def _flag(value: HeldOutValue, rng: Random) -> str:
    return f"./save --{_field(value, rng).replace('_', '-')} '{value.text}' --dry-run"


def _dialogue(value: HeldOutValue, rng: Random) -> str:
    return f"Agent: And your {announced(value, 0, rng)}?\nCaller: {value.text}\nAgent: Thank you."


def _bold(value: HeldOutValue, rng: Random) -> str:
    return f"* **{_title(value, rng)}:** `{value.text}`\n* **City:** Bonn"


def _emphasis(value: HeldOutValue, rng: Random) -> str:
    return f"{_title(value, rng)}: **{value.text}**"


def _wide(value: HeldOutValue, rng: Random) -> str:
    wide = "".join(chr(ord(sign) + 0xFEE0) if "!" <= sign <= "~" else sign for sign in value.text)
    return f"{_title(value, rng)}: {wide}"


def _invisible(value: HeldOutValue, rng: Random) -> str:
    at, sign = rng.randrange(1, len(value.text)), rng.choice("\u200b\u200c\u2060\ufeff\u00ad")
    return f"{_title(value, rng)}: {value.text[:at]}{sign}{value.text[at:]}"


def _spaces(value: HeldOutValue, rng: Random) -> str:
    return f"{_title(value, rng)}: {value.text.replace(' ', rng.choice(chr(0xA0) + chr(0x202F) + chr(0x2009)))}"


def _dashes(value: HeldOutValue, rng: Random) -> str:
    return f"{_title(value, rng)}: {value.text.replace('-', rng.choice('‐‑–—−﹣'))}"


def _wrapped(value: HeldOutValue, rng: Random) -> str:
    break_in = "\r\n" if rng.random() < 0.3 else "\n"
    place = value.text.rfind(" ")
    text = value.text if place < 0 else value.text[:place] + break_in + value.text[place + 1 :]
    return f"{_title(value, rng)}:{break_in if place < 0 else ' '}{text}{break_in}and so on"


def _mailed(value: HeldOutValue, rng: Random) -> str:
    return f"> On Monday you wrote:\n>> {_title(value, rng)}: {value.text}\n> I see."


CONTEXTS: dict[str, Place] = {
    "json": _json, "nested json": _nested_json, "escaped json": _escaped_json, "json list": _json_list, "yaml": _yaml,
    "xml": _xml, "xml attribute": _xml_attribute, "html row": _html_row, "table row": _table_row,
    "table column": _table_column, "csv": _csv(",", 0), "csv quoted": _csv(";", 1), "tsv": _csv("\t", 0),
    "query": _query, "form": _form, "logfmt": _logfmt, "log": _log, "python": _python, "call": _call, "setter": _setter,
    "insert": _insert, "where": _where, "export": _export, "flag": _flag, "dialogue": _dialogue, "bold": _bold,
    "emphasis": _emphasis, "full width": _wide, "zero width": _invisible, "other spaces": _spaces,
    "other dashes": _dashes, "wrapped": _wrapped, "mail": _mailed,
}  # fmt: skip
SENTENCE_CONTEXTS: dict[str, Place] = {
    f"{'sealed ' * sealed}sentence {language}": _sentence(language, sealed=sealed)
    for language in LANGUAGES
    for sealed in (False, True)
}
DISGUISES = frozenset(("full width", "zero width", "other spaces", "other dashes", "wrapped"))
OF_ONE_LINE = frozenset(("csv", "csv quoted", "tsv", "query", "form", "log", "logfmt", "table row", "table column",
                         "emphasis", "bold", "flag", "mail", "html row", "insert", "where", "dialogue"))  # fmt: skip
SEALED = frozenset((
    "json list", "xml attribute", "html row", "csv quoted", "form", "log", "setter", "where", "dialogue", "emphasis",
    "zero width", "other dashes", "mail", *(f"sealed sentence {language}" for language in LANGUAGES),
))  # fmt: skip


def places_of(value: HeldOutValue, rng: Random, count: int) -> list[tuple[str, Place]]:
    """Draw contexts that a value can stand in: half of them sentences."""
    left_out = (DISGUISES if value.secret else frozenset()) | (OF_ONE_LINE if "\n" in value.text else frozenset())
    data = [(name, place) for name, place in CONTEXTS.items() if name not in left_out]
    return rng.sample(data, count) + rng.sample(sorted(SENTENCE_CONTEXTS.items()), count)
