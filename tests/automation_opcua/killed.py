"""A batch over OPC UA in a process of its own that kills itself with SIGKILL after its n-th commit.

Arguments: folder, URL of the plant, which commit.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from seedtrain.record import Ledger
from tests.automation.made import BATCH, ledger_in, run_batch
from tests.automation_opcua.served import driven, mapped, small


def main(folder: str, url: str, commit: str) -> None:
    count = 0
    original = Ledger.append

    def append(self: Ledger, *drafts, **more):
        nonlocal count
        count += 1
        events = original(self, *drafts, **more)
        if count == int(commit):
            os.kill(os.getpid(), signal.SIGKILL)
        return events

    Ledger.append = append  # type: ignore[method-assign]
    with ledger_in(Path(folder)) as ledger, driven(mapped(url), owner=BATCH) as device:
        run_batch(ledger, control=small(), plant=device)


if __name__ == "__main__":
    main(*sys.argv[1:])
