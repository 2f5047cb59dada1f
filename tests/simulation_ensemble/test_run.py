"""Ensembles: the same numbers however they are cut, kept or spread; failures are rows; a kill loses nothing done."""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray
from scipy.io import netcdf_file

from seedtrain.base import InputError, UnavailableError
from seedtrain.simulation._ensemble import (
    REFUSED,
    Settings,
    ensemble_percentiles,
    ensemble_reason,
    read_ensemble,
    run_ensemble,
)
from seedtrain.simulation._ensemble._netcdf import Field, Layout, Writer, text_attribute
from seedtrain.simulation._metabolism import Span
from tests.simulation_ensemble.cases import PROBLEM, SPREADS, TIMES
from tests.worked import ROOT

N = 23


def ensemble(**options: Any) -> Any:
    return run_ensemble(PROBLEM, SPREADS, **({"n": N, "seed": 5} | options))


@pytest.fixture(scope="module")
def whole():
    return ensemble()


def test_every_trajectory_is_the_exact_solution_of_its_own_parameters(whole) -> None:
    k = whole["parameters"].sel(parameter="k").values
    assert np.allclose(whole["y"].values, np.exp(-k[:, None] * TIMES), rtol=1e-5)
    assert np.allclose(whole["final_y"].values, np.exp(-2 * k), rtol=1e-5)
    halved = np.log(2) / k
    expected = np.where(halved < 2, halved, np.nan)
    assert np.allclose(whole["event_time"].sel(event="half"), expected, rtol=1e-5, equal_nan=True)
    assert np.array_equal(whole["event_count"].sel(event="half"), halved < 2)
    assert whole["y"].attrs == {"units": "g/L", "long_name": "what is left"}
    assert whole["parameter_unit"].values.tolist() == ["1/h", "L/g/h"]
    assert whole.attrs["origin"] == "simulated"


@pytest.mark.parametrize("options", [{"chunk": 1}, {"chunk": 7}, {"chunk": 100}, {"threads": 1}, {"threads": 2}])
def test_chunks_and_threads_do_not_matter(whole, options) -> None:
    xarray.testing.assert_identical(whole, ensemble(**options))


def test_a_longer_ensemble_begins_like_a_shorter_one(whole) -> None:
    longer = ensemble(n=N + 5).isel(trajectory=slice(N))
    assert np.array_equal(longer["y"], whole["y"])


def test_a_file_holds_the_same_as_memory(whole, tmp_path) -> None:
    path = tmp_path / "deep" / "ensemble.nc"
    with ensemble(to=path, chunk=4) as found:
        xarray.testing.assert_identical(whole, found.load())
        assert ensemble_reason(found, 0) == "done"
    assert [item.name for item in path.parent.iterdir()] == ["ensemble.nc"]
    with netcdf_file(str(path), mmap=False) as plain:  # any reader of netCDF reads it
        assert plain.variables["y"].data.shape == (N, len(TIMES))


def test_a_failed_trajectory_keeps_reason_and_last_good_state() -> None:
    """y' = b y^2 has its pole at 1 / b = 0.5 h: nothing beyond is finite, and everything that is told is."""
    found = run_ensemble(PROBLEM, {"k": Span(0, 0), "b": np.array([0.0, 2.0, 0.1])}, n=3)
    assert found["status"].values[0] == found["status"].values[2] == 0
    assert found["status"].values[1] > 0
    assert ensemble_reason(found, 1) != "done"
    assert found["reached"].values[1] == pytest.approx(0.5, abs=1e-3)
    assert np.isfinite(found["y"]).all()
    late = found["y"].values[1, TIMES > 0.5]
    assert len(set(late.tolist())) == 1
    assert late[0] == found["final_y"].values[1] > 10
    assert ensemble_percentiles(found, "y", (0, 100)).shape == (2, len(TIMES))
    assert ensemble_percentiles(found, "y", (100,)).max() < 2, "failed trajectories count in no percentile"


def test_refused_draws_are_rows_with_their_own_reason() -> None:
    problem = dataclasses.replace(PROBLEM, refuse=lambda found: found.finals[:, 0, 0] > 0.2, refusal="too slow")
    found = run_ensemble(problem, SPREADS, n=N)
    slow = found["final_y"].values > 0.2
    assert 0 < slow.sum() < N
    assert np.array_equal(found["status"].values == REFUSED, slow)
    assert ensemble_reason(found, int(np.flatnonzero(slow)[0])) == "too slow"


def test_percentiles_are_those_of_numpy(whole) -> None:
    assert np.array_equal(
        ensemble_percentiles(whole, "y", (10, 90)), np.percentile(whole["y"].values, (10, 90), axis=0)
    )


def test_several_problems_share_their_draws() -> None:
    other = dataclasses.replace(PROBLEM, name="other", identity="other")
    first = dataclasses.replace(PROBLEM, name="first")
    found = run_ensemble([first, other], SPREADS, n=6, seed=5, chunk=4)
    assert found["vessel"].values.tolist() == ["first", "other"]
    assert found["vessel_number"].values.tolist() == [0] * 6 + [1] * 6
    assert found["draw"].values.tolist() == [*range(6), *range(6)]
    assert np.array_equal(found["y"].values[:6], found["y"].values[6:])
    assert np.array_equal(found["y"].values[:6], ensemble(n=6)["y"].values)


