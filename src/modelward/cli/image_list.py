"""What `modelward images` lists: every image that an installation pulls, by digest where one is known, for air gaps."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from modelward.cli.cluster.installation import setup
from modelward.cli.cluster.reading import ClusterReader, Unread, reading
from modelward.desired.names import COLLECTOR
from modelward.kube.client import Client
from modelward.kube.kinds import POD
from modelward.operator.runtime.settings import Settings, load

_REGISTRY = "ghcr.io/modelward"
_DIGEST = "@sha256:"


@dataclass(frozen=True, slots=True)
class Images:
    """References to pull, sorted; `unknown` are those among them without a digest, `notes` what was not read."""

    references: tuple[str, ...]
    unknown: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


async def images(settings_file: Path | None, kubeconfig: str | None, namespace: str) -> Images:
    """Return the configured images, and what runs in the cluster that is named, or in that of the current context.

    Raises SettingsError, and OSError for a kubeconfig that is named and not there. Where there is none at all the
    images of this release are listed: whoever mirrors them may have no cluster yet.
    """
    declared = _declared(settings_file)
    try:
        return await _asked(declared, settings_file, kubeconfig, namespace)
    except FileNotFoundError as error:
        if kubeconfig is not None:
            raise
        return listed(configured(declared), (), (f"no cluster was read for what runs in it: {error}",))


async def _asked(declared: Settings, settings_file: Path | None, kubeconfig: str | None, namespace: str) -> Images:
    async with Client.connect(kubeconfig) as client:
        reads = await reading(client, namespace)
        known = await setup(reads, namespace)
        own = declared if settings_file else known.settings
        notes = [] if own else [f"images of this release are listed, not the installation's own: {known.problem}"]
        settings = own or declared
        pods = await _pods(reads, (*settings.watch_namespaces, namespace), notes)
    return listed(configured(settings), pods, notes)


def configured(settings: Settings) -> tuple[str, str]:
    """Return what the operator puts beside models and runs as Jobs; it and the hub are of the second."""
    return settings.collector_image, settings.evaluator_image


def listed(wanted: Iterable[str], pods: Iterable[Mapping[str, Any]], notes: Iterable[str] = ()) -> Images:
    """Return the configured images and those of ours that run, each with all digests that nodes know it by."""
    wanted = tuple(wanted)
    digests: dict[str, set[str]] = {image: set() for image in wanted}
    for image, digest in _running(pods, {_repository(image) for image in wanted}):
        digests.setdefault(image, set()).update({digest} - {""})
    unknown = tuple(sorted(image for image, known in digests.items() if not known and _DIGEST not in image))
    references = {one for image, known in digests.items() for one in _references(image, known)}
    return Images(tuple(sorted(references)), unknown, tuple(notes))


def _references(image: str, digests: set[str]) -> Iterator[str]:
    """Yield an image by tag and digest, which registries and Kubernetes take together; the tag alone at the worst."""
    if _DIGEST in image or not digests:
        yield image
    else:
        yield from (f"{image}{_DIGEST}{digest}" for digest in digests)


def _running(pods: Iterable[Mapping[str, Any]], ours: set[str]) -> Iterator[tuple[str, str]]:
    """Yield image and digest of each container of ours; a model server's own image is its owner's affair."""
    for pod in pods:
        status = pod.get("status") or {}
        identities = {
            one["name"]: str(one.get("imageID") or "")
            for one in (*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ()))
        }
        for one in (*(pod["spec"].get("initContainers") or ()), *pod["spec"]["containers"]):
            image = str(one["image"])
            if one["name"] == COLLECTOR or _repository(image) in ours:
                yield image, identities.get(one["name"], "").partition(_DIGEST)[2]


async def _pods(reads: ClusterReader, namespaces: Iterable[str], notes: list[str]) -> list[Mapping[str, Any]]:
    """Return all pods, else those of the namespaces that may be read; the notes get the others."""
    everywhere = await reads.list(POD)
    if not isinstance(everywhere, Unread):
        return [*everywhere]
    pods: list[Mapping[str, Any]] = []
    for namespace in dict.fromkeys(namespaces):
        found = await reads.list(POD, namespace)
        if isinstance(found, Unread):
            notes.append(f"pods of namespace {namespace} were not read: {found.why}")
        else:
            pods += found
    return pods


def _repository(image: str) -> str:
    name, slash, last = image.partition("@")[0].rpartition("/")
    return f"{name}{slash}{last.partition(':')[0]}"


def _declared(settings_file: Path | None) -> Settings:
    """Return settings from a file or the environment; without them those of the chart's defaults in this release."""
    if settings_file is not None:
        return load(settings_file, os.environ)
    release = version("modelward")
    defaults = {
        "MODELWARD_NAMESPACE": "modelward-system",
        "MODELWARD_COLLECTOR_IMAGE": f"{_REGISTRY}/collector:{release}",
        "MODELWARD_EVALUATOR_IMAGE": f"{_REGISTRY}/modelward:{release}",
    }
    return load(None, {**defaults, **os.environ})
