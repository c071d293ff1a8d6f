"""A person who looks: who it is, how that is known, and what the person may see."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from modelward.api.base import Fitted

PersonSource = Literal["Kubectl", "OIDC", "Pasted", "ByHand"]
"""Kubectl: a token of a reader's account; ByHand: whoever asks a hub that runs on a person's own machine."""
Right = Literal["Numbers", "Policies", "Text", "Label", "Silence", "Audit"]
"""What each stands for in Kubernetes: Numbers `get llmendpoints`, Policies `get monitoringpolicies`, Text
`get llmendpoints/exchanges`, Label `create llmendpoints/labels`, Silence `create alertsilences`, Audit
`get llmendpoints/audit`."""


class NamespaceRights(Fitted):
    """What a person may do in one namespace."""

    namespace: Annotated[str, Field(max_length=63)]
    rights: tuple[Right, ...]


class Person(Fitted):
    """Who asks the hub, as it answers `GET /v1/view/me`; no namespace is named in which the person has no right."""

    name: Annotated[str, Field(max_length=512)]
    """As the audit has it: `system:serviceaccount:retail:modelward-reader`, `oidc:ann@example.org`."""
    source: PersonSource
    namespaces: tuple[NamespaceRights, ...] = ()
    everywhere: tuple[Right, ...] = ()
    """What the person may do in each namespace."""
    expires_ms: int | None = None
    """When the token ends, and the session with it."""
