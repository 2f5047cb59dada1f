"""A process of its own with a small disk of its own (tmpfs in its mount namespace), which fills up while a batch runs.

Argument: a folder, over which the disk is mounted.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from seedtrain.recipe import State
from seedtrain.record import verify
from tests.automation_live.made import HOUR, connected, served
from tests.automation_live.test_live import FED, GROW, running

SPEED, FULL_S = 1200.0, 4.0


def fill(path: Path) -> None:
    """Take every byte that is left."""
    with path.open("wb", buffering=0) as stream:
        try:
            while True:
                stream.write(b"x" * 4096)
        except OSError:
            pass


def main(folder: Path) -> None:
    disk = folder / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", str(disk)], check=True)
    with served(folder, speed=SPEED) as process, running(disk, process.url) as batch:
        batch.phase(GROW)
        fill(disk / "filler")
        time.sleep(FULL_S)
        assert not batch.result, batch.result
        with connected(process.url) as direct:
            found = direct.unit("shake_flask")
            assert found.now() - batch.state.started[GROW].time > HOUR, "the plant went on"
        (disk / "filler").unlink()
        batch.until(lambda: FED in batch.state.started or batch.state.held or batch.result, 150.0)
        assert not batch.result, batch.result
        state = batch.state.state()
        assert state in (State.RUNNING, State.HELD), state
        print("said:", [words for words in batch.script.heard if "disk" in words or "write" in words][:3])
        print(f"goes on: {state.value}")
    assert verify(disk / "record.db").verdict == "pass", "the record verifies"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
