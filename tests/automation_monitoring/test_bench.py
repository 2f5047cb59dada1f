"""The monitoring of batches of the virtual plant, small; its command; and the bench of the plant."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from seedtrain.automation import Finding, Golden, bench_monitoring, feeding_case, monitoring_rows
from seedtrain.automation._bench import _load
from seedtrain.automation._monitoring import Planted, golden_batch, planted_faults
from seedtrain.automation._monitoring._bench import CHOICES, Learnt, Tried, judged, share_interval
from seedtrain.automation._monitoring._golden import SOFT_TAGS, TAGS
from seedtrain.base import InputError, silent
from seedtrain.cli import main
from seedtrain.quantity import Quantity
from seedtrain.recipe import at_scale
from seedtrain.simulation import StirredTank
from tests.automation_monitoring.test_model import batches
from tests.judges import needs
from tests.simulation_live.test_tank import CULTURE, EXAMPLE, RECIPE, VESSEL

assert isinstance(VESSEL, StirredTank)
CASE = feeding_case(CULTURE, VESSEL, at_scale(RECIPE, unit=VESSEL.name, volume=Quantity(90, "L")).recipe)


def test_a_batch_of_a_seed_is_always_the_same_and_a_fault_changes_it_from_its_beginning_on() -> None:
    fault = next(item for item in planted_faults() if item.kind == "feed_blocked").at(0.5)
    calm, _ = golden_batch(CASE, [1, 0], hours=1.0)
    faulty, _ = golden_batch(CASE, [1, 0], hours=1.0, faults=[fault])
    assert calm.shape == (10, len(TAGS) + len(SOFT_TAGS))
    np.testing.assert_array_equal(calm[:5], faulty[:5])
    assert np.isfinite(calm[:, : len(TAGS)]).all()
    assert np.isnan(calm[0, -1]), "the filter doubts its biomass when the feed begins, and is not believed then"
    assert faulty[6, TAGS.index("feed_rate")] < 0.01 < calm[6, TAGS.index("feed_rate")]


def drawn(good: int, odd: int) -> tuple[Golden, dict[str, list[np.ndarray]]]:
    """Good batches and others in which one tag is off from the sixteenth point on, drawn from one distribution."""
    return batches(good, 30), {"off": list(batches(odd, 31, shift=2.0, tag=1).values)}


def test_models_of_few_are_judged_by_batches_that_they_have_not_seen() -> None:
    good, faulty = drawn(40, 4)
    found = judged(good, 24, "PCA", faulty, began=1.5)
    assert len(found.good) == 16
    assert list(found.learnt) == [12, 20, 24]
    assert all(len(item.false) == len(item.found) == CHOICES for item in found.learnt.values())
    assert found.learnt[12].judged == 40, "each of them by some model that has not seen it"
    assert np.mean(found.learnt[24].found) > 0.8
    spoilt = good.values.copy()
    spoilt[24:] += 50.0  # whoever is not among those learnt from is beyond every limit
    after = judged(Golden(good.tags, good.hours, spoilt, good.outcome), 24, "PCA", faulty, began=1.5)
    assert all(item is not None for item in after.good)


def test_a_share_of_false_alarms_meets_its_goal_as_far_as_its_interval_can_tell() -> None:
    from scipy import stats

    for hits, count in ((0, 40), (5, 40), (40, 40), (9, 200)):
        judge = stats.binomtest(hits, count).proportion_ci()
        assert share_interval(hits / count, count) == pytest.approx((judge.low, judge.high), abs=1e-9)
    alarm = Finding(1.0, 9, "SPE", {"pH": 1.0})
    for hits, met in ((5, True), (9, False)):
        good = [alarm] * hits + [None] * (40 - hits)
        learnt = Learnt((hits / 40, hits / 40), 40, (0.5, 0.7))
        rows = monitoring_rows([Tried("PCA", 2, good, {}, 1.5, None, {20: learnt})])
        assert [(row["ours"], row["met"]) for row in rows] == [(hits / 40, met)] * 2
        assert "60% of all faults found" in rows[1]["note"]


@pytest.mark.slow
def test_a_blocked_feed_is_found_in_a_small_bench() -> None:
    blocked = Planted("blocked", "feed_blocked", hours=0.5)
    found = bench_monitoring(CASE, golden=14, fresh=3, batches=2, hours=3.0, faults=[blocked])
    rows = {row["case"]: row for row in monitoring_rows(found)}
    assert rows["PCA: blocked"]["found"] == 1.0
    assert rows["PCA: blocked"]["ours"] <= 0.4
    assert "feed_rate" in rows["PCA: blocked"]["note"]
    assert {row["origin"] for row in rows.values()} == {"simulated"}


def test_too_little_to_learn_from_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(InputError, match="3 golden"):
        bench_monitoring(CASE, golden=3)
    with pytest.raises(SystemExit) as left:
        main(["bench", "monitoring", str(EXAMPLE / "recipe.yaml"), "--fill", "2"])
    assert left.value.code == 2
    assert "a filling of 2" in capsys.readouterr().err


@pytest.mark.slow
@needs("asyncua", "duckdb", "pyarrow")
def test_the_bench_of_the_plant_loses_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["bench", "plant", "--quick", "--folder", str(tmp_path), "--json"])
    assert left.value.code == 0
    rows = json.loads(capsys.readouterr().out)
    lost = next(row for row in rows if "readings lost" in row["case"])
    assert (lost["ours"], lost["met"], lost["origin"]) == (0.0, True, "simulated")
    assert len(rows) == 8
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
@needs("asyncua", "duckdb", "pyarrow")
@pytest.mark.parametrize(("queue", "lost"), [(60, False), (1, True)])
def test_what_comes_late_is_not_lost_and_what_is_lost_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, queue: int, lost: bool
) -> None:
    """A client that is told every three seconds is as late as one on a loaded machine; a queue of one loses values."""
    monkeypatch.setattr(_load, "PUBLISH_MS", 3000.0)
    monkeypatch.setattr(_load, "QUEUE", queue)
    rows = _load._many_tags(tmp_path / "record.db", 5, 3, silent)
    assert (rows[0]["ours"] > 0) is lost
    assert rows[0]["met"] is not lost
    assert rows[1]["ours"] > 1.5  # s from source to client: it was late indeed
