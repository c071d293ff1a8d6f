"""The held-out sample's values: drawn at random, none belongs to a person."""

from __future__ import annotations

import base64
import json
import string
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random

import held_out_numbers as numbers
from held_out_numbers import UPPER, Draw, digits
from held_out_words import WORDS

LETTERS = string.ascii_letters + string.digits
HEX = "0123456789abcdef"
NATIONAL = (
    "us_ssn", "us_itin", "uk_nino", "uk_nhs", "de_tax", "de_pension", "fr_nir", "es_dni", "es_nie", "it_fiscal",
    "in_aadhaar", "in_pan", "br_cpf", "br_cnpj", "cn_resident", "jp_my_number", "kr_resident", "mx_curp", "ca_sin",
    "au_tfn", "au_medicare", "za_identity", "pl_pesel", "nl_bsn", "be_register", "ch_ahv", "se_person", "dk_person",
    "fi_person", "pt_tax", "ie_pps", "tr_identity", "cl_rut", "sg_nric", "id_nik", "pk_cnic", "ar_dni", "co_cedula",
    "ru_snils",
)  # fmt: skip
_PHONES_ABROAD = (
    "+1 416 555 ####|+44 7700 9#####|+44 (0)20 7946 0###|+49 151 2#######|+49 (0)89 4#####-##|+33 6 12 ## ## ##|"
    "+34 612 ### ###|+39 347 #######|+31 6 2#######|+32 470 ## ## ##|+41 79 ### ## ##|+43 664 #######|+46 70 ### ## ##|"
    "+47 9## ## ###|+45 20 ## ## ##|+48 601 ### ###|+351 912 ### ###|+353 87 ### ####|+55 11 9####-####|"
    "+52 55 #### ####|+54 9 11 ####-####|+86 138 #### ####|+81 90-####-####|+82 10-####-####|+91 98### #####|"
    "+61 4## ### ###|+64 21 ### ####|+27 82 ### ####|+234 803 ### ####|+971 50 ### ####|+972 54-###-####|"
    "+90 532 ### ## ##|+7 912 ###-##-##|+65 9### ####|+62 812-####-####|+1 (212) 555-01##|+447700900###|"
    "+4915123######|+33612######|0049 171 #######|0033 6 ## ## ## ##|0044 7911 ######|00 34 612 ### ###"
)
_PHONES_HOME = (
    "(415) 555-####|415-555-####|415.555.####|020 7946 0###|07700 900###|0161 496 0###|0171 2######|0151/########|"
    "030-########|(089) ######|06 12 ## ## ##|01.42.##.##.##|612 ## ## ##|612-###-###|91 5## ## ##|347 #######|"
    "06-########|0470 ## ## ##|079 ### ## ##|0664 #######|070-### ## ##|(11) 9####-####|11 ####-####|55 #### ####|"
    "138-####-####|090-####-####|010-####-####|98### #####|04## ### ###|082 ### ####|050 ### ####|8 912 ###-##-##|"
    "601 ### ###|912 ### ###|087 ### ####"
)
_PHONES_SOLID = "415555####|07700900###|01712######|06#########|6########|119########|138########|90########|04########"
_KEYS = (
    "sk-proj-{48}|sk-{48}|sk-ant-api03-{93}AA|AKIA{U16}|ASIA{U16}|AIza{35}|ghp_{36}|github_pat_{22}_{59}|glpat-{20}|"
    "xoxb-{d12}-{d12}-{24}|xapp-1-A{U10}-{d13}-{h64}|sk_live_{24}|rk_live_{24}|whsec_{32}|SG.{22}.{43}|SK{h32}|"
    "key-{h32}|npm_{36}|pypi-AgEIcHlwaS5vcmc{70}|hf_{34}|dop_v1_{h64}|shpat_{h32}|sq0csp-{43}|"
    "{d10}:AA{33}|GOCSPX-{28}|ya29.{60}|gsk_{52}|xai-{80}|r8_{37}|pplx-{48}|dapi{h32}|lin_api_{40}|ntn_{46}|"
    "figd_{40}|dp.pt.{43}|hvs.{90}|dckr_pat_{27}|glsa_{32}_{h8}|NRAK-{U27}|PMAK-{h24}-{h34}|sbp_{h40}|"
    "pscale_tkn_{43}|{14}.atlasv1.{60}|AGE-SECRET-KEY-1{U58}|https://hooks.slack.com/services/T{U8}/B{U8}/{24}"
)
_KEYS_PLAIN = "{h32}|{h40}|{40}|{32}|{b32}=|{h64}|{h8}-{h4}-4{h3}-a{h3}-{h12}"
_URLS = (
    "postgres://{n}:{p}@db.internal:5432/app|postgresql+psycopg://{n}:{p}@10.0.0.5/main|mysql://{n}:{p}@mysql/shop|"
    "redis://:{p}@cache:6379/0|mongodb+srv://{n}:{p}@cluster0.x1.mongodb.net|amqp://{n}:{p}@mq//|"
    "ftp://{n}:{p}@files.example.com/in|https://{n}:{p}@git.example.com/a/b.git|https://oauth2:{p}@gitlab.example.com/r|"
    "smtp://{n}:{p}@mail.example.com:587|ldap://{n}:{p}@ldap.example.com|jdbc:postgresql://{n}:{p}@pg/x"
)
_WORDS = "sommer|tiger|Fluss|casa|luna|river|Kaffee|dragon|soleil|Montag|verde|winter|nube|Berlin|maison|rocket"
_MONTHS = (
    "January|February|March|April|May|June|July|August|September|October|November|December",
    "Januar|Februar|März|April|Mai|Juni|Juli|August|September|Oktober|November|Dezember",
    "enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre|octubre|noviembre|diciembre",
    "janvier|février|mars|avril|mai|juin|juillet|août|septembre|octobre|novembre|décembre",
)


