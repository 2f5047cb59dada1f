"""A process of its own, alone in its network namespace: a batch on a plant, whose only interface goes down and up.

Arguments: a folder, and the program `ip`.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from seedtrain.recipe import State
from seedtrain.record import moment, verify
from tests.automation_live.made import connected, served
from tests.automation_live.test_live import GROW, running

SPEED, CUT_S = 600.0, 4.0


def main(folder: Path, ip: str) -> None:
    def interface(word: str) -> None:
        subprocess.run([ip, "link", "set", "lo", word], check=True)

    interface("up")
    with served(folder, speed=SPEED) as process, running(folder, process.url) as batch:
        batch.phase(GROW)
        with connected(process.url) as direct:
            clock = direct.unit("shake_flask").now()
        stood = time.monotonic()
        time.sleep(1.5)
        interface("down")
        cut = clock.timestamp() + SPEED * (time.monotonic() - stood)
        time.sleep(CUT_S)
        interface("up")
        mended = clock.timestamp() + SPEED * (time.monotonic() - stood)
        batch.until(lambda: batch.events("telemetry.gap"), 120.0)
        gap = next(item.payload for item in batch.events("telemetry.gap") if item.payload["tag"] == "temperature")
        start, end = (moment(str(gap[key])).timestamp() for key in ("from", "to"))
        assert gap["backfilled"] is True, gap
        assert abs(start - cut) < 4 * SPEED, (start - cut, gap)
        assert end >= mended - SPEED, (end - mended, gap)
        state = batch.state.state()
        assert state in (State.RUNNING, State.HELD), state
        assert verify(folder / "record.db").verdict == "pass", "the record verifies"
        print(f"gap of {end - start:.0f} s of the process, cut {mended - cut:.0f} s; {state.value}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
