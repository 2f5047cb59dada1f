"""A run of a program that kills itself with SIGKILL.

Arguments: folder, then either a stage and how many of its reports of progress to let pass, or `event`, a type of
event, its number (from 1), and `before` or `after` it is in the ledger; or `draws` and how often the product of the
downstream train may be appraised. Without a kill it ends with exit code 0.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import seedtrain.program._gap_stage as gap_stage
from seedtrain.program import run_program
from seedtrain.record import Ledger


def kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class AtProgress:
    """Kills at the report of progress that follows `passes` earlier ones of a stage."""

    def __init__(self, stage: str, passes: int) -> None:
        self.stage, self.left = stage, passes

    def __call__(self, done: float, words: str) -> None:
        if words.split(":")[0] != self.stage:
            return
        if self.left == 0:
            kill()
        self.left -= 1


def kill_at_event(type: str, number: int, when: str) -> None:
    original, count = Ledger.append, 0

    def append(self: Ledger, *drafts, **more):
        nonlocal count
        if when == "before" and count == number - 1 and any(getattr(draft, "type", "") == type for draft in drafts):
            kill()
        events = original(self, *drafts, **more)
        count += sum(event.type == type for event in events)
        if count >= number:
            kill()
        return events

    Ledger.append = append  # type: ignore[method-assign]


def kill_at_draw(number: int) -> None:
    original, count = gap_stage.product_quality, 0  # type: ignore[attr-defined]

    def appraised(steps):
        nonlocal count
        count += 1
        if count == number:
            kill()
        return original(steps)

    gap_stage.product_quality = appraised  # type: ignore[attr-defined]


def main(folder: str, what: str, *how: str) -> None:
    if what == "event":
        kill_at_event(how[0], int(how[1]), how[2])
        run_program(Path(folder))
    elif what == "draws":
        kill_at_draw(int(how[0]))
        run_program(Path(folder))
    else:
        run_program(Path(folder), progress=AtProgress(what, int(how[0])))


if __name__ == "__main__":
    main(*sys.argv[1:])