@dataclass(frozen=True)
class HeldOutValue:
    """One value: how the sample calls its kind, whose words announce it, and which disguises it can wear.

    `alone`: it may stand without a word. `secret`: passwords and keys, which are not written in other characters.
    """

    name: str
    text: str
    words: str
    alone: bool
    secret: bool = False
    core: str = ""
    """What has to be gone, where that is not all of it: the secret in an address, the body of a key."""

    @property
    def told_by(self) -> str:
        """What tells the value to a reader."""
        return self.core or self.text


def any_of(rng: Random, forms: str) -> str:
    """Draw one of the alternatives."""
    return rng.choice(forms.split("|"))


def number_form(rng: Random, forms: str) -> str:
    """Draw a form and fill its digits."""
    return "".join(rng.choice("23456789") if sign == "#" else sign for sign in any_of(rng, forms))


def _signs(rng: Random, signs: str, count: int) -> str:
    return "".join(rng.choice(signs) for _ in range(count))


def key_form(rng: Random, forms: str) -> str:
    """Draw the form of a key and fill it: `{n}` letters and digits, `{hn}` hex, `{dn}` digits, `{Un}` upper case."""
    parts = any_of(rng, forms).replace("}", "{").split("{")
    alphabets = {"h": HEX, "d": string.digits, "U": UPPER + "234567", "b": LETTERS + "+/"}
    for place in range(1, len(parts), 2):
        signs = alphabets.get(parts[place][0], LETTERS)
        parts[place] = _signs(rng, signs, int(parts[place].lstrip("hdUb")))
    return "".join(parts)


def email(rng: Random) -> HeldOutValue:
    """Draw an address; the name in it is what tells whose it is."""
    name = any_of(rng, "m.keller|sophie|j-p.durand|ana_lopez|k2|info+news|tom.o'hara|jürgen|x.y.z|HANS.MEIER|zoë99")
    host = any_of(rng, "web.de|correo.es|orange.fr|mail.corp.example.com|bücher.example|firma.co.uk|a1.io|uni.edu.mx")
    name += str(rng.randrange(10, 100))
    return HeldOutValue("email", f"{name}@{host}", "email", alone=True, core=name)


