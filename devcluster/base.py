"""The images' root file system where no registry can be reached: Debian by debootstrap, kept in the cache."""

import shutil
import tempfile
from pathlib import Path

import host
import versions
from console import run, step, succeeds
from settings import CACHE

IMAGE = "localhost/modelward-base:dev"
_INCLUDE = "python3,python3-venv,ca-certificates"
# Of no use to a program in a container; licences stay.
_STRIPPED = (
    "var/cache/apt/*", "var/lib/apt/lists/*", "var/log/*", "usr/share/doc/*/[!c]*", "usr/share/man", "usr/share/info",
    "usr/share/locale", "usr/share/i18n", "usr/lib/python3*/**/__pycache__", "usr/share/lintian",
)  # fmt: skip
ARCHIVE = CACHE / f"base-{versions.DEBIAN}-2.tar"


def ensure() -> str:
    """Make the base image if buildah does not have it; return its name."""
    host.require_root("building images")
    host.install(versions.IMAGE_PACKAGES)
    if not ARCHIVE.exists():
        _bootstrap()
        succeeds("buildah", "rmi", "--force", IMAGE)
    if not succeeds("buildah", "inspect", "--type", "image", IMAGE):
        with step(f"importing {IMAGE}"):
            container = run("buildah", "from", "scratch").strip()
            run("buildah", "add", "-q", container, ARCHIVE, "/")
            run("buildah", "commit", "-q", container, IMAGE)
            run("buildah", "rm", container)
    return IMAGE


def _bootstrap() -> None:
    CACHE.mkdir(parents=True, exist_ok=True)
    with step(f"debootstrap {versions.DEBIAN}"), tempfile.TemporaryDirectory(dir=CACHE) as scratch:
        root = Path(scratch) / "root"
        run("debootstrap", "--variant=minbase", f"--include={_INCLUDE}", versions.DEBIAN, root)
        for pattern in _STRIPPED:
            for path in list(root.glob(pattern)):
                shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink(missing_ok=True)
        partial = Path(scratch) / "base.tar"
        run("tar", "-C", root, "--one-file-system", "--numeric-owner", "--sort=name", "-cf", partial, ".")
        partial.replace(ARCHIVE)
