"""The bench's own judges: a wrong peer, a missing one, one that breaks; the form of its rows; its references."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seedtrain.base import InputError, cache_folder
from seedtrain.simulation import bench_simulation
from seedtrain.simulation._bench import _ours, _peers, _problem, _reference, _speed, _whole, _worker
from seedtrain.simulation._bench._peers import Peer
from seedtrain.simulation._bench._rows import Figures, compared, limited
from seedtrain.simulation._bench._simulation import PARTS
from seedtrain.simulation._bench._speed import Size, measure
from tests.worked import called

TINY = Size(count=6, judged=2, repeats=2, seconds=0.05)
KEYS = {
    "bench",
    "case",
    "ours",
    "peer",
    "peer_name",
    "peer_version",
    "unit",
    "ratio",
    "goal",
    "goal_kind",
    "met",
}


@pytest.fixture(autouse=True)
def cache(shared_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """References are computed once for all tests here."""
    monkeypatch.setenv("SEEDTRAIN_CACHE", str(shared_folder / "bench-cache"))


# the problem and its references


def test_the_problem_is_stiff_and_conserves_volume() -> None:
    """The slowest and the fastest mode are four decades apart; volume is what was there and what was fed."""
    numbers = _problem.draws(1)[0]
    state = _reference.states(1)[0]
    named = dict(zip(_problem.NUMBERS, numbers, strict=True))
    grown = np.expm1(named["muset"] * _problem.times()) / named["muset"]
    fed = named["F0"] * grown
    assert state[:, 6] == pytest.approx(2.0 + fed, rel=1e-9)

    def rate(y: Any) -> Any:
        d = np.empty(7)
        _problem.rhs({"exp": np.exp})(12.0, y, numbers, d)
        return d

    y = state[50]
    steps = np.maximum(1e-6 * np.abs(y), 1e-9)
    columns = [(rate(y + h * e) - rate(y - h * e)) / (2 * h) for e, h in zip(np.eye(7), steps, strict=True)]
    modes = np.abs(np.linalg.eigvals(np.array(columns).T).real)
    assert modes.max() / modes[modes > 1e-3].min() > 1e3


def test_draws_are_the_same_whatever_is_drawn_before() -> None:
    whole = _problem.draws(9)
    assert np.array_equal(whole[4:], _problem.draws(5, first=4))
    low, high = (np.array(list(_problem.NUMBERS.values())) * part for part in (0.8, 1.2))
    assert ((whole >= low - 1e-12) & (whole <= high + 1e-12)).all()
    fixed = [list(_problem.NUMBERS).index(name) for name in _problem.FIXED]
    assert (np.ptp(whole[:, fixed], axis=0) == 0).all()


def test_the_references_agree_with_other_methods() -> None:
    """States with LSODA at 1e-12; derivatives with differences of states at two steps."""
    from scipy.integrate import solve_ivp

    numbers = _problem.draws(1)[0]
    written = _problem.rhs({"exp": np.exp})

    def solved(row: Any) -> Any:
        def function(t: float, y: Any) -> Any:
            d = np.empty(7)
            written(t, y, row, d)
            return d

        ends = _problem.times()[[0, 50, 99]]
        found = solve_ivp(function, (0.0, 24.0), _problem.start(), method="LSODA", t_eval=ends, rtol=1e-12, atol=1e-13)
        return found.y.T

    assert _reference.states(1)[0][[0, 50, 99]] == pytest.approx(solved(numbers), rel=1e-7, abs=1e-9)
    by = _reference.sensitivities(1)[0][[0, 50, 99]]
    for direction in (0, 15, 20):
        place = _problem.varied()[direction]
        step = np.zeros(26)
        step[place] = 1e-5 * numbers[place]
        slope = (solved(numbers + step) - solved(numbers - step)) / (2 * step[place])
        scale = np.abs(slope).max(axis=0) + 1e-4  # the volume depends on none of these: only rounding is left
        assert (np.abs(by[..., direction] - slope) / scale).max() < 1e-4


def test_references_are_kept_and_made_anew_where_damaged() -> None:
    first = _reference.states(1)
    (path,) = [item for item in cache_folder("bench").glob("*.npy") if np.load(item).ndim == 3][:1]
    path.write_bytes(b"cut short")
    assert np.array_equal(_reference.states(1), first)
    assert np.load(path).shape[1:] == (100, 7)


# the harness


MISSING = Peer("nobody", "nobody-at-all", "nobody_at_all", _peers.odeint)
BROKEN = Peer("not in the list", "numpy", "numpy", _peers.odeint)  # its worker finds no such peer
QUICK = next(peer for peer in _peers.ENSEMBLE if peer.name == "scipy odeint with numba")


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> dict[str, _speed.Measured]:
    """Seedtrain, a peer, one that is not there and one that breaks, measured together."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SEEDTRAIN_CACHE", str(tmp_path_factory.mktemp("cache")))
        found = measure("ensemble", (*_ours.ENSEMBLE, QUICK, MISSING, BROKEN), TINY)
    return {item.figures.name: item for item in found}


