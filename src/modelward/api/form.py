"""The forms of text that our fields take, each with the words for a value that has another form.

A schema's `pattern` answers with the bare expression. So the forms of a spec become CEL rules, whose messages name the
value and say how to write it (`structural`); what we read ourselves is refused in the same words.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import ValidationError
from pydantic_core import ErrorDetails

_QUOTED = 64
"""Characters of a value that a message repeats at most."""


@dataclass(frozen=True, slots=True)
class TextForm:
    """A form of text. `pattern` is RE2 and Python alike, without quotes; `noun` and `advice` are parts of a sentence.

    A value that may hold a password is not `quoted`.
    """

    pattern: str
    noun: str
    advice: str
    quoted: bool = True

    def fault(self, value: str) -> str:
        """Return what is wrong with a value of another form, and how to write it."""
        return f'"{value}"{self._sentence}' if self.quoted else f"this{self._sentence}"

    def rule(self) -> dict[str, str]:
        """Return the CEL rule of a field; `message` is what stands where the value is beyond printing."""
        found = {"rule": self.test("self"), "message": f"this{self._sentence}"}
        return found | ({"messageExpression": f"'\"' + self + '\"{self._sentence}'"} if self.quoted else {})

    def test(self, field: str) -> str:
        """Return the CEL expression that is true where the field has this form."""
        return f"{field}.matches(r'{self.pattern}')"

    @property
    def _sentence(self) -> str:
        return f" is not {self.noun}; {self.advice}"


DURATION = TextForm(
    r"^([0-9]{1,5}(h|m|s|ms)){1,4}$",
    "a duration",
    "write whole numbers with h, m, s or ms, such as 15m or 1h30m (a day is 24h)",
)
PERCENT = TextForm(
    r"^(100(\.0{1,4})?|[0-9]{1,2}(\.[0-9]{1,4})?)%$",
    "a share",
    "write a number from 0 to 100 with at most four decimals and a percent sign, in quotes, such as 1% or 0.1%",
)
LIMIT = TextForm(
    r"^((100(\.0{1,4})?|[0-9]{1,2}(\.[0-9]{1,4})?)%|[0-9]{1,9}(\.[0-9]{1,4})?)$",
    "a limit",
    "write a share such as 1% or 0.1%, up to 100%, or in quotes the number that a percentile must keep, such as 800",
)
MONEY = TextForm(
    r"^[0-9]{1,6}(\.[0-9]{1,6})?$",
    "an amount of money",
    "write in quotes a number with at most six digits and six decimals, such as 5.00",
)
CURRENCY = TextForm(r"^[A-Z]{3}$", "a currency", "write its three letters of ISO 4217, such as USD")
HEADER = TextForm(
    r"^[A-Za-z][-A-Za-z0-9]{0,62}$",
    "a name of a header",
    "write letters, digits and dashes with a letter first, such as x-team",
)
BYTES = TextForm(
    r"^[0-9]{1,6}(Ki|Mi)?$", "a size", "write a whole number of bytes, or one with Ki or Mi, such as 4096 or 256Ki"
)
NAME = TextForm(
    r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$",
    "a name",
    "write a-z, 0-9 and dashes, with a letter or a digit at both ends, such as chat-v2",
)
SERVICE_NAME = TextForm(
    r"^[a-z]([-a-z0-9]*[a-z0-9])?$",
    "a name of a Service",
    "write a-z, 0-9 and dashes, with a letter first and a letter or a digit last, such as chat-v2",
)
BASE_URL = TextForm(
    r"^https?://[^\s/?#]+(/[^\s?#]*)?$",
    "a base URL",
    "write http:// or https://, a host and at most a path, without ? and #, such as https://api.example.com/v1",
    quoted=False,
)
TEXT_URL = TextForm(
    r"^(https://([A-Za-z0-9]([-A-Za-z0-9.]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])"
    r"|http://[a-z0-9]([-a-z0-9]*[a-z0-9])?\.[a-z0-9]([-a-z0-9]*[a-z0-9])?\.svc(\.cluster\.local)?)"
    r"(:[0-9]{1,5})?(/[-+A-Za-z0-9._~%!$&()*,;=:@/]*)?$",
    "an address that text may be sent to",
    "write https:// and a host, or http:// and a Service of the cluster such as http://brand.retail.svc:8080, then at"
    " most a port and a path",
    quoted=False,
)
SECRET_NAME = TextForm(
    r"^modelward-[a-z0-9]([-a-z0-9]*[a-z0-9])?$",
    "a name of a Secret that Modelward may mount",
    "write modelward- and a word, because no other Secret is mounted",
)
LABEL = TextForm(
    r"^[A-Za-z0-9]([-A-Za-z0-9_ ]{0,30}[A-Za-z0-9])?$",
    "a label",
    "write at most 32 letters, digits, spaces, dashes and underscores, such as off-brand",
)
QUERY_VALUE = TextForm(
    r"^[-A-Za-z0-9._]+$", "a version of an API", "write letters, digits, dots and dashes, such as 2024-10-21"
)
SECRET_KEY = TextForm(
    r"^[-._a-zA-Z0-9]+$", "a key of a Secret", "write letters, digits, dots, dashes and underscores, such as api-key"
)
IMAGE = TextForm(
    r"^[^\s]+$",
    "an image",
    "write a name without spaces, such as registry.example/brand@sha256:... or brand:1",
    quoted=False,
)
KIND = TextForm(
    r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$",
    "a kind of finding",
    "write letters, digits, dots, dashes and underscores, at most 63, such as EMAIL",
)
SCORE_NAME = TextForm(
    r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,60}[A-Za-z0-9]?$",
    "a name of scores",
    "write letters, digits, dots, dashes and underscores, at most 62, such as faithfulness",
)
MEASURED_SHARE = TextForm(
    r"^(100|[0-9]{1,2}(\.[0-9]{1,2})?)%$",
    "a measured share",
    "write a number from 0 to 100 with at most two decimals and a percent sign, such as 92.5%",
)
THRESHOLD = TextForm(
    r"^(auto|0(\.[0-9]{1,3})?|1(\.0{1,3})?)$",
    "a threshold",
    "write auto, or in quotes a number from 0 to 1 with at most three decimals, such as 0.42",
)
ALERT = TextForm(
    r"^((NotReady|Unwatched|TrafficUnseen|ScalingStuck"
    r"|(Objective|BudgetBurn|CheckUndecided|Check)(/[a-z0-9]([-a-z0-9]*[a-z0-9])?)?)|Modelward|OverBudget)$",
    "an alert",
    "write NotReady, Unwatched, TrafficUnseen, ScalingStuck, Modelward, OverBudget, or Objective, BudgetBurn, Check"
    " or CheckUndecided, these with or without / and a name, such as Check/stays-on-topic",
)
MAIL_ADDRESS = TextForm(
    r"^[A-Za-z0-9._+-]+@[A-Za-z0-9]([-A-Za-z0-9.]*[A-Za-z0-9])?$",
    "an address of mail",
    "write it bare, such as oncall@example.com",
    quoted=False,
)
HOST_PORT = TextForm(
    r"^[A-Za-z0-9]([-A-Za-z0-9.]*[A-Za-z0-9])?:[0-9]{1,5}$",
    "a host with a port",
    "write both with a colon between, such as smtp.example.com:587",
)
REPOSITORY = TextForm(
    r"^[A-Za-z0-9][-A-Za-z0-9_.]*/[A-Za-z0-9_.][-A-Za-z0-9_.]*$",
    "a repository",
    "write its owner and its name with / between, such as retail/chat",
)
CHANNEL = TextForm(r"^[#@]?[-A-Za-z0-9_.]+$", "a channel", "write its id or its name, such as C0123456789 or #alerts")
API_URL = TextForm(
    r"^https://[A-Za-z0-9]([-A-Za-z0-9.]*[A-Za-z0-9])?(:[0-9]{1,5})?(/[-+A-Za-z0-9._~/]*)?$",
    "an address of an API",
    "write https://, a host and at most a port and a path, such as https://github.example.com/api/v3",
    quoted=False,
)
KAPPA = TextForm(
    r"^0\.[0-9]{1,2}$", "a kappa", "write in quotes a number from 0 to 0.99 with at most two decimals, such as 0.4"
)
_ALL = (
    *(DURATION, PERCENT, LIMIT, MONEY, CURRENCY, HEADER, BYTES, NAME, SERVICE_NAME),
    *(BASE_URL, TEXT_URL, SECRET_NAME, SECRET_KEY, IMAGE, KIND, SCORE_NAME),
    *(MEASURED_SHARE, THRESHOLD, LABEL, QUERY_VALUE, KAPPA),
    *(ALERT, MAIL_ADDRESS, HOST_PORT, REPOSITORY, CHANNEL, API_URL),
)
FORMS: Mapping[str, TextForm] = {form.pattern: form for form in _ALL}
"""By pattern, as it stands in the models and in their JSON schema."""


def durations(*fields: str) -> str:
    """Return the start of a CEL rule about durations: it holds where one of them is none, which its own rule says."""
    return f"!({' && '.join(DURATION.test(field) for field in fields)}) ||"


def in_words(error: ValidationError, *inside: str) -> tuple[str, ...]:
    """Return what is wrong with each field that could not be read: `spec.capture.keepFor: "5" is not a duration; …`.

    `inside` are the names of the fields that hold what was read.
    """
    return tuple(_told(fault, inside) for fault in error.errors(include_url=False))


def _told(fault: ErrorDetails, inside: tuple[str, ...]) -> str:
    return f"{_path((*inside, *fault['loc']))}: {words(fault)}"


def _path(steps: tuple[int | str, ...]) -> str:
    """Return the place of a field as the API server writes it: `spec.objectives[0].over`."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps).removeprefix(".")


def words(fault: ErrorDetails) -> str:
    """Return what is wrong with one field, without its name."""
    form = FORMS.get(str(fault.get("ctx", {}).get("pattern", "")))
    if fault["type"] == "string_type" and isinstance(fault["input"], (int, float)):
        return f"{str(fault['input'])[:_QUOTED].lower()} is not text; write it in quotes"
    return form.fault(str(fault["input"])[:_QUOTED]) if form else fault["msg"]
