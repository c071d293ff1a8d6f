"""The held-out sample's harmless texts: what looks like a value and is none, drawn anew with each seed."""

from __future__ import annotations

import json
from random import Random

from held_out_values import HEX, LETTERS, any_of

_FORMS = (
    "Order #{d8} shipped on 2026-0{e}-1{e}|Invoice INV-2026-{d5}, total 1.{d3},{d2} EUR|ISBN 978-3-16-{d6}-{e}|"
    "commit {h40}|sha256:{h64}|version 4.{e}.{d2}.{d4} of the driver|chapter 3.2.{e}.{d2}|"
    "Python 3.11.{e}, numpy 1.26.{e}|"
    "uuid {h8}-{h4}-4{h3}-9{h3}-{h12}|tracking number 1Z{U6}{d10}|took {d3}.{d6} ms for {d9} rows|{d10} ns elapsed|"
    "epoch 17{d8}|timestamp 17{d11}|from 12:30:{d2} to 14:05:{d2}|IMEI unknown, model SM-{d4}|article number {d4}-{d4}|"
    "DIN 18{d3}, ISO 27001:2022|€ {d3}.{d3}.{d3},00|$1,{d3},{d3}.{d2}|population {d2} {d3} {d3}|"
    "lat 48.{d6}, lon 11.{d6}|"
    "row {d6}: [0.{d6}, -0.{d6}]|request id req_{L16}|trace 00-{h32}-{h16}-01|Die Seite {d3} von {d4}|"
    "RFC {d4}, section 4.2.{e}|"
    "flight LH{d4} on 12/0{e}/2026, seat 2{e}C|ticket #{d7} was closed|build {d5}.{d4}.{d2}|port {d4} on localhost|"
    "call me at noon on 2{e}/05|meeting from 2026-03-0{e} to 2026-03-1{e}|part no. {U2}-{d4}-{U2}|EAN 40{d11}|"
    "font-size: 1{e}px; color: #{h6}; margin: 0 {d2}px|const MAX = {d10};|0x{h8} to 0x{h8}|"
    "{d4}x{d4} pixels at {d2} fps|"
    "the password must have at least {e} characters|I forgot my password, can you help?|"
    "reset your password here: /account/reset|"
    "password policy: minimum length 12|Das Passwort muss geändert werden|la contraseña es obligatoria|"
    "le mot de passe est incorrect|password=os.environ['DB_PASSWORD']|password: ${DB_PASSWORD}|"
    "password = getpass.getpass()|"
    "api_key=YOUR_API_KEY|token: <your token here>|Authorization: Bearer <token>|max_tokens={d4}|token count: {d5}|"
    "the key is to listen first|passport control was slow at gate {d2}|driving licence class B is needed|"
    "tax rate of 19 percent since 200{e}|my card was declined yesterday|the SSN field must have nine digits|"
    "IBAN has up to 34 characters|phone support is open 9-17 h|Tel Aviv, {d4} visitors|version={e}.{e}.{e}&build={d6}|"
    "the address 0.0.0.0 means all|listen on 127.0.0.1:{d4}|::1 is the loopback|10 000 000 000 bytes|"
    "@media (min-width: {d3}px)|@override def run(self)|npm install @types/node@2{e}.{e}.{e}|"
    "git@github.com:org/repo.git|"
    "image: registry.example.com/app:v{e}.{d2}@sha256:{h64}|pi is 3.14159265358979|1 2 3 4 5 6 7 8 9 10 11 12|"
    "2{e} 34 56 78 90 12|scores 9-7, 6-4, 7-6 (12-10)|World Cup {e}-{e} (2-1)|Psalm 119:{d2}-{d3}|"
    "Session 2026-11-{d2}T10:{d2}:{d2}.{d3}Z|the birthday party is on 12 May|born free, a film of 1966|"
    "date of release: 12.0{e}.2026|Lieferdatum: 0{e}.11.2026|fecha de entrega: 1{e}/10/2026|phone model A{d4}|"
    "mobile first design with 3{e} columns|SIN wave of {d4} Hz|pan the camera by {d3} degrees|PAN-OS 11.{e}.{e}|"
    "NIE wieder {d4} Euro|DNI stands for documento nacional de identidad|the tax ID is missing|nice: 19, rtprio: {d2}|"
    "postgres://db.internal:5432/app|https://example.com/a/{d8}?ref={h12}|https://user.example.com:8443/x|"
    "case 4:2{e}-cv-0{d4}|Grundstück 12{e}/{d2}, Blatt {d4}|HRB {d6} B|serial 5CG{d4}{U3}|SKU {d12}|{d5}-{d4} ZIP"
)


def held_out_harmless(rng: Random, each: int) -> list[str]:
    """Draw so many texts of each form, some of them in data."""
    texts = []
    for form in _FORMS.split("|"):
        for _ in range(each):
            text = _filled(rng, form)
            texts.append(rng.choice((text, text, f"Note: {text}.", json.dumps({"note": text}), f"| {text} | ok |")))
    return texts


def _filled(rng: Random, form: str) -> str:
    parts = form.replace("{e}", "{d1}").split("{")
    out = [parts[0]]
    for part in parts[1:]:
        spec, _, rest = part.partition("}")
        signs = {"d": "0123456789", "h": HEX, "U": "ABCDEFGHJKLMNPRSTUVWXYZ", "L": LETTERS}.get(spec[:1])
        if signs is None or not spec[1:].isdigit():
            out.append("{" + part)
            continue
        first = rng.choice(signs.replace("0", "")) if spec[0] == "d" else rng.choice(signs)
        out.append(first + "".join(rng.choice(signs) for _ in range(int(spec[1:]) - 1)) + rest)
    return any_of(rng, "|".join(("".join(out),)))
