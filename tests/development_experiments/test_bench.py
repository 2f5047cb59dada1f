"""The problems of the bench, campaigns that go on where they stopped, and BoFire as another chooser."""

from __future__ import annotations

import csv
import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedtrain.base import InputError, UnavailableError
from seedtrain.cli._app import main
from seedtrain.development import Bofire, bench_experiments
from seedtrain.development._experiments_bench._bench import _sure
from seedtrain.development._experiments_bench._campaign import by_spreading, campaign
from seedtrain.development._experiments_bench._fed_batch import TRUTH, fed_batch
from seedtrain.development._experiments_bench._problems import problems
from tests.development_experiments.studies import written

HARTMANN, FED_BATCH, MEDIA = problems()


def ran(*arguments: object) -> int:
    with pytest.raises(SystemExit) as left:
        main([str(item) for item in arguments])
    return int(left.value.code or 0)


def test_the_best_values_are_those_that_the_problems_have() -> None:
    """Hartmann's from Dixon & Szegö 1978; the others' where their set points are known."""
    best = [0.20169, 0.150011, 0.476874, 0.275332, 0.311652, 0.6573]
    values: dict[str, float | str] = {f"x{at + 1}": value for at, value in enumerate(best)}
    assert HARTMANN.reached(values) == pytest.approx(3.32237, abs=1e-4)
    held = dict(
        zip((item.name for item in FED_BATCH.study.factors), (12.304, 0.1772, 8.48, 26.75, 1.0622), strict=True)
    )
    assert FED_BATCH.truth(held)["titre"] == pytest.approx(FED_BATCH.best, rel=0.01)
    medium: dict[str, float | str] = {"carbon": 32.0, "nitrogen": 9.0, "phosphate": 2.5, "magnesium": 2.0, "pH": 6.6,
                                      "carbon_source": "glycerol", "nitrogen_source": "yeast extract"}  # fmt: skip
    assert MEDIA.reached(medium) == pytest.approx(MEDIA.best, rel=1e-6)


@given(st.lists(st.floats(0, 1), min_size=5, max_size=5))
@settings(max_examples=30, deadline=None)
def test_a_fed_batch_stays_what_it_can_be(places: list[float]) -> None:
    settings_ = FED_BATCH.study.values(np.array(places))
    titre, oxygen = fed_batch(TRUTH, *(float(value) for value in settings_.values()))
    assert titre >= 0
    assert 0 <= oxygen <= 100
    if oxygen >= 20:
        assert titre <= FED_BATCH.best * 1.001
    hungry = TRUTH.copy()
    hungry[9] *= 1.3  # more oxygen is supplied
    assert fed_batch(hungry, *(float(value) for value in settings_.values()))[1] >= oxygen - 1e-9


def test_a_limit_that_is_truly_broken_counts_for_nothing() -> None:
    rushed: dict[str, float | str] = {"glucose": 10.1, "growth_rate": 0.197, "induction": 9.66, "temperature": 27,
                                      "feed_share": 0.91}  # fmt: skip
    assert FED_BATCH.truth(rushed)["oxygen"] < 20
    assert FED_BATCH.reached(rushed) == -np.inf


def test_a_campaign_that_found_nothing_lies_below_the_others_and_with_its_like() -> None:
    """Six seeds that all find more: one in 2^6 by chance, in one direction."""
    found, nothing = [1.0, 2.0, 3.0, 4.0, 5.0, 6.5], [-np.inf] * 3 + [0.5, 0.2, 0.1]
    assert _sure(found, nothing, "greater") == pytest.approx(1 / 64, abs=0.005)
    assert _sure(found, nothing, "two-sided") == pytest.approx(2 / 64, abs=0.01)
    assert _sure(nothing, nothing, "two-sided") == 1.0


def test_a_campaign_goes_on_where_it_stopped(tmp_path: Path) -> None:
    whole = campaign(HARTMANN, "spread", by_spreading, 12, 3, None)
    campaign(HARTMANN, "spread", by_spreading, 5, 3, tmp_path)
    (kept,) = tmp_path.iterdir()
    assert len(json.loads(kept.read_text())["runs"]) == 5
    assert campaign(HARTMANN, "spread", by_spreading, 12, 3, tmp_path).best == whole.best
    assert campaign(HARTMANN, "spread", by_spreading, 5, 3, tmp_path).best == whole.best[:5]
    assert list(np.maximum.accumulate(whole.best)) == list(whole.best)


def test_a_bench_without_the_peer_says_so(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("SEEDTRAIN_BOFIRE", "/nowhere/python")
    assert ran("bench", "experiments", "--seeds", 1, "--runs", 30, "--only", "hartmann", "--json") == 0
    rows = json.loads(capsys.readouterr().out)
    assert {row["peer_name"] for row in rows} == {"BoFire", "Sobol sequence"}
    assert all(row["peer"] is None and row["met"] is False and "cannot be run" in row["note"]
               for row in rows if row["peer_name"] == "BoFire")  # fmt: skip
    found, spread = rows[0]["ours"], rows[1]["peer"]
    assert spread < found < 3.33
    with pytest.raises(InputError, match="0 seeds"):
        bench_experiments(seeds=0)


def test_a_python_without_bofire_is_no_backend(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("SEEDTRAIN_BOFIRE", raising=False)
    with pytest.raises(UnavailableError, match="cannot be run"):
        Bofire("/nowhere/python")
    bare = tmp_path / "python"
    bare.write_text(f'#!/bin/sh\nexec {sys.executable} -S "$@"\n')
    bare.chmod(0o755)
    with pytest.raises(UnavailableError, match="No module named") as found:
        Bofire(str(bare))
    assert "bofire[optimization]" in (found.value.remedy or "")
    bare.write_text("#!/bin/sh\necho Loading environment\n")
    with pytest.raises(UnavailableError, match="no object of JSON: 'Loading environment'"):
        Bofire(str(bare))


@pytest.mark.slow
def test_bofire_chooses_where_it_is_installed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if not os.environ.get("SEEDTRAIN_BOFIRE"):
        pytest.skip("BoFire: set SEEDTRAIN_BOFIRE to a Python that has bofire[optimization]")
    study, sheet = written(tmp_path), tmp_path / "sheet.csv"
    assert ran("experiments", "design", study, "--runs", 8, "-o", sheet) == 0
    rows = list(csv.DictReader(sheet.read_text().splitlines()))
    for row in rows:
        titre = 5 - abs(float(row["temperature [degC]"]) - 32) / 3 + (row["inducer"] == "IPTG")
        row |= {"titre [g/L]": str(titre), "acetate [g/L]": str(float(row["feed [mL/h]"]) / 4)}
    with sheet.open("w") as stream:
        out = csv.DictWriter(stream, rows[0])
        out.writeheader()
        out.writerows(rows)
    capsys.readouterr()
    assert ran("experiments", "suggest", study, sheet, "--backend", "bofire", "-n", 2, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert len(found) == 2
    assert all(28 <= item["factors"]["temperature"] <= 37 and item["reason"].startswith("chosen by BoFire")
               for item in found)  # fmt: skip
    assert found[0]["factors"] != found[1]["factors"]
