"""Joins a model file that comes in parts, and checks that it is the very file: join_weights.py FOLDER OUTPUT SHA256."""

import hashlib
import sys
from pathlib import Path


def main() -> None:
    """Join the parts, `*/data/part*.bin` in the order of their names; exit with what is wrong otherwise."""
    folder, output, wanted = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    parts = sorted(folder.glob("*/data/part*.bin"), key=lambda part: part.name)
    digest = hashlib.sha256()
    with output.open("wb") as joined:
        for part in parts:
            content = part.read_bytes()
            digest.update(content)
            joined.write(content)
    if digest.hexdigest() != wanted:
        sys.exit(f"{len(parts)} parts in {folder} make a file with sha256 {digest.hexdigest()}, not {wanted}")


if __name__ == "__main__":
    main()
