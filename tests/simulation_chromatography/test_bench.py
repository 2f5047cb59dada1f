"""The bench measures what it says, and says where a peer is missing."""

from __future__ import annotations

import pytest

from seedtrain.simulation._downstream._bench import GOAL, bench_chromatography
from seedtrain.simulation._downstream._chromatography._cadet import VARIABLE


def test_without_cadet_the_bench_has_our_row_and_an_empty_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    ours, scipy, peer = bench_chromatography()
    assert ours["error"] < GOAL
    assert 0.0 < ours["cpu_s"] < 1.0  # measured at 0.02; a slow machine may take longer, never this long
    assert scipy["error"] < GOAL
    assert scipy["ratio"] > 1.0
    assert (peer["cpu_s"], peer["error"], peer["ratio"], peer["value"]) == (None, None, None, "not installed")


def test_an_interpreter_without_cadet_makes_rows_that_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "/nowhere/python")
    rows = bench_chromatography()
    assert all("cannot be run" in row["value"] and row["ratio"] is None for row in rows[2:])