def test_ours_and_a_peer_are_right_each_in_a_process_of_its_own(measured) -> None:
    for name in ("Seedtrain", QUICK.name):
        item = measured[name]
        assert item.figures.error is not None
        assert item.figures.error[1] < 1e-3
        assert len(item.figures.rates) == TINY.repeats
        assert min(item.figures.rates) > 0
        assert item.figures.version
        assert item.setup > 0


def test_sensitivities_of_ours_are_right() -> None:
    found = measure("sensitivities", _ours.SENSITIVITIES, TINY)
    assert found[0].figures.error is not None
    assert found[0].figures.error[1] < 1e-2


EVERYBODY = [
    pytest.param(peer, marks=[pytest.mark.slow] if peer.module in ("numbalsoda", "amici") else [], id=peer.name)
    for peer in (*_peers.ENSEMBLE, *_peers.SENSITIVITIES)
]


@pytest.mark.parametrize("peer", EVERYBODY)  # the slow ones compile for a while
def test_an_installed_peer_solves_the_problem(peer: Peer) -> None:
    """In this process, one draw: what each was told is the same problem."""
    compiled = peer.module in ("numbalsoda", "amici")  # these need a Fortran or C++ compiler to install
    if find_spec(peer.module) is None and (compiled or not os.environ.get("SEEDTRAIN_REQUIRE_JUDGES")):
        pytest.skip(f"not installed: {peer.package}")
    numbers = _problem.draws(1)
    found = peer.build()(numbers)
    states = _reference.states(1)
    if found.ndim == 3:
        assert _problem.errors(found, states)[0] < 1e-3
    else:
        exact = _reference.sensitivities(1)
        assert _problem.sensitivity_errors(found, exact, states, numbers)[0] < 1e-2


def test_a_peer_that_is_not_installed_is_told_with_its_package(measured) -> None:
    ours, nobody = measured["Seedtrain"].figures, measured["nobody"].figures
    row = compared("case", ours, nobody, unit="1/CPU s", goal=3.0)
    assert row["peer"] is None
    assert row["ratio"] is None
    assert row["met"] is False
    assert row["note"] == "not installed: nobody-at-all"


def test_a_peer_that_breaks_is_told_with_its_last_words(measured) -> None:
    assert measured[BROKEN.name].figures.note.startswith("it failed: StopIteration")
    with pytest.raises(RuntimeError, match="not in the list"):
        measure("ensemble", (BROKEN,), TINY)


def test_a_peer_that_hangs_is_ended() -> None:
    with pytest.raises(_worker.WorkerError, match=r"no answer within 0\.2 s"):
        _worker.Worker("ensemble", "Seedtrain", seconds=0.2)  # Python itself takes longer to start


def test_a_wrong_peer_is_told_and_is_no_measure_of_error() -> None:
    ours = Figures("Seedtrain", "1", [10.0, 12.0, 11.0], (1e-6, 1e-5))
    wrong = Figures("wrong", "1", [1.0, 2.0], (0.5, 2.0))
    row = compared("case", ours, wrong, unit="1/CPU s", goal=3.0)
    assert row["note"] == "the peer's result is wrong"
    assert row["ratio"] == 12.0 / 2.0
    assert row["ours_range"] == [10.0, 11.0, 12.0]
    assert compared("case", ours, Figures("nan", "1", [1.0], (float("nan"),) * 2), unit="", goal=None)["note"]


def test_a_goal_is_not_met_by_being_less_exact() -> None:
    quick = Figures("Seedtrain", "1", [100.0], (1e-4, 1e-3))
    exact = Figures("exact", "1", [10.0], (1e-6, 1e-5))
    row = compared("case", quick, exact, unit="", goal=3.0)
    assert row["met"] is False
    assert row["note"] == "ours errs more than this peer"
    assert compared("case", exact, quick, unit="", goal=0.05)["met"] is True
    assert limited("case", [3.0, 1.0], unit="CPU s", goal=2.0)["met"] is True
    assert limited("case", [3.0, 2.5], unit="CPU s", goal=2.0)["met"] is False


def test_amici_is_a_goal_only_where_it_is_installed() -> None:
    ours = _speed.Measured(Figures("Seedtrain", "1", [100.0], (1e-6, 1e-5)))
    absent = _speed.Measured(Figures("AMICI, forward", None, note="not installed: amici"))
    present = _speed.Measured(Figures("AMICI, forward", "1", [1.0], (1e-5, 1e-4)))
    (row,) = _speed._against("case", [ours, absent], _speed.SENSITIVITY_GOALS)
    assert row["goal"] is None
    (row,) = _speed._against("case", [ours, present], _speed.SENSITIVITY_GOALS)
    assert row["met"] is True


