"""A sample that the detectors were not written from is masked too, and its harmless texts are left alone."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from held_out import held_out_false_alarms, held_out_recall

from modelward.privacy import passwords
from modelward.privacy.redaction import redact


def test_the_held_out_sample_is_masked() -> None:
    recall = held_out_recall(each=3, places=3, seed=11)
    assert recall["all"]["values"] > 900
    assert recall["all"]["recall"] >= 0.98
    assert recall["sealed"]["sealed"]["recall"] >= 0.95


def test_no_kind_of_the_held_out_sample_falls_short() -> None:
    kinds = held_out_recall(each=6, places=4, seed=12)["kinds"]
    assert len(kinds) >= 50
    assert {kind: row for kind, row in kinds.items() if row["recall"] < 0.85} == {}


def test_its_harmless_texts_are_left_alone() -> None:
    alarms = held_out_false_alarms(each=4, seed=13)
    assert alarms["texts"] >= 300
    assert alarms["share"] <= 0.01


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("born on 3rd of May 2011 in Rome", "born on [DATE_OF_BIRTH] in Rome"),
        ("Geburtsdatum:\n7. Juli 1969", "Geburtsdatum:\n[DATE_OF_BIRTH]"),
        ('{"dob": "1984-03-17"}', '{"dob": "[DATE_OF_BIRTH]"}'),
        ("name,dob\nAnn,12.5.1980\n", "name,dob\nAnn,[DATE_OF_BIRTH]\n"),
        ("INSERT INTO t (name, cpr) VALUES ('Kim', '210495-4089');",
         "INSERT INTO t (name, cpr) VALUES ('Kim', '[NATIONAL_ID]');"),
        ("insert into u (id, db_password) values (1, 'letmein9'), (2, 'it''s9x')",
         "insert into u (id, db_password) values (1, '[PASSWORD]'), (2, '[PASSWORD]')"),
        ("J'ai indiqué 299226689 comme NIF.", "J'ai indiqué [NATIONAL_ID] comme NIF."),
        ("./save --nik '3174011310617810'", "./save --nik '[NATIONAL_ID]'"),
        ('{"label": "TFN", "value": "886219684"}', '{"label": "TFN", "value": "[NATIONAL_ID]"}'),
        ("And your SSN?\nCaller: 219099999", "And your SSN?\nCaller: [US_SSN]"),
        ("name=Kim+Lee&phone=0171+2345678&go=1", "name=Kim+Lee&phone=[PHONE]&go=1"),
        ("mail=ana%40b%C3%BCcher.example&x=1", "mail=[EMAIL]&x=1"),
        ("SSN: 593 87\n8865", "SSN: [US_SSN]"),
        ("Tel.: +31 6\r\n27966658", "Tel.: [PHONE]"),
        ("numéro de passeport : HNLKFPHN4", "numéro de passeport : [NATIONAL_ID]"),
        ("licencia de conducir nº S322-1811-4359", "licencia de conducir nº [NATIONAL_ID]"),
        ("codice fiscale MDV BLD 49E01 H071D", "codice fiscale [NATIONAL_ID]"),
        ("CNIC 48410-9280581-9", "CNIC [NATIONAL_ID]"),
        ("als Kennwort habe ich Montag2003! gewählt", "als Kennwort habe ich [PASSWORD] gewählt"),
        ("API key\nb0adb8f8-5f67-4d3c-a907-0ae383a00ca9", "API key\n[PASSWORD]"),
    ],
)  # fmt: skip
def test_words_data_and_line_breaks_announce_values(text: str, rest: str) -> None:
    assert redact(text).text == rest


@pytest.mark.parametrize(
    "text",
    [
        "The startup was born in 2012 and sold on 12/03/2019",
        "National Insurance rate 2026/2027 is 8%",
        "fax machines from 1987-1993",
        "sin(x) = 0.841470985 for x=1",
        "The password field was added in Release2024.3 of the portal",
        "mobile traffic grew to 123 456 789 MB",
        "use git checkout 9fceb02d0ae598e95dc970b74767f19372d62301 to pin the version",
        "sum=1+2+3&mode=fast",
        "the token in commit 9fceb02d0ae598e95dc970b74767f19372d62301",
    ],
)
def test_words_beside_other_things_announce_nothing(text: str) -> None:
    assert redact(text).text == text


@pytest.mark.parametrize("unit", ["pw: ", "pw=", "--pass=", "token ", "mdp as ", "pin: 1", 'password": "'])
def test_words_without_values_between_cost_no_search_each(unit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    searched: list[int] = []
    behind = passwords._behind

    def counted(text: str, low: str, word: re.Match[str]) -> Iterator[object]:
        searched.append(word.start())
        return behind(text, low, word)

    monkeypatch.setattr(passwords, "_behind", counted)
    list(passwords.passwords(unit * 500))
    assert len(searched) <= 2


@pytest.mark.parametrize("word", ["pin", "cvv", "otp", "access code"])
def test_sentences_that_never_reach_their_number_take_linear_time(word: str) -> None:
    text = f"{word} is " * 2000
    assert redact(text).text == text
