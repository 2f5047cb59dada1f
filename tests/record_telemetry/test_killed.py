"""Killed at any moment: every acknowledged reading is there, once, and the record verifies."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from seedtrain.record import Telemetry, open_ledger, seal_segments, verify
from tests.judges import needs

pytestmark = needs("duckdb", "pyarrow")
ROOT = Path(__file__).parents[2]


def killed(path, first, delay_s):
    """Let a recorder run, kill it after `delay_s`; returns the number up to which it had acknowledged."""
    command = [sys.executable, "-m", "tests.record_telemetry.killed", str(path), str(first)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        time.sleep(delay_s)
        os.kill(child.pid, signal.SIGKILL)
        lines = child.stdout.read().splitlines(keepends=True)
    whole = [line for line in lines if line.endswith("\n")]
    return int(whole[-1]) if whole else first


def stored(path):
    with open_ledger(path) as ledger, Telemetry(ledger) as telemetry:
        trends = telemetry.trends(["pH"]) if telemetry.tags() else ()
        return trends[0].value if trends else np.empty(0)


def rounds(path, count, seed):
    chance, first, sealed = random.Random(seed), 0, 0
    for _ in range(count):
        acknowledged = killed(path, first, chance.uniform(0.0, 0.35))
        values = stored(path)
        assert len(values) >= acknowledged
        np.testing.assert_array_equal(values, np.arange(len(values)))  # each once, none between missing
        with open_ledger(path) as ledger:
            seal_segments(ledger, keep_h=3)
            with Telemetry(ledger) as telemetry:
                sealed = sum(item.count for item in telemetry.segments)
        np.testing.assert_array_equal(stored(path), values)
        first = len(values)
    assert first > 0
    assert sealed > 0
    assert verify(path).verdict == "pass"


def test_what_was_acknowledged_survives_a_kill(tmp_path):
    rounds(tmp_path / "record.db", 3, 7)


@pytest.mark.slow
def test_what_was_acknowledged_survives_a_hundred_kills(tmp_path):
    rounds(tmp_path / "record.db", 100, 11)
