"""Lines of JSON are read one and all, from files, folders, pipes and zstd frames, and what is lost is told."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path
from typing import Any

import orjson
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from modelward.job import json_lines
from modelward.job.json_lines import BadLine, JsonLines, json_line_files


def read(*paths: Path) -> tuple[list[Any], list[BadLine]]:
    """Return the rows of files, and what could not be read."""
    bad: list[BadLine] = []
    lines = JsonLines(paths, dict, bad.append)
    rows = list(lines)
    assert lines.rows == len(rows)
    assert lines.position_bytes == (lines.size_bytes or 0) or any(one.line == 0 for one in bad)
    return rows, bad


ROWS = st.lists(st.dictionaries(st.text(max_size=8), st.text(max_size=40), max_size=3), max_size=30)


@given(rows=ROWS, frames=st.integers(1, 4), newline=st.booleans(), data=st.data())
def test_whatever_is_written_is_read_again_plain_and_in_frames(
    rows: list[dict[str, str]],
    frames: int,
    newline: bool,
    data: st.DataObject,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    written = b"\n".join(orjson.dumps(row) for row in rows) + (b"\n" if newline else b"")
    cuts = sorted(data.draw(st.lists(st.integers(0, len(written)), min_size=frames - 1, max_size=frames - 1)))
    parts = [written[a:b] for a, b in zip([0, *cuts], [*cuts, len(written)], strict=True)]
    folder = tmp_path_factory.mktemp("lines")
    plain, packed = folder / "rows.jsonl", folder / "rows.jsonl.zst"
    plain.write_bytes(written)
    packed.write_bytes(b"".join(zstandard.compress(part) for part in parts))
    assert read(plain) == (rows, [])
    assert read(packed) == (rows, [])


def test_a_bad_line_is_told_with_its_number_and_costs_itself_only(tmp_path: Path) -> None:
    source = tmp_path / "rows.jsonl"
    source.write_bytes(b'\xef\xbb\xbf{"a": 1}\n\n[1]\nno json\n\xff\xfe\n{"b": "\\ud800"}\n{"a": 2}')
    rows, bad = read(source)
    assert rows == [{"a": 1}, {"a": 2}]
    assert [one.line for one in bad] == [3, 4, 5, 6]
    assert {one.file for one in bad} == {str(source)}
    assert bad[1].error.startswith("no JSON: ")


def test_a_line_without_an_end_takes_no_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_lines, "MAX_LINE_BYTES", 1_000)
    source = tmp_path / "rows.jsonl"
    source.write_bytes(b'{"a": "' + b"x" * 500_000 + b'"}\n{"a": "y"}\n{"a": "' + b"x" * 2_000)
    rows, bad = read(source)
    assert rows == [{"a": "y"}]
    assert [(one.line, one.error) for one in bad] == [
        (1, "a line of more than 1000 bytes"), (3, "a line of more than 1000 bytes"),
    ]  # fmt: skip


@pytest.mark.parametrize("damage", ["cut", "spoilt"])
def test_a_damaged_file_is_told_and_the_next_one_is_read(tmp_path: Path, damage: str) -> None:
    line = orjson.dumps({"a": os.urandom(200).hex()}) + b"\n"
    first = zstandard.compress(line) + zstandard.compress(line * 50)
    (tmp_path / "1.zst").write_bytes(first[:-30] if damage == "cut" else first[:-40] + b"\0" * 40)
    (tmp_path / "2.jsonl").write_bytes(line)
    rows, bad = read(*json_line_files(tmp_path))
    assert len(rows) >= 2
    assert [(Path(one.file).name, one.line) for one in bad][-1] == ("1.zst", 0)
    assert "damaged" in bad[-1].error


def test_a_folder_is_read_with_those_in_it_by_path(tmp_path: Path) -> None:
    for name in ("b/2026112701/x.zst", "a.jsonl", "b/c.ndjson", "notes.txt", "c.json"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    found = [str(one.relative_to(tmp_path)) for one in json_line_files(tmp_path)]
    assert found == ["a.jsonl", "b/2026112701/x.zst", "b/c.ndjson"]
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(ValueError, match=r"no \.jsonl"):
        json_line_files(empty)


def test_a_pipe_is_read_as_it_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as source, os.fdopen(writing, "wb", buffering=0) as sink:
        wrapper = io.TextIOWrapper(source)
        monkeypatch.setattr(sys, "stdin", wrapper)
        lines = JsonLines([json_lines.STANDARD_INPUT], dict, lambda _: None)
        sink.write(b'{"a": 1}\n{"a": 2}\n')
        assert next(iter(lines)) == {"a": 1}, "the first line before the pipe has an end"
        assert lines.size_bytes is None
        wrapper.detach()
