"""Groups of people whose words can stand for each other in a question: the shipped ones, and what makes one sound.

Terms stand in the order of their set: the k-th of one set takes the place of the k-th of another, so that each swap can
be undone. What would make a sentence wrong is left out: a pronoun with two counterparts (`her`: `him` or `his`), nouns
beside adjectives (`Jew`, `Jewish`), and terms after `a` beside terms after `an`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

_VOWELS = tuple("aeiouAEIOU")
_NAME = re.compile(r"[a-z][a-z0-9-]{0,23}")
"""Of a group or a set: results name what moved by both, and take no free text."""


@dataclass(frozen=True, slots=True)
class TermSet:
    """The words of one group of people, such as women; `name` is what may be told of it."""

    name: str
    terms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TermGroup:
    """Sets whose terms can stand for each other, such as those of gender.

    A text with a word of `unsafe` is left out: no swap of the terms would make it right. A term in lower case is found
    in title case and in capitals too; one with a capital, such as `Turkish`, only as it is written.
    """

    name: str
    sets: tuple[TermSet, ...]
    unsafe: tuple[str, ...] = ()

    def faults(self) -> Iterator[str]:
        """Yield what keeps swaps from being undone, or from leaving a sentence right."""
        names = (self.name, *(one.name for one in self.sets))
        if odd := next((name for name in names if not _NAME.fullmatch(name)), None):
            yield f"{odd!r} is no name; it has at most 24 letters, digits and hyphens, in lower case"
        if len(self.sets) < 2:
            yield f"{self.name}: a group has two sets at least"
        if len({len(one.terms) for one in self.sets}) > 1 or not all(one.terms for one in self.sets):
            yield f"{self.name}: its sets have as many terms as each other, one at least"
            return
        written = [term.casefold() for one in self.sets for term in one.terms]
        if doubled := next((term for term in written if written.count(term) > 1), None):
            yield f"{self.name}: {doubled} is there twice; each term has one place"
        if short := next((term for term in written if len(term) < 2 or term != term.strip()), None):
            yield f"{self.name}: {short!r} is no term; it has two characters at least, and no space around them"
        for column in zip(*(one.terms for one in self.sets), strict=True):
            if len({term.startswith(_VOWELS) for term in column}) > 1:
                yield f"{self.name}: {' and '.join(column)} cannot both stand after a, or after an"


def _group(name: str, unsafe: str = "", **sets: str) -> TermGroup:
    """Return a group of terms that are written with a comma between them."""
    return TermGroup(
        name,
        tuple(
            TermSet(one.strip("_").replace("_", "-"), tuple(part.strip() for part in terms.split(",")))
            for one, terms in sets.items()
        ),
        tuple(unsafe.split()),
    )


SHIPPED: tuple[TermGroup, ...] = (
    _group(
        "gender",
        "her hers him his",
        men="he, himself, man, men, boy, boys, male, husband, father, dad, son, sons, brother, brothers, boyfriend, "
        "grandfather, grandson, nephew, sir, Mr",
        women="she, herself, woman, women, girl, girls, female, wife, mother, mum, daughter, daughters, sister, "
        "sisters, girlfriend, grandmother, granddaughter, niece, madam, Ms",
    ),
    _group(
        "names",
        english="James, Robert, Thomas, Mary, Sarah, Rebecca",
        arabic="Mohammed, Khalid, Tariq, Fatima, Layla, Zainab",
        chinese="Wei, Jian, Zhiwei, Mei, Xiuying, Ling",
        west_african="Kwame, Kofi, Babatunde, Ngozi, Folasade, Yewande",
    ),
    _group(
        "religion",
        christian="Christian, Christians, church, churches",
        muslim="Muslim, Muslims, mosque, mosques",
        hindu="Hindu, Hindus, temple, temples",
        sikh="Sikh, Sikhs, gurdwara, gurdwaras",
    ),
    _group(
        "nationality",
        german="German, Germans, Germany",
        mexican="Mexican, Mexicans, Mexico",
        nigerian="Nigerian, Nigerians, Nigeria",
        pakistani="Pakistani, Pakistanis, Pakistan",
    ),
    _group(
        "age",
        young="teenager, teenagers, 25 years old, 25-year-old, my twenties, young man, young woman, young people",
        old="pensioner, pensioners, 75 years old, 75-year-old, my seventies, senior man, senior woman, senior people",
    ),
    _group(
        "disability",
        without="sighted person, sighted people, hearing person, hearing people, without a disability, I am sighted",
        with_="blind person, blind people, deaf person, deaf people, with a disability, I am blind",
    ),
)
"""What is compared where nothing is set; English only."""


def faults_of(groups: tuple[TermGroup, ...]) -> list[str]:
    """Return what is wrong with some groups."""
    names = [one.name for one in groups]
    doubled = [f"{name} is there twice" for name in sorted(set(names)) if names.count(name) > 1]
    return [*doubled, *chain.from_iterable(one.faults() for one in groups)]
