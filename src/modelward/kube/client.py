"""The one port to the Kubernetes API: the few verbs that we need, plain dicts in and out, no discovery."""

import asyncio
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Literal

from modelward.kube import access
from modelward.kube.errors import Gone, NotFound, Unavailable
from modelward.kube.events import EventRecorder
from modelward.kube.kinds import Kind, Object, kind_of, name_of, namespace_of
from modelward.kube.scale import Scale, scale_of
from modelward.kube.transport import Guard, Observe, Transport, unobserved

APPLY = "application/apply-patch+yaml"
MERGE = "application/merge-patch+json"
METADATA = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
JSON_PATCH = "application/json-patch+json"
PAGE = 500
MANAGER = "modelward"


@dataclass(frozen=True, slots=True)
class Listing:
    """All objects of one kind at one resourceVersion; each item carries its apiVersion and kind."""

    items: tuple[Object, ...]
    resource_version: str


class Client:
    """Reads and writes Kubernetes objects. Namespace None: cluster-scoped, or all namespaces in a list.

    deadline (seconds) bounds a whole call. All raise ApiError; writes of a guarded client also LeadershipLost.
    """

    def __init__(self, transport: Transport, guard: Guard | None = None, recorder: EventRecorder | None = None) -> None:
        self._transport = transport
        self._guard = guard
        self._recorder = recorder or EventRecorder(os.environ.get("HOSTNAME", "modelward"))

    @classmethod
    @asynccontextmanager
    async def connect(cls, kubeconfig: str | None = None, observe: Observe = unobserved) -> "AsyncIterator[Client]":
        """A client for as long as the block lasts; kubeconfig as in `access.load`."""
        client = cls(Transport(await access.load(kubeconfig), observe))
        try:
            yield client
        finally:
            await client.close()

    @property
    def access(self) -> access.Access:
        """The credentials in use, for others that talk to the API server on our behalf."""
        return self._transport.access

    def guarded(self, may_write: Guard) -> "Client":
        """The same connection, on which no write outlasts `may_write()` seconds, and none starts at 0 or less.

        It does not wait where the server throttles us: work under a Lease goes on with other keys.
        """
        return Client(self._transport, may_write, self._recorder)

    async def close(self) -> None:
        """Close the connections."""
        await self._transport.close()

    async def get(self, kind: Kind, namespace: str | None, name: str, *, deadline: float = 10.0) -> Object:
        """One object; NotFound where it is absent."""
        return await self._read(kind.path(namespace, name), deadline=deadline)

    async def find(self, kind: Kind, namespace: str | None, name: str, *, deadline: float = 10.0) -> Object | None:
        """One object, or None where it is absent."""
        try:
            return await self.get(kind, namespace, name, deadline=deadline)
        except NotFound:
            return None

    async def about(
        self, kind: Kind, namespace: str | None, name: str, *, deadline: float = 10.0
    ) -> Mapping[str, Any] | None:
        """The metadata of one object, or None where it is absent; the rest of it is not sent to us."""
        try:
            found = await self._read(kind.path(namespace, name), deadline=deadline, accept=METADATA)
        except NotFound:
            return None
        metadata: Mapping[str, Any] = found["metadata"]
        return metadata

    async def served(self, kind: Kind, *, deadline: float = 10.0) -> bool:
        """Whether the API server serves this kind by now: CRDs may come after us."""
        try:
            resources = await self._read(kind.root, deadline=deadline)
        except NotFound:
            return False
        return any(resource["name"] == kind.plural for resource in resources.get("resources") or ())

    async def list(
        self,
        kind: Kind,
        namespace: str | None = None,
        *,
        label_selector: str | None = None,
        field_selector: str | None = None,
        page: int = PAGE,
        deadline: float = 30.0,
    ) -> Listing:
        """All objects of a kind, newest state, read in pages; started over once when a continue token got too old."""
        try:
            async with asyncio.timeout(deadline):
                try:
                    return await self._whole(kind, namespace, label_selector, field_selector, page)
                except Gone:
                    return await self._whole(kind, namespace, label_selector, field_selector, page)
        except TimeoutError:
            raise Unavailable(0, "NoAnswer", f"listing {kind.plural} took more than {deadline:g} s") from None

    async def pages(
        self,
        kind: Kind,
        namespace: str | None = None,
        *,
        label_selector: str | None = None,
        field_selector: str | None = None,
        page: int = PAGE,
        deadline: float = 30.0,
    ) -> AsyncIterator[Listing]:
        """The same list, never held as a whole; all pages have one resourceVersion, and `deadline` bounds each."""
        selectors = {"limit": str(page), "labelSelector": label_selector, "fieldSelector": field_selector}
        params = {name: value for name, value in selectors.items() if value}
        token = ""
        while True:
            query = params | ({"continue": token} if token else {})
            answer = await self._read(kind.path(namespace), params=query, deadline=deadline)
            found = answer.get("items") or ()
            items = tuple({"apiVersion": kind.api_version, "kind": kind.kind, **item} for item in found)
            yield Listing(items, str(answer["metadata"]["resourceVersion"]))
            token = answer["metadata"].get("continue") or ""
            if not token:
                return

    async def create(
        self, obj: Object, *, manager: str = MANAGER, dry_run: bool = False, deadline: float = 10.0
    ) -> Object:
        """Create an object; Conflict (reason AlreadyExists) where there is one of this name."""
        path = kind_of(obj).path(namespace_of(obj))
        return await self._write("POST", path, obj, "application/json", deadline, _params(manager, dry_run=dry_run))

    async def apply(
        self,
        obj: Object,
        manager: str,
        *,
        force: bool = True,
        dry_run: bool = False,
        strict: bool = False,
        deadline: float = 10.0,
    ) -> Object:
        """Server-side apply under a field manager; `metadata.uid` in the object makes it fail (Conflict) on any other.

        strict: a field that the schema does not know is Invalid, with its path in the message.
        """
        params = _params(manager, force=force, dry_run=dry_run, strict=strict)
        return await self._write("PATCH", _path(obj), obj, APPLY, deadline, params)

    async def apply_status(self, obj: Object, manager: str, *, force: bool = True, deadline: float = 10.0) -> Object:
        """Server-side apply on /status; the object needs apiVersion, kind, metadata and status, nothing else."""
        return await self._write("PATCH", _path(obj, "status"), obj, APPLY, deadline, _params(manager, force=force))

    async def patch(
        self,
        kind: Kind,
        namespace: str | None,
        name: str,
        patch: Object | Sequence[Object],
        *,
        manager: str = MANAGER,
        subresource: str | None = None,
        dry_run: bool = False,
        strict: bool = False,
        deadline: float = 10.0,
    ) -> Object:
        """Merge patch (a dict) or JSON patch (a list); a resourceVersion or uid in a merge patch is a precondition."""
        content_type = MERGE if isinstance(patch, dict) else JSON_PATCH
        path = kind.path(namespace, name, subresource)
        params = _params(manager, dry_run=dry_run, strict=strict)
        return await self._write("PATCH", path, patch, content_type, deadline, params)

    async def replace(self, obj: Object, *, manager: str = MANAGER, deadline: float = 10.0) -> Object:
        """PUT the whole object; its resourceVersion is the precondition (Conflict)."""
        return await self._write("PUT", _path(obj), obj, "application/json", deadline, _params(manager))

    async def delete(
        self,
        kind: Kind,
        namespace: str | None,
        name: str,
        *,
        uid: str | None = None,
        resource_version: str | None = None,
        propagation: Literal["Background", "Foreground", "Orphan"] = "Background",
        deadline: float = 10.0,
    ) -> bool:
        """Delete an object: False where it was gone already, Conflict where it is not the one that was meant."""
        wanted = {"uid": uid, "resourceVersion": resource_version}
        preconditions = {key: value for key, value in wanted.items() if value}
        options: Object = {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": propagation}
        if preconditions:
            options["preconditions"] = preconditions
        try:
            await self._write("DELETE", kind.path(namespace, name), options, "application/json", deadline, {})
        except NotFound:
            return False
        return True

    async def get_scale(self, kind: Kind, namespace: str, name: str, *, deadline: float = 10.0) -> Scale:
        """The replicas desired and selected, by the /scale subresource."""
        return scale_of(await self._read(kind.path(namespace, name, "scale"), deadline=deadline))

    async def set_scale(
        self,
        kind: Kind,
        namespace: str,
        name: str,
        replicas: int,
        *,
        resource_version: str | None = None,
        uid: str | None = None,
        manager: str = MANAGER,
        deadline: float = 10.0,
    ) -> Scale:
        """Set the desired replicas; with uid or resource_version, Conflict if the object is not that one any more."""
        wanted = {"uid": uid, "resourceVersion": resource_version}
        metadata = {key: value for key, value in wanted.items() if value}
        patch: Object = {"spec": {"replicas": replicas}}
        if metadata:
            patch["metadata"] = metadata
        return scale_of(
            await self.patch(kind, namespace, name, patch, subresource="scale", manager=manager, deadline=deadline)
        )

    async def event(
        self,
        regarding: Object,
        *,
        type: Literal["Normal", "Warning"],  # noqa: A002 - the API's name
        reason: str,
        note: str,
        action: str = "Reconcile",
        related: Object | None = None,
    ) -> None:
        """Post an Event about an object; the same again within 10 minutes counts up. Never fails a reconcile."""
        event = self._recorder.event(regarding, type, reason, note, action, related)
        await self._recorder.post(event, self.create, self.patch)

    async def _whole(
        self, kind: Kind, namespace: str | None, label_selector: str | None, field_selector: str | None, page: int
    ) -> Listing:
        pages = self.pages(kind, namespace, label_selector=label_selector, field_selector=field_selector, page=page)
        found = [each async for each in pages]
        return Listing(tuple(item for each in found for item in each.items), found[-1].resource_version)

    async def _read(
        self, path: str, *, deadline: float, params: dict[str, str] | None = None, accept: str = "application/json"
    ) -> Object:
        waits = self._guard is None
        return await self._transport.request("GET", path, params=params, accept=accept, deadline=deadline, waits=waits)

    async def _write(
        self, method: str, path: str, body: Any, content_type: str, deadline: float, params: dict[str, str]
    ) -> Object:
        return await self._transport.request(
            method,
            path,
            body=body,
            content_type=content_type,
            params=params,
            deadline=deadline,
            guard=self._guard,
            waits=self._guard is None,
        )


def _path(obj: Object, subresource: str | None = None) -> str:
    return kind_of(obj).path(namespace_of(obj), name_of(obj), subresource)


def _params(manager: str, *, force: bool = False, dry_run: bool = False, strict: bool = False) -> dict[str, str]:
    options = {"force": ("true", force), "dryRun": ("All", dry_run), "fieldValidation": ("Strict", strict)}
    return {"fieldManager": manager} | {name: value for name, (value, wanted) in options.items() if wanted}
