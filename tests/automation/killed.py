"""A batch in a process of its own that kills itself with SIGKILL at its n-th commit.

Arguments: folder, which commit, `before` or `after` it. Without a kill it ends with exit code 0.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from seedtrain.record import Ledger
from tests.automation.made import ledger_in, run_batch


def main(folder: str, commit: str, when: str) -> None:
    count = 0
    original = Ledger.append

    def append(self: Ledger, *drafts, **more):
        nonlocal count
        count += 1
        if count == int(commit) and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        events = original(self, *drafts, **more)
        if count == int(commit) and when == "after":
            os.kill(os.getpid(), signal.SIGKILL)
        return events

    Ledger.append = append  # type: ignore[method-assign]
    with ledger_in(Path(folder)) as ledger:
        run_batch(ledger)


if __name__ == "__main__":
    main(*sys.argv[1:])
