"""The devcluster on a machine that has none of its packages yet: what cleans up finds nothing, and does not fail."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

DEVCLUSTER = Path(__file__).parents[3] / "devcluster"


def on_a_fresh_machine(program: str, empty: Path) -> subprocess.CompletedProcess[str]:
    """Run a program beside the devcluster's modules where no command is installed."""
    env = os.environ | {"PYTHONPATH": str(DEVCLUSTER), "PATH": str(empty)}
    return subprocess.run([sys.executable, "-c", program], env=env, capture_output=True, text=True, check=False)


def test_a_network_that_never_was_is_taken_down_without_the_tools_that_make_one(tmp_path: Path) -> None:
    done = on_a_fresh_machine(
        f"""
from pathlib import Path
import network
network.NAMESPACE_FILE = network.RUN = Path({str(tmp_path)!r}) / "absent"
network.down()
""",
        tmp_path,
    )
    assert done.returncode == 0, done.stderr


def test_a_folder_goes_if_we_made_it_and_stays_with_what_others_put_there(tmp_path: Path) -> None:
    for made, theirs, stays in ((True, False, False), (True, True, True), (False, False, True)):
        place = tmp_path / f"{made}-{theirs}"
        (place / "netns").mkdir(parents=True)
        note = place / "made-folders.json"
        if made:
            note.write_text(json.dumps([str(place / "netns")]))
        if theirs:
            (place / "netns" / "other").touch()
        done = on_a_fresh_machine(
            f"""
from pathlib import Path
import folders
folders.RUN = Path({str(place)!r})
folders.remove_made()
""",
            tmp_path,
        )
        assert done.returncode == 0, done.stderr
        assert (place / "netns").exists() is stays
        assert not note.exists()


def test_the_self_test_installs_what_it_looks_with_before_it_looks(tmp_path: Path) -> None:
    done = on_a_fresh_machine(
        """
import sys, cluster, selftest
cluster.prepare = lambda: sys.exit("installed first")
cluster.down = lambda: sys.exit("took down first")
selftest.run_selftest()
""",
        tmp_path,
    )
    assert done.stderr.strip() == "installed first"
