"""The cluster's Go programs, built once into the cache and again only when their inputs change."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

import host
import versions
from console import run, say, step
from settings import BIN, SOURCE


@dataclass(frozen=True, slots=True)
class Program:
    """A program built from a folder of ours (`folder`) or from a published module (`module`)."""

    name: str
    folder: str = ""
    module: str = ""
    ldflags: str = "-s -w"

    def key(self) -> str:
        """Hash of all that decides the result."""
        digest = hashlib.sha256(f"{self.module} {self.ldflags}".encode())
        for file in sorted((SOURCE / self.folder).glob("*")) if self.folder else []:
            digest.update(file.name.encode() + file.read_bytes())
        return digest.hexdigest()[:16]


_VERSION = "k8s.io/component-base/version"
_MAJOR, _MINOR, _ = versions.KUBERNETES.split(".")
# Without the stamp `kubectl version` fails, and so does everything that compares server versions.
_STAMP = (
    f"-X {_VERSION}.gitVersion=v{versions.KUBERNETES} -X {_VERSION}.gitMajor={_MAJOR} -X {_VERSION}.gitMinor={_MINOR}"
)

CLUSTER = (
    Program("kube", folder="kube", ldflags=f"-s -w {_STAMP}"),
    Program("coredns", folder="dns"),
    Program("pause", folder="pause"),
    Program("helm", module=f"helm.sh/helm/v4/cmd/helm@v{versions.HELM}"),
)
TOOLS = (
    Program("versitygw", module=f"github.com/versity/versitygw/cmd/versitygw@v{versions.VERSITYGW}"),
    Program("kwok", module=f"sigs.k8s.io/kwok/cmd/kwok@v{versions.KWOK}"),
)


def build(programs: tuple[Program, ...] = CLUSTER) -> None:
    """Build those programs whose inputs changed since they were last built."""
    BIN.mkdir(parents=True, exist_ok=True)
    for program in programs:
        stamp = BIN / f".{program.name}.key"
        current = stamp.exists() and stamp.read_text() == program.key() and (BIN / program.name).exists()
        if not current:
            with step(f"building {program.name} (the first time takes minutes; later ones reuse Go's cache)"):
                _compile(program)
            stamp.write_text(program.key())
    _kubectl()


def _compile(program: Program) -> None:
    env = os.environ | {"CGO_ENABLED": "0", "GOTOOLCHAIN": "auto", "GOFLAGS": "-trimpath"}
    flags = ["-ldflags", program.ldflags]
    if program.module:
        run(host.go(), "install", *flags, program.module, env=env | {"GOBIN": str(BIN)})
    else:
        run(host.go(), "build", *flags, "-o", BIN / program.name, ".", env=env, cwd=SOURCE / program.folder)


def _kubectl() -> None:
    wrapper = BIN / "kubectl"
    text = f'#!/bin/sh\nexec {BIN / "kube"} kubectl "$@"\n'
    if not wrapper.exists() or wrapper.read_text() != text:
        wrapper.write_text(text)
        wrapper.chmod(0o755)


def binaries() -> dict[str, Path]:
    """What is built, by name."""
    return {path.name: path for path in sorted(BIN.glob("*")) if path.is_file() and not path.name.startswith(".")}


def report() -> None:
    """Say what is there."""
    for name, path in binaries().items():
        say(f"{name:10} {path} ({path.stat().st_size >> 20} MB)")
