"""Building our images with buildah, and loading images into the cluster without a registry."""

import hashlib
import json
import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import base
import components
import host
import processes
from console import fail, run, say, step
from settings import CACHE, REPOSITORY

_NOTES = CACHE / "images"
_PIP_SETTINGS = ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_TRUSTED_HOST", "PIP_CERT")
_PIP_KEYS = {"index-url": "PIP_INDEX_URL", "extra-index-url": "PIP_EXTRA_INDEX_URL", "trusted-host": "PIP_TRUSTED_HOST"}


@dataclass(frozen=True, slots=True)
class Image:
    """An image of this repository: its name, its Dockerfile and stage, and the files that decide it.

    An optional one is built where it is named: it is large, needs what an index may not have for ever, and without it
    all else works.
    """

    name: str
    dockerfile: str
    inputs: tuple[str, ...]
    target: str = ""
    optional: bool = False


_SHARED = (".dockerignore", "Dockerfile", "pyproject.toml", "README.md", "LICENSE")
_CARRIED = ("engines", "api", "metrics", "privacy", "collector")
_COLLECTOR_SOURCES = ("src/modelward/__init__.py", *(f"src/modelward/{package}" for package in _CARRIED))
IMAGES = (
    Image("localhost/modelward:dev", "Dockerfile", (*_SHARED, "requirements", "src"), "modelward"),
    Image(
        "localhost/modelward-collector:dev", "Dockerfile", (*_SHARED, "requirements", *_COLLECTOR_SOURCES), "collector"
    ),
    Image(
        "localhost/banking-bot:dev",
        "examples/banking/engine/Dockerfile",
        (".dockerignore", "examples/banking/engine", "requirements/demo.txt"),
        "bot",
    ),
    Image(
        "localhost/banking-judge:dev",
        "examples/banking/engine/Dockerfile",
        (".dockerignore", "examples/banking/engine", "requirements/demo.txt", "requirements/judge-weights.txt"),
        "judge",
        optional=True,
    ),
)


def build(names: Iterable[str] = ()) -> list[str]:
    """Build the images whose inputs changed; return their names.

    Those whose name contains one of `names`, or all that are not optional.
    """
    chosen = [image for image in IMAGES if (any(n in image.name for n in names) if names else not image.optional)]
    base_image = base.ensure()
    for image in chosen:
        key = _key(image)
        stamp = _note(image.name, "inputs")
        if stamp.exists() and stamp.read_text() == key and image_id(image.name):
            say(f"{image.name}: unchanged")
            continue
        try:
            with step(f"building {image.name}"):
                _bud(image, base_image)
        except SystemExit as error:
            if not image.optional:
                raise
            say(f"{image.name}: not built, so what needs it is left out: {error}")
            continue
        stamp.write_text(key)
    return [image.name for image in chosen if image_id(image.name)]


def _bud(image: Image, base_image: str) -> None:
    arguments = [
        "buildah",
        "bud",
        "-q",
        "--layers",
        "--network=host",
        "--format=oci",
        "--build-arg",
        f"BASE={base_image}",
    ]
    # The build trusts what the host trusts and asks the index that the host asks; neither stays in the image.
    if Path("/etc/ssl/certs").is_dir():
        arguments += ["--volume", "/etc/ssl/certs:/etc/ssl/certs:ro"]
    for name, value in _pip_settings().items():
        arguments += ["--build-arg", f"{name}={value}"]
    arguments += ["--target", image.target] if image.target else []
    arguments += ["-t", image.name, "-f", str(REPOSITORY / image.dockerfile), str(REPOSITORY)]
    run(*arguments, env=os.environ | {"BUILDAH_ISOLATION": os.environ.get("BUILDAH_ISOLATION", "chroot")})


def _pip_settings() -> dict[str, str]:
    found = {name: os.environ[name] for name in _PIP_SETTINGS if os.environ.get(name)}
    listed = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False
    )
    for line in listed.stdout.splitlines():
        key, _, value = line.partition("=")
        name = _PIP_KEYS.get(key.rpartition(".")[2])
        if name:
            found.setdefault(name, value.strip("'\""))
    return {name: value for name, value in found.items() if name != "PIP_CERT" or value.startswith("/etc/ssl/certs")}


