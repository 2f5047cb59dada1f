"""An ensemble on a Dask cluster: two workers on this machine, one killed on the way, and nothing lost."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import pytest
import xarray

from seedtrain.base import InputError, UnavailableError
from seedtrain.simulation._ensemble import run_ensemble
from tests.simulation_ensemble.cases import PROBLEM, SPREADS

if find_spec("distributed") is None and not os.environ.get("SEEDTRAIN_REQUIRE_JUDGES"):
    pytest.skip("not installed: distributed", allow_module_level=True)
distributed: Any = import_module("distributed")
pytestmark = pytest.mark.filterwarnings("ignore")  # Dask warns of the worker that we kill
N = 40


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    """Two workers, processes of their own, with a nanny that starts another one where one dies."""
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, memory_limit="1GiB"
        ) as cluster,
        distributed.Client(cluster) as found,
    ):
        found.wait_for_workers(2, timeout=60)
        yield found


def test_a_killed_worker_loses_nothing(client, tmp_path) -> None:
    here = run_ensemble(PROBLEM, SPREADS, n=N, seed=9)
    workers = client.run(os.getpid)
    assert len(workers) == 2
    victim = next(iter(workers.values()))
    done: list[float] = []

    def tell(part: float, words: str) -> None:
        done.append(part)
        if len(done) == 4:  # some chunks are back, some are running and some wait
            os.kill(victim, signal.SIGKILL)

    path = tmp_path / "ensemble.nc"
    with run_ensemble(PROBLEM, SPREADS, n=N, seed=9, chunk=2, to=path, executor="dask", progress=tell) as found:
        xarray.testing.assert_identical(here, found.load())
    assert len(done) == 1 + N // 2
    assert done == sorted(done)
    assert victim not in client.run(os.getpid).values()


def test_a_client_or_the_scheduler_s_address_may_be_given(client) -> None:
    here = run_ensemble(PROBLEM, SPREADS, n=5, seed=9)
    for executor in (client, client.scheduler.address):
        found = run_ensemble(PROBLEM, SPREADS, n=5, seed=9, executor=executor, chunk=1)
        xarray.testing.assert_identical(found, here)
    assert distributed.get_client() is client, "a client that was made for an address is gone again"


def test_without_a_cluster_it_is_said_what_to_do(monkeypatch) -> None:
    with pytest.raises(InputError, match="no executor 'slurm'"):
        run_ensemble(PROBLEM, SPREADS, n=5, executor="slurm")

    def none() -> None:
        raise ValueError("No global client found")

    monkeypatch.setattr(distributed, "get_client", none)
    with pytest.raises(InputError, match="no Dask client") as caught:
        run_ensemble(PROBLEM, SPREADS, n=5, executor="dask")
    assert "DASK_SCHEDULER_ADDRESS" in caught.value.remedy
    dask: Any = import_module("dask")
    with (
        dask.config.set({"scheduler-address": "tcp://127.0.0.1:9"}),
        pytest.raises(UnavailableError, match=r"127\.0\.0\.1:9"),
    ):
        run_ensemble(PROBLEM, SPREADS, n=5, executor="dask")
