"""Scopes as their owners would write them: in one line, and in six.

Written for domains of CLINC150 and for BANKING77, from the domains' names and what such a service does, never by what
scored well.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BenchScope:
    """A scope in one line and in six, and the domains of the labelled sets that belong to it."""

    name: str
    inside: tuple[str, ...]
    one: str
    six: tuple[str, ...]


SCOPES = (
    BenchScope(
        "banking",
        ("banking", "credit_cards"),
        "questions to a bank",
        (
            "questions about bank accounts, balances and statements",
            "debit cards, credit cards and PIN codes",
            "sending and receiving money, direct debits and bills",
            "loans, mortgages, interest rates and credit scores",
            "lost cards, fraud and unknown charges",
            "fees, rewards, limits and applications for cards",
        ),
    ),
    BenchScope(
        "banking77",
        ("banking77",),
        "questions to a bank",
        (
            "questions about my account and balance",
            "cards that were ordered, lost, stolen or declined",
            "money transfers, top-ups and payments that are pending",
            "cash withdrawals and cash machines",
            "fees, charges, refunds and exchange rates",
            "identity checks, passcodes and the app",
        ),
    ),
    BenchScope(
        "travel",
        ("travel",),
        "questions about travel",
        (
            "booking flights and the status of a flight",
            "hotels and car rental",
            "luggage, carry-on rules and lost bags",
            "visas, vaccines and travel warnings",
            "what to see and do in a place",
            "time zones, plugs, exchange rates and phrases of other countries",
        ),
    ),
    BenchScope(
        "kitchen",
        ("kitchen_and_dining",),
        "questions about food",
        (
            "recipes and how to cook a dish",
            "ingredients and what to use instead",
            "calories and nutrition of food",
            "how long food takes to cook, and how long it keeps",
            "ideas for what to eat",
            "restaurants, reservations and reviews",
        ),
    ),
    BenchScope(
        "work",
        ("work",),
        "questions of employees to the staff office",
        (
            "days off, vacation requests and holidays",
            "payday, salary and direct deposit",
            "taxes and tax forms from the employer",
            "health insurance and other benefits",
            "retirement savings",
            "meetings and the calendar at work",
        ),
    ),
    BenchScope(
        "cars",
        ("auto_and_commute",),
        "questions about cars and driving",
        (
            "traffic and the way to work",
            "directions and distances",
            "fuel and how much a car uses",
            "oil changes and maintenance of the car",
            "tyres and tyre pressure",
            "taxis, rides and a car that does not start",
        ),
    ),
)