def load(reference: str) -> None:
    """Put an image of buildah's store, or of a tar archive, into the cluster's containerd."""
    host.require_root("loading images")
    if not processes.running("node"):
        fail("the cluster is down: run `python3 devcluster up` first.")
    if Path(reference).is_file():
        with step(f"loading {reference}"):
            run(*components.ctr("images", "import", Path(reference)))
        return
    wanted = image_id(reference)
    if not wanted:
        fail(f"{reference} is neither a file nor an image in `buildah images`.")
    if _is_loaded(reference, wanted):
        say(f"{reference}: already loaded")
        return
    with step(f"loading {reference}"), tempfile.TemporaryDirectory(dir=CACHE) as scratch:
        copy, archive = Path(scratch) / "image", Path(scratch) / "image.tar"
        # Not compressed: gzip would take most of the time, and nothing leaves this machine.
        run("buildah", "push", "-q", "--disable-compression", "--format=oci", reference, f"dir:{copy}")
        manifest = _pack(copy, reference, archive)
        run(*components.ctr("images", "import", archive))
        _note(reference, "loaded").write_text(f"{wanted} {manifest}")


def _pack(copy: Path, reference: str, archive: Path) -> str:
    """Write an OCI archive without the layers that containerd has already; return the manifest's digest."""
    manifest = (copy / "manifest.json").read_bytes()
    content = json.loads(manifest)
    digest = f"sha256:{hashlib.sha256(manifest).hexdigest()}"
    described = {"mediaType": content["mediaType"], "digest": digest, "size": len(manifest)}
    described["annotations"] = {"io.containerd.image.name": reference}
    there = set(run(*components.ctr("content", "ls", "-q")).split())
    missing = [layer["digest"] for layer in content["layers"] if layer["digest"] not in there]
    (copy / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [described]}))
    (copy / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    with tarfile.open(archive, "w") as packed:
        packed.add(copy / "oci-layout", "oci-layout")
        packed.add(copy / "index.json", "index.json")
        packed.add(copy / "manifest.json", f"blobs/sha256/{digest.partition(':')[2]}")
        for blob in (content["config"]["digest"], *missing):
            packed.add(copy / blob.partition(":")[2], f"blobs/sha256/{blob.partition(':')[2]}")
    return digest


def _is_loaded(reference: str, wanted: str) -> bool:
    """Whether the cluster has this very image: what we noted, and what containerd says now."""
    note = _note(reference, "loaded")
    listed = run(*components.ctr("images", "ls", f"name=={reference}"))
    return note.exists() and note.read_text().split()[0] == wanted and note.read_text().split()[1] in listed


def image_id(reference: str) -> str:
    """The id of an image in buildah's store, or nothing."""
    command = ["buildah", "inspect", "--type", "image", "--format", "{{.FromImageID}}", reference]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


def built() -> list[str]:
    """Names of our images that buildah has."""
    return [image.name for image in IMAGES if image_id(image.name)]


def compressed_bytes(reference: str) -> int:
    """Size of an image as a registry would hold it: configuration and gzipped layers."""
    with tempfile.TemporaryDirectory(dir=CACHE) as scratch:
        run("buildah", "push", "-q", "--format=oci", reference, f"dir:{scratch}/image")
        manifest = json.loads((Path(scratch) / "image" / "manifest.json").read_text())
    return int(manifest["config"]["size"] + sum(layer["size"] for layer in manifest["layers"]))


def _key(image: Image) -> str:
    digest = hashlib.sha256(f"{image} {base.ARCHIVE.name}".encode())
    for file in _files(image.inputs):
        digest.update(str(file.relative_to(REPOSITORY)).encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


def _files(inputs: Iterable[str]) -> list[Path]:
    found = []
    for name in inputs:
        path = REPOSITORY / name
        found += [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file() and _counts(file)]
    return sorted(found)


def _counts(file: Path) -> bool:
    """Whether a file is a source, not some tool's cache."""
    parts = file.relative_to(REPOSITORY).parts
    return "__pycache__" not in parts and not any(part.startswith(".") for part in parts)


def _note(reference: str, kind: str) -> Path:
    _NOTES.mkdir(parents=True, exist_ok=True)
    return _NOTES / f"{reference.replace('/', '_').replace(':', '_')}.{kind}"