def ip(rng: Random) -> str:
    """Draw an address of IPv4 or IPv6, also with a port or a prefix length."""
    four = ".".join(str(rng.randrange(11, 223)) for _ in range(4))
    groups = [_signs(rng, "123456789abcdef", 4) for _ in range(8)]
    six = rng.choice(
        (":".join(groups), f"2a02:{groups[1]}:{groups[2]}::{rng.randrange(1, 99):x}", f"fe80::{groups[3]}")
    )
    return rng.choice((four, four, f"{four}:8443", f"{four}/24", six, f"[{six}]:443", six.upper(), f"::ffff:{four}"))


def mac(rng: Random) -> str:
    """Draw an address of a network card."""
    text = "3c" + _signs(rng, HEX, 10)
    pairs = [text[at : at + 2] for at in range(0, 12, 2)]
    return rng.choice((":".join(pairs), "-".join(pairs).upper(), f"{text[:4]}.{text[4:8]}.{text[8:]}"))


def passport(rng: Random) -> str:
    """Draw a passport's number in the form of some country."""
    return rng.choice((
        digits(rng, 9, "345"), "C" + digits(rng, 8), _signs(rng, "CFGHJK", 1) + _signs(rng, "CFGHJKLMNP0123456789", 7)
        + digits(rng, 1), digits(rng, 2) + _signs(rng, UPPER, 2) + digits(rng, 5), _signs(rng, UPPER, 3)
        + digits(rng, 6), "E" + digits(rng, 8), _signs(rng, UPPER, 2) + digits(rng, 7), "M" + digits(rng, 7),
    ))  # fmt: skip


def driving_licence(rng: Random) -> str:
    """Draw a driving licence's number in the form of some country."""
    return rng.choice((
        _signs(rng, UPPER, 5) + digits(rng, 6) + _signs(rng, UPPER, 2) + "9" + _signs(rng, UPPER, 2),
        rng.choice("DFYN") + digits(rng, 7), "B0" + _signs(rng, UPPER + "0123456789", 9), digits(rng, 9),
        rng.choice("SWM") + "-".join((digits(rng, 3), digits(rng, 4), digits(rng, 4))), digits(rng, 12),
        digits(rng, 2) + _signs(rng, UPPER, 2) + digits(rng, 5), digits(rng, 8),
    ))  # fmt: skip


def birth_date(rng: Random) -> str:
    """Draw a date of birth in one of the ways in which it is written."""
    year, month, day = rng.randrange(1940, 2008), rng.randrange(1, 13), rng.randrange(1, 29)
    english, german, spanish, french = (months.split("|")[month - 1] for months in _MONTHS)
    return rng.choice((
        f"{year}-{month:02}-{day:02}", f"{day:02}.{month:02}.{year}", f"{day}/{month}/{year}",
        f"{month:02}/{day:02}/{year}",
        f"{day} {english} {year}", f"{english} {day}, {year}", f"{day}. {german} {year}",
        f"{day} de {spanish} de {year}",
        f"{day} {french} {year}", f"{day}.{month}.{year % 100:02}",
    ))  # fmt: skip


def password(rng: Random) -> str:
    """Draw a password as people choose them and as managers make them."""
    word, other = any_of(rng, _WORDS), any_of(rng, _WORDS)
    return rng.choice((
        f"{word}{rng.randrange(1990, 2030)}{rng.choice('!?#$')}", f"{word}-{other}-{rng.randrange(100)}",
        _signs(rng, LETTERS + "!#$%&*+-=?@^_", 12) + "7x", _signs(rng, LETTERS, 10) + "4", f"{word.title()}_{other}9",
        f"{word[:3]}@{other[:3]}#{rng.randrange(1000)}", f"{digits(rng, 4)}{word}", f"{word}{other}{digits(rng, 2)}",
    ))  # fmt: skip


