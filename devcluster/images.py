"""Building our images with buildah, and loading images into the cluster without a registry."""

import gzip
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
from typing import Any

import base
import components
import host
import processes
from console import fail, run, say, step
from settings import CACHE, REPOSITORY

_LAYOUTS = CACHE / "images"
_PIP_SETTINGS = ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_TRUSTED_HOST", "PIP_CERT")
_PIP_KEYS = {"index-url": "PIP_INDEX_URL", "extra-index-url": "PIP_EXTRA_INDEX_URL", "trusted-host": "PIP_TRUSTED_HOST"}


@dataclass(frozen=True, slots=True)
class Image:
    """An image of this repository: its name, its Dockerfile and stage, and the files that decide it."""

    name: str
    dockerfile: str
    inputs: tuple[str, ...]
    target: str = ""


_SHARED = (".dockerignore", "Dockerfile", "pyproject.toml", "README.md", "LICENSE")
_CARRIED = ("api", "metrics", "privacy", "collector")
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
    ),
)


def build(names: Iterable[str] = ()) -> list[str]:
    """Build the images whose inputs changed (all, or those whose name contains one of `names`); return their names."""
    chosen = [image for image in IMAGES if not names or any(name in image.name for name in names)]
    base_image = base.ensure()
    for image in chosen:
        key = _key(image)
        stamp = _stamp(image.name)
        if stamp.exists() and stamp.read_text() == key and image_id(image.name):
            say(f"{image.name}: unchanged")
            continue
        with step(f"building {image.name}"):
            _bud(image, base_image)
        stamp.write_text(key)
    return [image.name for image in chosen]


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
    if wanted == _loaded().get(reference):
        say(f"{reference}: already loaded")
        return
    with step(f"loading {reference}"):
        layout = _layout(reference)
        with tempfile.TemporaryDirectory(dir=CACHE) as scratch:
            archive = Path(scratch) / "image.tar"
            _pack(layout, reference, archive)
            run(*components.ctr("images", "import", archive))


def _layout(reference: str) -> Path:
    """Copy the image into an OCI layout that keeps earlier layers, so that a source change copies one small layer."""
    layout = _LAYOUTS / _slug(reference)
    layout.mkdir(parents=True, exist_ok=True)
    (layout / "index.json").unlink(missing_ok=True)
    run("buildah", "push", "-q", "--disable-compression", "--format=oci", reference, f"oci:{layout}")
    kept = {digest for digest, _ in _blobs(layout)}
    for blob in (layout / "blobs" / "sha256").iterdir():
        if f"sha256:{blob.name}" not in kept:
            blob.unlink()
    return layout


def _pack(layout: Path, reference: str, archive: Path) -> None:
    """Write an archive of the layout without the layers that containerd has already."""
    index = json.loads((layout / "index.json").read_text())
    index["manifests"][0].setdefault("annotations", {})["io.containerd.image.name"] = reference
    there = set(run(*components.ctr("content", "ls", "-q")).split())
    names = Path(archive.parent / "index.json")
    names.write_text(json.dumps(index))
    with tarfile.open(archive, "w") as packed:
        packed.add(layout / "oci-layout", "oci-layout")
        packed.add(names, "index.json")
        for digest, is_layer in _blobs(layout):
            if not (is_layer and digest in there):
                path = f"blobs/sha256/{digest.partition(':')[2]}"
                packed.add(layout / path, path)


def _blobs(layout: Path) -> list[tuple[str, bool]]:
    """(digest, whether it is a layer) of all that the layout's one image consists of."""
    manifest = json.loads((layout / "index.json").read_text())["manifests"][0]["digest"]
    content = _blob(layout, manifest)
    return [
        (manifest, False),
        (content["config"]["digest"], False),
        *((layer["digest"], True) for layer in content["layers"]),
    ]


def _blob(layout: Path, digest: str) -> Any:
    return json.loads((layout / "blobs" / "sha256" / digest.partition(":")[2]).read_text())


def _loaded() -> dict[str, str]:
    """Image id (digest of its configuration) by name, as kubelet sees them."""
    names = run(*components.ctr("images", "ls", "-q")).split()
    ids = {}
    for name in names:
        if name.startswith("localhost/") and (layout := _LAYOUTS / _slug(name)).joinpath("index.json").exists():
            target = run(*components.ctr("images", "ls", f"name=={name}")).splitlines()[-1].split()[2]
            manifest = json.loads((layout / "index.json").read_text())["manifests"][0]["digest"]
            if target == manifest:
                ids[name] = _blob(layout, manifest)["config"]["digest"].partition(":")[2]
    return ids


def image_id(reference: str) -> str:
    """The id of an image in buildah's store, or nothing."""
    command = ["buildah", "inspect", "--type", "image", "--format", "{{.FromImageID}}", reference]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


def built() -> list[str]:
    """Names of our images that buildah has."""
    return [image.name for image in IMAGES if image_id(image.name)]


def compressed_bytes(reference: str) -> int:
    """Size of an image as a registry would hold it (gzip, level 6)."""
    noted = _LAYOUTS / "compressed.json"
    known: dict[str, int] = json.loads(noted.read_text()) if noted.exists() else {}
    layout = _layout(reference)
    total = 0
    for digest, is_layer in _blobs(layout):
        path = layout / "blobs" / "sha256" / digest.partition(":")[2]
        if is_layer and digest not in known:
            known[digest] = _gzipped_bytes(path)
        total += known[digest] if is_layer else path.stat().st_size
    noted.write_text(json.dumps(known))
    return total


def _gzipped_bytes(path: Path) -> int:
    with tempfile.TemporaryFile() as scratch, path.open("rb") as layer:
        with gzip.GzipFile(fileobj=scratch, mode="wb", compresslevel=6) as packed:
            while chunk := layer.read(1 << 20):
                packed.write(chunk)
        return scratch.tell()


def _key(image: Image) -> str:
    digest = hashlib.sha256(f"{image} {base.ARCHIVE.name}".encode())
    for file in _files(image.inputs):
        digest.update(str(file.relative_to(REPOSITORY)).encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


def _files(inputs: Iterable[str]) -> list[Path]:
    found = []
    for name in inputs:
        path = REPOSITORY / name
        found += [path] if path.is_file() else [f for f in path.rglob("*") if f.is_file() and f.suffix != ".pyc"]
    return sorted(found)


def _stamp(reference: str) -> Path:
    _LAYOUTS.mkdir(parents=True, exist_ok=True)
    return _LAYOUTS / f"{_slug(reference)}.key"


def _slug(reference: str) -> str:
    return reference.replace("/", "_").replace(":", "_")
