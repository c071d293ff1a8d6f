"""Which of the watched namespaces can be listed: one that refuses us costs itself, and no other waits for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from modelward.kube.errors import ApiError, Forbidden
from modelward.kube.kinds import Kind

Namespace = str | None
"""None stands for all namespaces at once."""


@dataclass(slots=True)
class NamespaceAccess:
    """What each list of a round came to. A namespace is open once all kinds of it were listed and none is refused.

    A refusal (403) means that the namespace was deleted, and its Role with it, or that its RoleBinding was taken away.
    Any other trouble is the API server's, and what was open stays open.
    """

    kinds: Sequence[Kind]
    namespaces: Sequence[str] = ()
    refused: dict[str, str] = field(default_factory=dict)
    """Why each namespace that refuses us does, in the API server's words."""
    _listed: set[tuple[Kind, Namespace]] = field(default_factory=set)
    _refusing: dict[str, str] = field(default_factory=dict)
    _open: frozenset[Namespace] = frozenset()

    @property
    def scopes(self) -> tuple[Namespace, ...]:
        """What is listed one by one: the namespaces, or None for all at once."""
        return tuple(self.namespaces) or (None,)

    def listed(self, kind: Kind, namespace: Namespace) -> None:
        """Note that a list succeeded, or that the kind is not served at all."""
        self._listed.add((kind, namespace))

    def failed(self, kind: Kind, namespace: Namespace, error: ApiError) -> None:
        """Note that a list failed."""
        if namespace is not None and isinstance(error, Forbidden) and error.status == 403:
            self._refusing.setdefault(namespace, f"{kind.plural}: {error.message}")

    def round_ended(self) -> tuple[frozenset[str], frozenset[str]]:
        """Return the namespaces that began to refuse us in this round, and those that opened in it."""
        new = self._refusing.keys() - self.refused.keys()
        self._listed -= {(kind, namespace) for namespace in self._refusing for kind in self.kinds}
        self.refused, self._refusing = self._refusing, {}
        before, self._open = self._open, frozenset(scope for scope in self.scopes if self._complete(scope))
        return frozenset(new), frozenset(scope for scope in self._open - before if scope is not None)

    @property
    def any_open(self) -> bool:
        """Whether there is anything to lead."""
        return bool(self._open)

    def holds(self, namespace: str) -> bool:
        """Return whether a namespace is open, as of the last round."""
        return not self.namespaces or namespace in self._open

    @property
    def answering(self) -> tuple[str, ...]:
        """The namespaces that do not refuse us, in their order."""
        return tuple(namespace for namespace in self.namespaces if namespace not in self.refused)

    def _complete(self, scope: Namespace) -> bool:
        return all((kind, scope) in self._listed for kind in self.kinds)