SCRIPT = """
import sys
from pathlib import Path
from typing import Any
from seedtrain.simulation._ensemble import run_ensemble
from tests.simulation_ensemble.cases import PROBLEM, SPREADS
def tell(done, words):
    print(done, flush=True)
    if done > 0.4:
        sys.stdin.read()  # wait to be killed
run_ensemble(PROBLEM, SPREADS, n=23, seed=5, chunk=4, to=Path(sys.argv[1]), progress=tell)
"""


def killed(path: Path) -> None:
    """Begin the ensemble in another process, and kill that after some chunks."""
    command = [sys.executable, "-c", SCRIPT, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, text=True) as process:
        assert process.stdout is not None
        while float(process.stdout.readline()) <= 0.4:
            pass
        with pytest.raises(InputError, match="another process"):
            ensemble(to=path, chunk=4)
        process.send_signal(signal.SIGKILL)


def test_killed_it_goes_on_where_it_was(whole, tmp_path) -> None:
    path = tmp_path / "ensemble.nc"
    killed(path)
    assert not path.exists(), "a file that is not whole has no name"
    told: list[float] = []
    # Another chunk size does not matter: what was begun keeps its own.
    with ensemble(to=path, chunk=5, progress=lambda done, words: told.append(done)) as found:
        xarray.testing.assert_identical(whole, found.load())
    assert told[0] == pytest.approx(12 / N), "three chunks of four were done"
    assert [item.name for item in tmp_path.iterdir()] == ["ensemble.nc"]


def test_a_journal_that_was_cut_short_counts_whole_lines(whole, tmp_path) -> None:
    path = tmp_path / "ensemble.nc"
    killed(path)
    journal = tmp_path / ".ensemble.nc.journal"
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(lines[:-1]) + b"1")  # "1" of "12" or so
    with ensemble(to=path) as found:
        xarray.testing.assert_identical(whole, found.load())


def test_another_ensemble_is_not_gone_on_with(tmp_path) -> None:
    path = tmp_path / "ensemble.nc"
    killed(path)
    for options in ({"seed": 6}, {"n": N + 1}, {"settings": Settings(rtol=1e-7)}):
        with pytest.raises(InputError, match="another ensemble was begun") as caught:
            ensemble(to=path, **options)
        assert ".ensemble.nc.journal" in caught.value.remedy
    (tmp_path / ".ensemble.nc.journal").write_text("nonsense\n")
    with pytest.raises(InputError, match="damaged"):
        ensemble(to=path)


def test_a_finished_file_is_returned_and_another_ensemble_does_not_replace_it(tmp_path) -> None:
    path = tmp_path / "ensemble.nc"
    ensemble(to=path).close()
    before = path.stat()
    ensemble(to=path, chunk=2).close()
    assert path.stat().st_mtime_ns == before.st_mtime_ns
    with pytest.raises(InputError, match="holds something else"):
        ensemble(to=path, seed=6)
    assert path.stat().st_mtime_ns == before.st_mtime_ns
    mine = tmp_path / "recipe.yaml"
    mine.write_text("recipe: mine\n", encoding="utf-8")
    with pytest.raises(InputError, match="holds something else"):
        ensemble(to=mine)
    assert mine.read_text(encoding="utf-8") == "recipe: mine\n"


def test_an_attribute_is_read_from_the_header_alone(tmp_path) -> None:
    path = tmp_path / "ensemble.nc"
    ensemble(to=path).close()
    with netcdf_file(str(path), mmap=False) as plain:
        assert text_attribute(path, "seedtrain_digest") == plain.seedtrain_digest.decode()
        assert text_attribute(path, "seed") == "5"
    assert text_attribute(path, "nobody") is None
    (tmp_path / "other").write_bytes(b"seed")
    assert text_attribute(tmp_path / "other", "seed") is None
    assert text_attribute(tmp_path / "none", "seed") is None


def test_what_cannot_be_run_or_kept_is_refused(tmp_path) -> None:
    for options in ({"n": 0}, {"chunk": 0}, {"executor": "cluster"}):
        with pytest.raises(InputError) as caught:
            ensemble(**options)
        assert caught.value.remedy
    with pytest.raises(InputError, match="kept in memory"):
        ensemble(n=100_000_000)
    with pytest.raises(InputError, match="no state"):
        dataclasses.replace(PROBLEM, variables={"z": PROBLEM.variables["y"]})
    (tmp_path / "no.nc").write_text("not a netCDF file")
    with pytest.raises(InputError, match="is no ensemble"):
        read_ensemble(tmp_path / "no.nc")


def test_a_disk_that_is_full_says_so_and_leaves_nothing_named(tmp_path) -> None:
    script = (
        "import resource, signal, sys; from pathlib import Path\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "from seedtrain.base import UnavailableError\n"
        "from tests.simulation_ensemble.test_run import ensemble\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "try:\n    ensemble(to=Path(sys.argv[1]))\n"
        "except UnavailableError as error:\n    assert error.remedy; print('full')\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "ensemble.nc")]
    said = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    assert said.stdout == "full\n"
    assert not (tmp_path / "ensemble.nc").exists()
    with pytest.raises(UnavailableError):
        ensemble(to=Path("/proc/none/ensemble.nc"))


def test_a_variable_beyond_the_format_is_refused_before_anything_is_written(tmp_path) -> None:
    layout = Layout({"trajectory": 10**7, "time": 100}, [Field("y", ("trajectory", "time"), "f8")], {})
    handle = os.open(tmp_path / "x", os.O_RDWR | os.O_CREAT)
    with pytest.raises(InputError, match=r"8\.0 GB"):
        Writer(handle, layout)
    os.close(handle)
    assert (tmp_path / "x").stat().st_size == 0
