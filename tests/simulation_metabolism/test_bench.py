"""What the benchmark reports, on the small model; the figures themselves are in docs/validation.md."""

from __future__ import annotations

import pytest

from seedtrain.simulation._metabolism import _bench

KEYS = {"model", "what", "peer", "version", "cpu_s", "value", "unit", "error", "ratio", "goal", "met", "note"}


@pytest.fixture(scope="module")
def rows() -> list[_bench.Row]:
    said: list[float] = []
    found = _bench.bench_dfba("textbook", trajectories=500, euler_steps=20, progress=lambda done, _: said.append(done))
    assert said == [0.0, 0.25, 0.5, 0.75, 1.0]
    return found


def test_every_figure_has_its_peer_and_its_error(rows) -> None:
    assert all(set(row) == KEYS for row in rows)
    peers = {row["peer"]: row for row in rows if row["ratio"] is not None}
    assert set(peers) == {"warm HiGHS", "GLPK loop", "cobra Euler loop"}
    assert all(row["version"] and row["cpu_s"] > 0 for row in peers.values())
    assert peers["GLPK loop"]["ratio"] > 30, "ours is far ahead even of a quick programme"
    assert peers["GLPK loop"]["value"] == pytest.approx(5.15221, abs=1e-5)
    assert peers["cobra Euler loop"]["note"] == "extrapolated from 20 of 1000 steps"
    errors = {row["what"]: row["error"] for row in rows if "ATP maintenance" in row["what"] and row["cpu_s"] is None}
    assert len(errors) == 4
    assert all(error < (1e-6 if "biomass" in what else 1e-4) for what, error in errors.items())


def test_the_command_line_reads_the_same_figures(rows, monkeypatch) -> None:
    monkeypatch.setattr(_bench, "bench_dfba", lambda *_, **__: rows)
    told = _bench.bench_metabolism("textbook")
    assert {row["goal_kind"] for row in told} == {"ratio", "limit"}
    for row in told:
        assert {"bench", "case", "ours", "peer", "peer_name", "peer_version", "unit", "ratio", "goal", "met"} <= set(
            row
        )
        if row["goal_kind"] == "ratio":
            assert row["ratio"] == pytest.approx(row["peer"] / row["ours"])


def test_a_peer_that_is_not_installed_is_told(monkeypatch) -> None:
    monkeypatch.setattr(_bench, "_missing", lambda package: f"{package} is not installed")
    found = {row["peer"]: row for row in _bench.bench_trajectory("textbook", repeats=2)}
    for peer, package in (("GLPK loop", "swiglpk"), ("cobra Euler loop", "cobra")):
        assert found[peer]["note"] == f"{package} is not installed"
        assert found[peer]["ratio"] is found[peer]["cpu_s"] is None
