"""Asking the hub: by a token of a reader's account, which is good for the hub alone, through a forwarded port."""

from __future__ import annotations

import http.client
import json
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from modelward.kubectl.cluster import Cluster
from modelward.kubectl.errors import PluginError

AUDIENCE, SERVICE, PORT = "modelward-hub", "modelward-hub", 8443
READER_ACCOUNT = "modelward-reader"
AUTHORITY = ("get", "configmap", "modelward-hub-ca", "-o", r"jsonpath={.data.ca\.crt}")
"""What kubectl is asked for the certificate that the hub's own is signed with; with the namespace of the hub."""
SIGNED_IN = "10m"
"""How long the token lasts."""
TIMEOUT_S = 60


@dataclass(frozen=True, slots=True)
class HubWay:
    """Where the hub is: in the cluster, or by its address for one that takes no tokens."""

    system_namespace: str = "modelward-system"
    url: str = ""
    account: str = READER_ACCOUNT


@dataclass(slots=True)
class ForwardedHub:
    """One hub and the token that is shown to it."""

    host: str
    port: int
    token: str = ""
    tls: ssl.SSLContext | None = None
    _headers: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self._headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}

    def view(self, path: str, **query: object) -> Mapping[str, Any]:
        """Return what `GET /v1/view/…` answers; parameters that are empty are left out."""
        asked = urlencode({name.rstrip("_"): value for name, value in query.items() if value not in (None, "", False)})
        return self._ask("GET", f"/v1/view/{path}" + (f"?{asked}" if asked else ""))

    def send(self, path: str, document: Mapping[str, Any]) -> Mapping[str, Any]:
        """Post a document and return the answer."""
        return self._ask("POST", path, json.dumps(document).encode())

    def _ask(self, method: str, path: str, body: bytes | None = None) -> Mapping[str, Any]:
        connection = (
            http.client.HTTPSConnection(self.host, self.port, timeout=TIMEOUT_S, context=self.tls)
            if self.tls
            else http.client.HTTPConnection(self.host, self.port, timeout=TIMEOUT_S)
        )
        try:
            connection.request(method, path, body, self._headers)
            answer = connection.getresponse()
            return _read(answer.status, answer.read())
        except (OSError, http.client.HTTPException) as error:
            raise PluginError(f"the hub did not answer: {type(error).__name__}: {error}") from error
        finally:
            connection.close()


@contextmanager
def hub_of(cluster: Cluster, way: HubWay) -> Iterator[ForwardedHub]:
    """Yield the hub as the person may see it in the namespace that is meant."""
    if way.url:
        parts = urlsplit(way.url)
        yield ForwardedHub(parts.hostname or "127.0.0.1", parts.port or 80)
        return
    namespace = cluster.here()
    token = cluster.run(
        "create", "token", way.account, "-n", namespace, "--audience", AUDIENCE, "--duration", SIGNED_IN
    ).strip()
    authority = cluster.run(*AUTHORITY, "-n", way.system_namespace)
    tls = ssl.create_default_context(cadata=authority)
    with cluster.forwarded(way.system_namespace, SERVICE, PORT) as port:
        yield ForwardedHub("127.0.0.1", port, token, tls)


def endpoint_path(namespace: str, name: str, *more: str) -> str:
    """Return the path of an endpoint below `/v1/view/`."""
    return "/".join(("endpoints", quote(namespace, safe=""), quote(name, safe=""), *more))


def _read(status: int, body: bytes) -> Mapping[str, Any]:
    if status == http.client.NO_CONTENT:
        return {}
    try:
        found = json.loads(body)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise PluginError(f"the hub answered {status}, and no JSON")
    if status >= 400:
        error = found.get("error") or {}
        raise PluginError(f"the hub refused: {error.get('message', status)}")
    return found
