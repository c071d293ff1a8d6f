"""A few calls to the API server over its own certificates: no client library, and no 0.3 s for each kubectl."""

import http.client
import json
import ssl
from collections.abc import Iterator
from typing import Any

from settings import API_PORT, PKI


class RefusedError(Exception):
    """The API server answered with an error; `status` is its HTTP code."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status


class Client:
    """Calls as one of the cluster's users (see certificates.py)."""

    def __init__(self, user: str = "admin") -> None:
        self._tls = ssl.create_default_context(cafile=str(PKI / "ca.crt"))
        self._tls.load_cert_chain(PKI / f"{user}.crt", PKI / f"{user}.key")

    def call(self, method: str, path: str, body: object = None, *, kind: str = "application/json") -> Any:
        """One request; returns the decoded JSON (or the text), raises RefusedError or OSError."""
        connection = self._connect(timeout=10)
        try:
            payload = None if body is None else json.dumps(body)
            connection.request(method, path, payload, {"Content-Type": kind, "Accept": "application/json"})
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        if answer.status >= 400:
            raise RefusedError(answer.status, text[:500])
        return json.loads(text) if text.startswith("{") else text

    def apply(self, path: str, document: object) -> None:
        """Server-side apply, ours by force."""
        self.call("PATCH", f"{path}?fieldManager=devcluster&force=true", document, kind="application/apply-patch+yaml")

    def watch(self, path: str, resource_version: str) -> Iterator[dict[str, Any]]:
        """Events of a collection for up to a minute."""
        connection = self._connect(timeout=75)
        try:
            connection.request("GET", f"{path}?watch=1&timeoutSeconds=60&resourceVersion={resource_version}")
            answer = connection.getresponse()
            while line := answer.readline():
                yield json.loads(line)
        finally:
            connection.close()

    def answers(self, path: str) -> bool:
        """Whether a GET succeeds."""
        try:
            self.call("GET", path)
        except (OSError, RefusedError, http.client.HTTPException):
            return False
        return True

    def _connect(self, timeout: float) -> http.client.HTTPSConnection:
        return http.client.HTTPSConnection("127.0.0.1", API_PORT, context=self._tls, timeout=timeout)