def test_work_of_a_process_is_measured_with_its_memory_and_failures() -> None:
    busy = "x = bytearray(300_000_000); sum(range(3_000_000))"
    cost = _whole.cost_of([sys.executable, "-c", busy])
    assert 0.27 < cost.memory < 0.4  # not what this process holds itself
    assert cost.cpu > 0.05
    with pytest.raises(RuntimeError, match="ValueError: no"):
        _whole.cost_of([sys.executable, "-c", "raise ValueError('no')"])


def test_one_thread_for_everybody() -> None:
    assert set(_worker.ONE_THREAD.values()) == {"1"}
    assert "VECLIB_MAXIMUM_THREADS" in _worker.ONE_THREAD
    assert "OMP_NUM_THREADS" in _worker.ONE_THREAD


def test_cold_start_and_memory_have_rows_with_limits() -> None:
    rows = [*_whole.bench_cold(repeats=1), *_whole.bench_memory(trajectories=300)]
    assert all(set(row) >= KEYS for row in rows)
    goals = {row["case"].split(":")[0]: row["goal"] for row in rows if row["goal"] is not None}
    assert sorted(goals.values()) == [0.3, 2.0, 8.0]
    memory = rows[-1]
    assert memory["unit"] == "GB"
    assert 0.05 < memory["ours"] < 2.0
    assert memory["met"] is True


@pytest.mark.slow
def test_a_million_trajectories_stream_to_disk_within_two_gigabytes() -> None:
    (row,) = _whole.bench_memory()
    assert row["met"], row


# the command


def test_parts_are_chosen_by_name() -> None:
    with pytest.raises(InputError, match="no part 'speed'") as caught:
        bench_simulation(only=["speed"])
    assert all(name in caught.value.remedy for name in PARTS)


def test_the_command_prints_rows_for_machines_and_people(tmp_path, monkeypatch) -> None:
    rows = [
        limited("start", [0.2, 0.4], unit="CPU s", goal=0.3, note="warm"),
        compared("many", Figures("o", "1", [9.0, 8.0], (1e-6, 2e-6)), Figures("p", "2", [3.0]), unit="1/s", goal=2.0),
        compared("many", Figures("o", "1", [9.0]), Figures("q", None, note="not installed: q"), unit="1/s", goal=8.0),
    ]
    asked: dict[str, Any] = {}

    def bench(**options: Any) -> list[dict[str, Any]]:
        asked.update(options)
        return rows

    monkeypatch.setattr("seedtrain.simulation.bench_simulation", bench)
    path = tmp_path / "rows.json"
    said = called("bench", "simulation", "--quick", "--only", "cold", "--only", "ensemble", "--json", "-o", path)
    assert said.code == 0, said.err
    assert asked["quick"] is True
    assert asked["only"] == ["cold", "ensemble"]
    assert [row["case"] for row in said.document] == ["start", "many", "many"]
    assert all(set(row) >= KEYS for row in said.document)
    assert path.read_text()
    words = called("bench", "simulation").out
    assert "0.2 CPU s [0.2 .. 0.3 .. 0.4]  (goal 0.3: met)" in words
    assert "ratio 3  (goal 2: met)" in words
    assert "not installed: q  (goal 8: not met)" in words
    assert words.splitlines()[-1] == "2 of 3 goals met"
    assert "未达标" in called("bench", "simulation", "--lang", "zh").out


def test_the_command_refuses_what_is_not_there(tmp_path) -> None:
    assert called("bench", "simulation", "--only", "everything").code == 2
    assert called("bench", "guides", tmp_path / "none.fa").code == 2
    assert called("bench", "guides", tmp_path / "none.fa", "--count", "0").code == 2
    assert called("bench", "clone", "--reads", "0").code == 2


def test_guides_and_clone_are_measured(tmp_path) -> None:
    genome = tmp_path / "genome.fa"
    letters = np.random.default_rng(1).choice(list("ACGT"), 30_000)
    genome.write_text(">one\n" + "".join(letters) + "\n")
    said = called("bench", "guides", genome, "--count", "4", "--json")
    assert said.code == 0, said.err
    assert {row["bench"] for row in said.document} == {"guides"}
    if find_spec("mappy") is None or find_spec("pyabpoa") is None:
        pytest.skip("not installed: mappy, pyabpoa")
    said = called("bench", "clone", "--reads", "60", "--json")
    assert said.code == 0, said.err
    assert {row["bench"] for row in said.document} == {"clone"}
