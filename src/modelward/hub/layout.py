"""Where things lie in the store: names carry what listings must know, so that nothing is read to be found.

exchanges/{namespace}/{endpoint}/{yyyymmddhh}/{first ms}-{last ms}-{count}-{uuid}.zst
results/{namespace}/{endpoint}/{policy}/{evaluation}/{from ms}-{to ms}.json
rules.json
keys/{namespace}.json
audit/{ms}-{uuid}.json
scopes/{namespace}/{ms}-{key}.json
scores/{namespace}/{endpoint}/{set}/{yyyymmddhh}.zst
budgets/{namespace}/{policy}.json
calibrations/{namespace}/{evaluator}/{key}.json
labels/{namespace}/{endpoint}.json
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime

HOUR_MS = 3_600_000
RULES_PATH = "rules.json"
KEYS_PREFIX = "keys/"
AUDIT_PREFIX = "audit/"
SCOPES_PREFIX = "scopes/"
SCORES_PREFIX = "scores/"
BUDGETS_PREFIX = "budgets/"
CALIBRATIONS_PREFIX = "calibrations/"
LABELS_PREFIX = "labels/"
_NAME = r"[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?"
_NAMESPACE = r"[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?"
_HOUR = r"\d{4}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:[01]\d|2[0-3])"
_ENDPOINT = re.compile(rf"{_NAMESPACE}/{_NAME}")
_OBJECT = re.compile(
    rf"exchanges/({_NAMESPACE}/{_NAME})/({_HOUR})/(\d{{1,15}})-(\d{{1,15}})-(\d{{1,9}})-([0-9a-f]+)\.zst"
)
_BUDGET = re.compile(rf"{BUDGETS_PREFIX}({_NAMESPACE})/({_NAME})\.json")
_RESULT = re.compile(rf"results/({_NAMESPACE}/{_NAME})/({_NAME})/({_NAME})/(\d{{1,15}})-(\d{{1,15}})\.json")
_SCORES = re.compile(rf"{SCORES_PREFIX}({_NAMESPACE}/{_NAME})/([0-9a-f]{{32}})/({_HOUR})\.zst")
_CALIBRATION = re.compile(rf"{CALIBRATIONS_PREFIX}({_NAMESPACE})/({_NAME})/(found|[0-9a-f]{{32}})\.json")
_LABELS = re.compile(rf"{LABELS_PREFIX}({_NAMESPACE}/{_NAME})\.json")
_SCOPE = re.compile(rf"scopes/({_NAMESPACE})/(\d{{1,15}})-([0-9a-f]{{32}})\.json")


@dataclass(frozen=True, slots=True)
class ExchangeObject:
    """One stored batch of an endpoint's exchanges, all of one hour; times inclusive."""

    endpoint: str
    hour: str
    first_ms: int
    last_ms: int
    count: int
    unique: str
    size: int = field(default=0, compare=False)
    """Bytes in the store, where they are known."""

    @property
    def namespace(self) -> str:
        """The namespace of its endpoint."""
        return namespace_of(self.endpoint)

    @property
    def path(self) -> str:
        """Its path in the store."""
        name = f"{self.first_ms:013d}-{self.last_ms:013d}-{self.count}-{self.unique}.zst"
        return f"exchanges/{self.endpoint}/{self.hour}/{name}"


@dataclass(frozen=True, slots=True)
class ResultKey:
    """The identity of a window's result; `endpoint` is `namespace/name`."""

    endpoint: str
    policy: str
    evaluation: str
    from_ms: int
    to_ms: int

    @property
    def namespace(self) -> str:
        """The namespace of its endpoint."""
        return namespace_of(self.endpoint)

    @property
    def path(self) -> str:
        """Its path in the store."""
        return f"results/{self.endpoint}/{self.policy}/{self.evaluation}/{self.from_ms:013d}-{self.to_ms:013d}.json"


@dataclass(frozen=True, slots=True)
class ScopeObject:
    """The facts of one scope of a namespace, stored at `at_ms`."""

    namespace: str
    key: str
    at_ms: int

    @property
    def path(self) -> str:
        """Its path in the store."""
        return f"{SCOPES_PREFIX}{self.namespace}/{self.at_ms:013d}-{self.key}.json"


