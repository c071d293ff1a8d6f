"""The held-out sample's numbers by which states and banks know people, with check digits of their own making.

Written from the published rules and not from the detectors, so that an error in one does not hide in the other.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def digits(rng: Random, count: int, first: str = "0123456789") -> str:
    """Draw a number of so many digits."""
    return rng.choice(first) + "".join(rng.choice("0123456789") for _ in range(count - 1))


def grouped(text: str, sizes: tuple[int, ...], mark: str) -> str:
    """Cut a text into groups with a mark between."""
    parts, at = [], 0
    for size in sizes:
        parts.append(text[at : at + size])
        at += size
    return mark.join(parts)


def _weighted(text: str, weights: tuple[int, ...]) -> int:
    return sum(int(digit) * weight for digit, weight in zip(text, weights, strict=False))


def _luhn(text: str) -> str:
    total = 0
    for place, digit in enumerate(reversed(text)):
        twice = int(digit) * (2 if place % 2 == 0 else 1)
        total += twice - 9 if twice > 9 else twice
    return text + str(-total % 10)


def _birth(rng: Random, form: str) -> str:
    year, month, day = rng.randrange(1944, 2000), rng.randrange(1, 13), rng.randrange(1, 29)
    return form.format(y=year, s=year % 100, m=month, d=day)


def _verhoeff(text: str) -> str:
    table = [[(a + b) % 5 if a < 5 and b < 5 else 0 for b in range(10)] for a in range(10)]
    for a in range(10):
        for b in range(10):
            low_a, low_b = a % 5, b % 5
            if a < 5:
                table[a][b] = (low_a + low_b) % 5 + (5 if b >= 5 else 0)
            else:
                table[a][b] = (low_a - low_b) % 5 + (0 if b >= 5 else 5)
    turn = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)
    shift = [list(range(10))]
    for _ in range(7):
        shift.append([shift[-1][turn[place]] for place in range(10)])
    state = 0
    for place, digit in enumerate(reversed(text), 1):
        state = table[state][shift[place % 8][int(digit)]]
    return text + str((0, 4, 3, 2, 1, 5, 6, 7, 8, 9)[state])


def us_ssn(rng: Random) -> str:
    """Social security number of the United States."""
    return f"{rng.randrange(1, 660):03}-{rng.randrange(1, 99):02}-{rng.randrange(1000, 9999)}"


def us_itin(rng: Random) -> str:
    """Tax number of people without a social security number."""
    return f"9{rng.randrange(100):02}-{rng.randrange(70, 89)}-{rng.randrange(1000, 9999)}"


def uk_nino(rng: Random) -> str:
    """National Insurance number of the United Kingdom."""
    text = rng.choice("ABCEGHJKLMNPRSTWXYZ") + rng.choice("ABCEGHJKLMPRSTWXYZ")
    text += digits(rng, 6) + rng.choice("ABCD")
    return _replace_pairs(text, rng)


def _replace_pairs(text: str, rng: Random) -> str:
    text = "AB" + text[2:] if text[:2] in ("BG", "GB", "KN", "NK", "NT", "TN", "ZZ") else text
    return grouped(text, (2, 2, 2, 2, 1), " ") if rng.random() < 0.5 else text


def uk_nhs(rng: Random) -> str:
    """Health number of England."""
    while True:
        text = digits(rng, 9, "4679")
        check = 11 - _weighted(text, (10, 9, 8, 7, 6, 5, 4, 3, 2)) % 11
        if check != 10:
            return grouped(text + str(check % 11), (3, 3, 4), rng.choice((" ", "-")))


def de_tax(rng: Random) -> str:
    """Steuer-ID: ten digits in which one comes twice, and a check digit of ISO 7064."""
    pool = rng.sample("0123456789", 9)
    text = [*pool, rng.choice(pool)]
    rng.shuffle(text)
    if text[0] == "0":
        return de_tax(rng)
    product = 10
    for digit in text:
        product = ((int(digit) + product) % 10 or 10) * 2 % 11
    whole = "".join(text) + str((11 - product) % 10)
    return grouped(whole, (2, 3, 3, 3), " ") if rng.random() < 0.6 else whole


def de_pension(rng: Random) -> str:
    """Rentenversicherungsnummer."""
    text = digits(rng, 2, "1234") + _birth(rng, "{d:02}{m:02}{s:02}") + rng.choice(UPPER) + digits(rng, 2)
    spread = text[:8] + f"{UPPER.index(text[8]) + 1:02}" + text[9:]
    total = 0
    for digit, factor in zip(spread, (2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1), strict=True):
        product = int(digit) * factor
        total += product // 10 + product % 10
    whole = text + str(total % 10)
    return rng.choice((whole, grouped(whole, (2, 6, 1, 3), " ")))


def fr_nir(rng: Random) -> str:
    """Numéro de sécurité sociale."""
    body = rng.choice("12") + _birth(rng, "{s:02}{m:02}") + f"{rng.randrange(1, 95):02}" + digits(rng, 6)
    whole = body + f"{97 - int(body) % 97:02}"
    return rng.choice((whole, grouped(whole, (1, 2, 2, 2, 3, 3, 2), " ")))


def es_dni(rng: Random) -> str:
    """Documento nacional de identidad."""
    number = digits(rng, 8)
    return number + rng.choice(("", "-", " ")) + "TRWAGMYFPDXBNJZSQVHLCKE"[int(number) % 23]


def es_nie(rng: Random) -> str:
    """Número de identidad de extranjero."""
    first, number = rng.choice("XYZ"), digits(rng, 7)
    mark = rng.choice(("", "-"))
    return first + mark + number + mark + "TRWAGMYFPDXBNJZSQVHLCKE"[int(f"{'XYZ'.index(first)}{number}") % 23]


_ODD = (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23)


def it_fiscal(rng: Random) -> str:
    """Codice fiscale."""
    text = "".join(rng.choice("BCDFGLMNPRSTVZ") for _ in range(6)) + f"{rng.randrange(40, 99)}"
    text += rng.choice("ABCDEHLMPRST") + f"{rng.randrange(1, 29):02}" + rng.choice("ABCDEFGHIL") + digits(rng, 3)
    values = [int(sign) if sign.isdigit() else UPPER.index(sign) for sign in text]
    whole = text + UPPER[sum(_ODD[v] if place % 2 == 0 else v for place, v in enumerate(values)) % 26]
    return rng.choice((whole, whole, whole.lower(), grouped(whole, (3, 3, 5, 5), " ")))


def in_aadhaar(rng: Random) -> str:
    """Aadhaar number."""
    return grouped(_verhoeff(digits(rng, 11, "23456789")), (4, 4, 4), rng.choice((" ", "-")))


def in_pan(rng: Random) -> str:
    """Permanent account number."""
    return "".join(rng.choice(UPPER) for _ in range(3)) + "P" + rng.choice(UPPER) + digits(rng, 4) + rng.choice(UPPER)


def br_cpf(rng: Random) -> str:
    """Cadastro de pessoas físicas."""
    text = digits(rng, 9)
    for start in (10, 11):
        text += str(_weighted(text, tuple(range(start, 1, -1))) * 10 % 11 % 10)
    return rng.choice((f"{text[:3]}.{text[3:6]}.{text[6:9]}-{text[9:]}", text))


def br_cnpj(rng: Random) -> str:
    """Cadastro nacional da pessoa jurídica."""
    text = digits(rng, 8) + "0001"
    for weights in ((5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2), (6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2)):
        rest = _weighted(text, weights) % 11
        text += str(0 if rest < 2 else 11 - rest)
    return f"{text[:2]}.{text[2:5]}.{text[5:8]}/{text[8:12]}-{text[12:]}"


def cn_resident(rng: Random) -> str:
    """Resident identity card of China."""
    text = rng.choice(("110105", "310101", "440305", "510104")) + _birth(rng, "{y}{m:02}{d:02}") + digits(rng, 3)
    return text + "10X98765432"[_weighted(text, (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)) % 11]


def jp_my_number(rng: Random) -> str:
    """My Number."""
    text = digits(rng, 11)
    rest = _weighted(text[::-1], (2, 3, 4, 5, 6, 7, 2, 3, 4, 5, 6)) % 11
    return grouped(text + str(0 if rest <= 1 else 11 - rest), (4, 4, 4), rng.choice((" ", "-")))


def kr_resident(rng: Random) -> str:
    """Resident registration number of Korea."""
    text = _birth(rng, "{s:02}{m:02}{d:02}") + rng.choice("12") + digits(rng, 5)
    check = (11 - _weighted(text, (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5)) % 11) % 10
    return f"{text[:6]}-{text[6:]}{check}"


def mx_curp(rng: Random) -> str:
    """Clave única de registro de población."""
    text = rng.choice("GLMPR") + rng.choice("AEIOU") + rng.choice(UPPER) + rng.choice(UPPER)
    text += _birth(rng, "{s:02}{m:02}{d:02}") + rng.choice("HM") + rng.choice(("DF", "JC", "NL", "MC", "OC"))
    text += "".join(rng.choice("BCDFGLMNPRSTV") for _ in range(3)) + rng.choice("0123456789")
    signs = "0123456789ABCDEFGHIJKLMNÑOPQRSTUVWXYZ"
    return text + str(-sum(signs.index(sign) * (18 - place) for place, sign in enumerate(text)) % 10)


def ca_sin(rng: Random) -> str:
    """Social insurance number of Canada."""
    return grouped(_luhn(digits(rng, 8, "1245679")), (3, 3, 3), rng.choice((" ", "-")))


def au_tfn(rng: Random) -> str:
    """Tax file number of Australia."""
    while True:
        text = digits(rng, 9, "123456789")
        if _weighted(text, (1, 4, 3, 7, 5, 8, 6, 9, 10)) % 11 == 0:
            return grouped(text, (3, 3, 3), " ")


def au_medicare(rng: Random) -> str:
    """Medicare card number of Australia."""
    text = digits(rng, 8, "23456")
    text += str(_weighted(text, (1, 3, 7, 9, 1, 3, 7, 9)) % 10) + rng.choice("123")
    return grouped(text, (4, 5, 1), " ")


def za_identity(rng: Random) -> str:
    """Identity number of South Africa."""
    return _luhn(_birth(rng, "{s:02}{m:02}{d:02}") + digits(rng, 4) + "08")


def pl_pesel(rng: Random) -> str:
    """PESEL."""
    text = _birth(rng, "{s:02}{m:02}{d:02}") + digits(rng, 4)
    return text + str(-_weighted(text, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3)) % 10)


def nl_bsn(rng: Random) -> str:
    """Burgerservicenummer."""
    while True:
        text = digits(rng, 9, "123456789")
        if _weighted(text, (9, 8, 7, 6, 5, 4, 3, 2, -1)) % 11 == 0:
            return rng.choice((text, grouped(text, (4, 2, 3), "."), grouped(text, (3, 3, 3), " ")))


def be_register(rng: Random) -> str:
    """Rijksregisternummer."""
    text = _birth(rng, "{s:02}{m:02}{d:02}") + digits(rng, 3)
    text += f"{97 - int(text) % 97:02}"
    return f"{text[:2]}.{text[2:4]}.{text[4:6]}-{text[6:9]}.{text[9:]}"


def ch_ahv(rng: Random) -> str:
    """AHV-Nummer."""
    text = "756" + digits(rng, 9)
    text += str(-sum(int(sign) * (3 if place % 2 else 1) for place, sign in enumerate(text)) % 10)
    return rng.choice((grouped(text, (3, 4, 4, 2), "."), text))


def se_person(rng: Random) -> str:
    """Personnummer."""
    text = _luhn(_birth(rng, "{s:02}{m:02}{d:02}") + digits(rng, 3))
    return f"{rng.choice(('', '19'))}{text[:6]}-{text[6:]}"


def dk_person(rng: Random) -> str:
    """CPR-nummer."""
    return _birth(rng, "{d:02}{m:02}{s:02}") + "-" + digits(rng, 4)


def fi_person(rng: Random) -> str:
    """Henkilötunnus."""
    birth, serial = _birth(rng, "{d:02}{m:02}{s:02}"), f"{rng.randrange(2, 899):03}"
    return f"{birth}-{serial}{'0123456789ABCDEFHJKLMNPRSTUVWXY'[int(birth + serial) % 31]}"


def pt_tax(rng: Random) -> str:
    """Número de identificação fiscal."""
    text = digits(rng, 8, "12")
    rest = _weighted(text, (9, 8, 7, 6, 5, 4, 3, 2)) % 11
    return grouped(text + str(0 if rest < 2 else 11 - rest), (3, 3, 3), rng.choice(("", " ")))


def ie_pps(rng: Random) -> str:
    """Personal public service number of Ireland."""
    text, second = digits(rng, 7), rng.choice(("", "A"))
    total = _weighted(text, (8, 7, 6, 5, 4, 3, 2)) + (9 if second else 0)
    return text + "WABCDEFGHIJKLMNOPQRSTUV"[total % 23] + second


def tr_identity(rng: Random) -> str:
    """Identity number of Turkey."""
    text = digits(rng, 9, "123456789")
    odd, even = sum(map(int, text[::2])), sum(map(int, text[1::2]))
    text += str((7 * odd - even) % 10)
    return text + str(sum(map(int, text)) % 10)


def cl_rut(rng: Random) -> str:
    """Rol único tributario."""
    text = digits(rng, 8, "12")
    rest = 11 - _weighted(text[::-1], (2, 3, 4, 5, 6, 7, 2, 3)) % 11
    return f"{text[:2]}.{text[2:5]}.{text[5:]}-{'K' if rest == 10 else rest % 11}"


def sg_nric(rng: Random) -> str:
    """NRIC number of Singapore."""
    text, first = digits(rng, 7), rng.choice("ST")
    total = _weighted(text, (2, 7, 6, 5, 4, 3, 2)) + (4 if first == "T" else 0)
    return first + text + "JZIHGFEDCBA"[total % 11]


def id_nik(rng: Random) -> str:
    """Nomor induk kependudukan."""
    return rng.choice(("317401", "327306", "351501")) + _birth(rng, "{d:02}{m:02}{s:02}") + digits(rng, 4)


def pk_cnic(rng: Random) -> str:
    """CNIC of Pakistan."""
    return f"{digits(rng, 5, '34')}-{digits(rng, 7)}-{digits(rng, 1)}"


def ar_dni(rng: Random) -> str:
    """Documento nacional de identidad of Argentina."""
    return grouped(digits(rng, 8, "234"), (2, 3, 3), rng.choice((".", "")))


def co_cedula(rng: Random) -> str:
    """Cédula de ciudadanía."""
    return grouped(digits(rng, 10, "1"), (1, 3, 3, 3), rng.choice((".", "")))


def ru_snils(rng: Random) -> str:
    """Insurance number of Russia."""
    text = digits(rng, 9, "123")
    check = _weighted(text, (9, 8, 7, 6, 5, 4, 3, 2, 1)) % 101 % 100
    return f"{text[:3]}-{text[3:6]}-{text[6:]} {check:02}"


_IBANS = (
    ("DE", "", 18), ("AT", "", 16), ("CH", "", 17), ("FR", "", 23), ("ES", "", 20), ("PT", "", 21), ("BE", "", 12),
    ("NL", "INGB", 10), ("GB", "BARC", 14), ("IE", "AIBK", 14), ("SE", "", 20), ("NO", "", 11), ("DK", "", 14),
    ("PL", "", 24), ("CZ", "", 20), ("LU", "", 16), ("TR", "", 22), ("SA", "", 20), ("FI", "", 14), ("HU", "", 24),
)  # fmt: skip


def iban(rng: Random) -> str:
    """Draw an account number of one of twenty countries."""
    country, bank, count = rng.choice(_IBANS)
    account = bank + digits(rng, count)
    spread = "".join(str(int(sign, 36)) for sign in account + country + "00")
    whole = f"{country}{98 - int(spread) % 97:02}{account}"
    return rng.choice((whole, whole.lower(), *(grouped(whole, (4,) * 9, " ").strip() for _ in range(3))))


_CARDS = (
    ("4", 16), ("53", 16), ("2221", 16), ("37", 15), ("6011", 16), ("65", 16), ("3528", 16), ("38", 14), ("6220", 16),
)  # fmt: skip
_GROUPS = {16: (4, 4, 4, 4), 15: (4, 6, 5), 14: (4, 6, 4)}


def card(rng: Random) -> str:
    """Draw the number of a payment card."""
    start, size = rng.choice(_CARDS)
    whole = _luhn(start + digits(rng, size - len(start) - 1))
    return rng.choice((whole, *(grouped(whole, _GROUPS[size], mark) for mark in (" ", " ", "-", "."))))


Draw = Callable[[Random], str]
