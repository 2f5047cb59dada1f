"""A recorder to be killed: python -m tests.record_telemetry.killed LEDGER FIRST; prints what was acknowledged."""

import sys
import threading
from pathlib import Path

from seedtrain.record import Spool, open_ledger, seal_segments, telemetry_path
from tests.record_telemetry.plant import PH, START_US


def record(path, first):
    with open_ledger(path) as ledger, Spool(telemetry_path(path), flush_s=0.01) as spool:
        print("ready", flush=True)
        stop = threading.Event()

        def seal():
            while not stop.wait(0.02):
                seal_segments(ledger, keep_h=3)

        threading.Thread(target=seal, daemon=True).start()
        number = first
        while number < first + 1_000_000:
            numbers = range(number, number + 40)
            times = [START_US + item * 60_000_000 for item in numbers]  # a reading a minute of the plant's time
            spool.wait(spool.put_many(PH, times, [float(item) for item in numbers]))
            number += 40
            print(number, flush=True)


if __name__ == "__main__":
    record(Path(sys.argv[1]), int(sys.argv[2]))
