"""The sandbox image, written straight as an OCI archive: one static program needs no image builder."""

import hashlib
import io
import json
import tarfile
from pathlib import Path

from settings import BIN, PAUSE_IMAGE

_MEDIA = "application/vnd.oci.image"


def write_archive(target: Path) -> None:
    """Write the image PAUSE_IMAGE as an OCI archive; the same bytes for the same program."""
    layer = _tar({"pause": (0o755, (BIN / "pause").read_bytes())})
    config = _json(
        {
            "architecture": _architecture(),
            "os": "linux",
            "config": {"Entrypoint": ["/pause"], "User": "65535:65535"},
            "rootfs": {"type": "layers", "diff_ids": [_digest(layer)]},
        }
    )
    manifest = _json(
        {
            "schemaVersion": 2,
            "mediaType": f"{_MEDIA}.manifest.v1+json",
            "config": _descriptor(f"{_MEDIA}.config.v1+json", config),
            "layers": [_descriptor(f"{_MEDIA}.layer.v1.tar", layer)],
        }
    )
    described = _descriptor(f"{_MEDIA}.manifest.v1+json", manifest)
    described["annotations"] = {"io.containerd.image.name": PAUSE_IMAGE, "org.opencontainers.image.ref.name": "1"}
    files = {f"blobs/sha256/{_digest(blob)[7:]}": (0o644, blob) for blob in (layer, config, manifest)}
    files["oci-layout"] = (0o644, _json({"imageLayoutVersion": "1.0.0"}))
    files["index.json"] = (0o644, _json({"schemaVersion": 2, "manifests": [described]}))
    target.write_bytes(_tar(files))


def _tar(files: dict[str, tuple[int, bytes]]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, (mode, content) in files.items():
            entry = tarfile.TarInfo(name)
            entry.mode, entry.size = mode, len(content)
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def _json(document: object) -> bytes:
    return json.dumps(document, sort_keys=True).encode()


def _digest(blob: bytes) -> str:
    return f"sha256:{hashlib.sha256(blob).hexdigest()}"


def _descriptor(media_type: str, blob: bytes) -> dict[str, object]:
    return {"mediaType": media_type, "digest": _digest(blob), "size": len(blob)}


def _architecture() -> str:
    # Byte 18 of an ELF header names the machine: the program itself knows best.
    return "arm64" if (BIN / "pause").read_bytes()[18] == 0xB7 else "amd64"