def jwt(rng: Random) -> str:
    """Draw a signed token."""
    claims = ({"alg": "RS256", "kid": _signs(rng, HEX, 8)}, {"sub": _signs(rng, HEX, 12), "exp": 1790000000})
    parts = [base64.urlsafe_b64encode(json.dumps(claim).encode()).decode().rstrip("=") for claim in claims]
    return ".".join((*parts, _signs(rng, LETTERS + "-_", 86)))


def url_credentials(rng: Random) -> HeldOutValue:
    """Draw an address with a name and a password in it."""
    secret = rng.choice((_signs(rng, LETTERS, 14), f"{any_of(rng, _WORDS)}{rng.randrange(10, 99)}%21", "p4ss-W.rd~x1"))
    text = any_of(rng, _URLS).replace("{n}", any_of(rng, "app|svc-x|admin")).replace("{p}", secret)
    return HeldOutValue("url_credentials", text, "url_credentials", alone=True, secret=True, core=secret)


def private_key(rng: Random) -> HeldOutValue:
    """Draw what a file with a private key holds."""
    kind = any_of(rng, "RSA PRIVATE KEY|EC PRIVATE KEY|OPENSSH PRIVATE KEY|PRIVATE KEY|ENCRYPTED PRIVATE KEY")
    if rng.random() < 0.2:
        kind = "PGP PRIVATE KEY BLOCK"
    lines = [_signs(rng, LETTERS + "+/", 64) for _ in range(rng.randrange(3, 9))]
    text = "\n".join((f"-----BEGIN {kind}-----", *lines, f"-----END {kind}-----"))
    return HeldOutValue("private_key", text, "api_key", alone=True, secret=True, core="\n".join(lines))


_OTHERS: tuple[tuple[str, Callable[[Random], str], str, bool, bool], ...] = (
    ("phone_abroad", lambda rng: number_form(rng, _PHONES_ABROAD), "phone", True, False),
    ("phone_home", lambda rng: number_form(rng, _PHONES_HOME), "phone", False, False),
    ("phone_solid", lambda rng: number_form(rng, _PHONES_SOLID), "phone", False, False),
    ("us_ssn_solid", lambda rng: numbers.us_ssn(rng).replace("-", rng.choice(("", " "))), "us_ssn", False, False),
    ("iban", numbers.iban, "iban", True, False),
    ("card", numbers.card, "card", True, False),
    ("ip", ip, "ip", True, False),
    ("mac", mac, "mac", True, False),
    ("passport", passport, "passport", False, False),
    ("driving_licence", driving_licence, "driving_licence", False, False),
    ("birth_date", birth_date, "birth_date", False, False),
    ("password", password, "password", False, True),
    ("api_key", lambda rng: key_form(rng, _KEYS), "api_key", True, True),
    ("api_key_plain", lambda rng: key_form(rng, _KEYS_PLAIN), "api_key_plain", False, True),
    ("jwt", jwt, "jwt", True, True),
)


def held_out_values(rng: Random, each: int) -> Iterator[HeldOutValue]:
    """Draw so many values of each kind."""
    for name in NATIONAL:
        draw: Draw = getattr(numbers, name)
        for _ in range(each):
            yield HeldOutValue(name, draw(rng), name, alone=name == "us_ssn")
    for name, draw, words, alone, secret in _OTHERS:
        for _ in range(each):
            yield HeldOutValue(name, draw(rng), words, alone, secret)
    for _ in range(each):
        yield email(rng)
        yield url_credentials(rng)
        yield private_key(rng)


def announced(value: HeldOutValue, language: int, rng: Random) -> str:
    """Give a word that announces a value; language 4 is that of fields."""
    return any_of(rng, WORDS[value.words][language])