@dataclass(frozen=True, slots=True)
class ScoresKey:
    """One hour of a set of scores; `endpoint` is `namespace/name`."""

    endpoint: str
    score_set: str
    hour: str

    @property
    def namespace(self) -> str:
        """The namespace of its endpoint."""
        return namespace_of(self.endpoint)

    @property
    def path(self) -> str:
        """Its path in the store."""
        return f"{SCORES_PREFIX}{self.endpoint}/{self.score_set}/{self.hour}.zst"


def scores_key(path: str) -> ScoresKey | None:
    """Read a path; None when it is none of ours."""
    match = _SCORES.fullmatch(path)
    return ScoresKey(*match.groups()) if match else None


def is_namespace(name: str) -> bool:
    """Return whether a text may name a namespace."""
    return is_endpoint(f"{name}/any")


def namespace_of(endpoint: str) -> str:
    """Return the namespace of `namespace/name`."""
    return endpoint.partition("/")[0]


def keys_path(namespace: str) -> str:
    """Return where the keys of a namespace lie."""
    return f"{KEYS_PREFIX}{namespace}.json"


def budget_path(namespace: str, policy: str) -> str:
    """Return where the ledger of a policy lies."""
    return f"{BUDGETS_PREFIX}{namespace}/{policy}.json"


def budget_names(path: str) -> tuple[str, str] | None:
    """Return the namespace and the policy of a ledger's path; None when it is none of ours."""
    match = _BUDGET.fullmatch(path)
    return (match[1], match[2]) if match else None


def calibration_path(namespace: str, evaluator: str, key: str) -> str:
    """Return where something of an evaluator's calibration lies: `found`, or scores by the digest of their version."""
    return f"{CALIBRATIONS_PREFIX}{namespace}/{evaluator}/{key}.json"


def calibration_names(path: str) -> tuple[str, str, str] | None:
    """Return namespace, evaluator and key of such a path; None when it is none of ours."""
    match = _CALIBRATION.fullmatch(path)
    return (match[1], match[2], match[3]) if match else None


def labels_path(endpoint: str) -> str:
    """Return where the labels of an endpoint's exchanges lie."""
    return f"{LABELS_PREFIX}{endpoint}.json"


def labels_endpoint(path: str) -> str | None:
    """Return the endpoint of such a path; None when it is none of ours."""
    match = _LABELS.fullmatch(path)
    return match[1] if match else None


def is_endpoint(text: str) -> bool:
    """Return whether the text is `namespace/name` and safe as a path."""
    return _ENDPOINT.fullmatch(text) is not None


def hour_of(time_ms: int) -> str:
    """Return the UTC hour as yyyymmddhh."""
    return datetime.fromtimestamp(time_ms / 1_000, UTC).strftime("%Y%m%d%H")


def hour_start_ms(hour: str) -> int:
    """Return the Unix milliseconds at which an hour of `hour_of` begins."""
    return int(datetime.strptime(hour, "%Y%m%d%H").replace(tzinfo=UTC).timestamp()) * 1_000


def exchange_object(path: str) -> ExchangeObject | None:
    """Read a path; None when it is none of ours, which is left alone."""
    match = _OBJECT.fullmatch(path)
    if match is None:
        return None
    endpoint, hour, first, last, count, unique = match.groups()
    return ExchangeObject(endpoint, hour, int(first), int(last), int(count), unique)


def result_key(path: str) -> ResultKey | None:
    """Read a path; None when it is none of ours."""
    match = _RESULT.fullmatch(path)
    if match is None:
        return None
    endpoint, policy, evaluation, from_ms, to_ms = match.groups()
    return ResultKey(endpoint, policy, evaluation, int(from_ms), int(to_ms))


def scope_object(path: str) -> ScopeObject | None:
    """Read a path; None when it is none of ours."""
    match = _SCOPE.fullmatch(path)
    return ScopeObject(match[1], match[3], int(match[2])) if match else None
