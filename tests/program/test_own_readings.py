"""A campaign of one's own readings: refused before any stage runs, fitted, and compared by what each run was set to."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seedtrain.base import InputError, silent
from seedtrain.development import (
    ErrorModel,
    MeasuredRun,
    culture_problem,
    fit_problem,
    read_data,
    run_information,
    scatter_of,
    scatter_words,
)
from seedtrain.program._campaign_stages import CampaignStages
from seedtrain.program._compare_own import OwnComparison, compare_own
from seedtrain.program._design_stages import Results
from seedtrain.program._directory import Program, read_program
from seedtrain.program._dossier_campaign import _since_words
from seedtrain.program._engine import StageResult
from seedtrain.program._fitted import fitted_of, read_fitted
from seedtrain.program._own_readings import own_settings
from seedtrain.program._virtual import Floats, designed, readings_table, virtual_runs
from seedtrain.simulation import Culture, Run, simulate
from tests.program.test_campaign import SMALL, Published, bench, campaign, culture, recipe
from tests.worked import COLLAGEN

START = 0.15
TRUTH = {"q_S_max": 0.66, "Y_em": 0.50, "q_P_max": 0.021}
RATE, FEED = "production/growth/fed-batch:growth_rate", "production/induction/express:rate"


class Known(Published):
    """The culture of the truth, as if it had been fitted."""

    def culture(self, results: Results) -> Culture:
        return truth()


def truth() -> Culture:
    found: Culture = culture().with_parameters(TRUTH)
    return found


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Floats:
    return designed(campaign(tmp_path_factory.mktemp("design")))


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory, settings: Floats) -> dict[str, Run]:
    return virtual_runs(campaign(tmp_path_factory.mktemp("runs")), truth(), bench(), recipe(), settings)


@pytest.fixture(scope="module")
def pilot(tmp_path_factory: pytest.TempPathFactory) -> list[Run]:
    """Three runs of the truth in the pilot vessel, as the recipe is scaled to it."""
    program = read_program(COLLAGEN)
    (scaled,) = Known(program).scales(truth(), program.recipe, [program.pilot.name])
    name = program.recipe.production.name
    there = scaled.control.recipe
    return [simulate(truth(), program.pilot, there, unit_procedure=name, initial={"X": START}) for _ in range(4)]


def own(folder: Path, runs: dict[str, Run], settings: Floats, *, set_in: str = "mapping", vessel: str = "BENCH-1L",
        text: str = SMALL, more: dict[str, tuple[Run, str]] | None = None) -> Path:  # fmt: skip
    """The worked example with bench runs of one's own, and `more` of another scale."""
    for path in COLLAGEN.iterdir():
        if path.is_file():
            shutil.copy(path, folder)
    small = campaign(folder)
    whole = runs | {name: run for name, (run, _scale) in (more or {}).items()}
    (folder / "readings.csv").write_text(readings_table(whole, small.assays, 1, simulated=False))
    columns = [f'{{column: "{a.symbol} [{a.unit}]", symbol: {a.symbol}, unit: "{a.unit}"}}' for a in small.assays]
    lines = ["data: own", "tables:", "  - file: readings.csv", "    run: run"]
    lines += [
        '    time: {column: "time [h]", unit: h}',
        "    columns:",
        *(f"      - {text}" for text in columns),
        "runs:",
    ]
    for name, row in zip(runs, settings.tolist(), strict=True):
        told = f', set: {{"{RATE}": {row[0]} 1/h, "{FEED}": {row[1]} mL/h}}' if set_in == "mapping" else ""
        lines.append(f"  {name}: {{scale: bench, vessel: {vessel}{told}}}")
    for name, (_run, scale) in (more or {}).items():
        lines.append(f"  {name}: {{scale: {scale}, vessel: PILOT-200, initial: {{X: {START}}}}}")
    (folder / "mapping.yaml").write_text("\n".join(lines) + "\n")
    if set_in == "sheet":
        rows = [f"{name};{24 * row[0]:.6f};{row[1]}".replace(".", ",") for name, row in
                zip(runs, settings.tolist(), strict=True)]  # fmt: skip
        (folder / "runs.csv").write_text("\n".join([f"run;{RATE} [1/d];{FEED} [mL/h]", *rows]) + "\n")
    (folder / "campaign.yaml").write_text(text + "data: mapping.yaml\n" + ("sheet: runs.csv\n" * (set_in == "sheet")))
    return folder


@pytest.mark.parametrize("set_in", ["mapping", "sheet"])
def test_what_runs_were_set_to_stands_in_the_mapping_or_in_a_table_with_commas_and_another_unit(
    tmp_path: Path, runs: dict[str, Run], settings: Floats, set_in: str
) -> None:
    program = read_program(own(tmp_path, runs, settings, set_in=set_in))
    assert program.campaign is not None
    output = CampaignStages(program, Published(program), program.campaign).stages()[0].work({}, silent)
    assert output.data["simulated"] is False
    assert np.array(list(output.data["runs"].values())) == pytest.approx(settings, rel=1e-5)


def test_readings_that_the_campaign_cannot_use_are_refused_before_any_stage(
    tmp_path: Path, runs: dict[str, Run], settings: Floats
) -> None:
    faults: dict[str, dict[str, Any]] = {
        "no bench run of mapping.yaml has readings of A": {"text": SMALL.replace("{symbol: S,", "{symbol: A,")},
        "ran in PILOT-200; the bench vessel is BENCH-1L": {"vessel": "PILOT-200"},
        "there is no phase|no phase": {"set_in": "mapping", "old": "fed-batch", "new": "fedbatch"},
        "the runs do not vary": {"old": ", set:", "new": "}\n# {"},
    }
    for number, (words, change) in enumerate(faults.items()):
        folder = tmp_path / str(number)
        folder.mkdir()
        old, new = change.pop("old", ""), change.pop("new", "")
        own(folder, runs, settings, **change)
        if old:
            path = folder / "mapping.yaml"
            path.write_text(path.read_text().replace(old, new))
        with pytest.raises(InputError, match=words) as refused:
            read_program(folder)
        assert refused.value.remedy
        assert not (folder / "out").exists()


def results(program: Program, runs: dict[str, Run], settings: Floats) -> Results:
    data = {"runs": dict(zip(runs, settings.tolist(), strict=True)), "truth": {}}
    return {"campaign": StageResult("campaign", "key", data, program.folder, "digest", ran=True)}


def compared(folder: Path, runs: dict[str, Run], settings: Floats, more: dict[str, tuple[Run, str]]) -> OwnComparison:
    program = read_program(own(folder, runs, settings, more=more))
    assert program.campaign is not None
    found = compare_own(program, Known(program), program.campaign, results(program, runs, settings), silent)
    assert isinstance(found, OwnComparison)
    return found


def with_product(run: Run, part: float) -> Run:
    """A run of which as much less product was read."""
    product = dataclasses.replace(run.variables["P"], values=part * run["P"])
    return dataclasses.replace(run, variables={**run.variables, "P": product})


def test_runs_set_otherwise_than_the_pilots_are_held_against_their_own_prediction_alone(
    tmp_path: Path, runs: dict[str, Run], settings: Floats, pilot: list[Run]
) -> None:
    """The prediction is the truth's, so that both scales agree with it; a pilot that makes half fails, and by name."""
    (tmp_path / "right").mkdir()
    found = compared(tmp_path / "right", runs, settings, {f"P{at}": (run, "pilot") for at, run in enumerate(pilot)})
    assert not found.alike
    assert {item.verdict for item in found.found.verdict.criteria} == {"pass"}, found.found.verdict
    names = {item.name for item in found.found.verdict.criteria}
    assert names == {f"{symbol} predicted: {scale}" for symbol in ("P", "DCW") for scale in ("bench", "pilot")}
    assert not found.found.simulated
    json.dumps(found.found.to_data(), default=str)
    half = [with_product(run, 0.5) for run in pilot]
    (tmp_path / "half").mkdir()
    wrong = compared(tmp_path / "half", runs, settings, {f"P{at}": (run, "pilot") for at, run in enumerate(half)})
    failed = [item.name for item in wrong.found.verdict.criteria if item.verdict == "fail"]
    assert failed == ["P predicted: pilot"]


def test_readings_of_one_scale_are_not_compared(tmp_path: Path, runs: dict[str, Run], settings: Floats) -> None:
    program = read_program(own(tmp_path, runs, settings))
    assert program.campaign is not None
    found = compare_own(program, Known(program), program.campaign, results(program, runs, settings), silent)
    assert found == "one scale"


def test_readings_that_scatter_more_than_their_errors_say_widen_what_the_fit_leaves(
    tmp_path: Path, runs: dict[str, Run], settings: Floats
) -> None:
    """Errors told half as large as they are: four times the variance, twice the width (Birge 1932)."""
    program = read_program(own(tmp_path, runs, settings))
    assert program.campaign is not None
    data, small = read_data(tmp_path / "mapping.yaml"), program.campaign
    measured = [MeasuredRun(name, data.runs[name], small.recipe(recipe(), row), bench())
                for name, row in zip(runs, settings.tolist(), strict=True)]  # fmt: skip
    errors = {a.symbol: ErrorModel(a.model.kind, 0.5 * a.error) for a in small.assays}
    problem = culture_problem(
        culture(), measured, list(small.ranges), observables=list(errors), errors=errors, bounds=small.ranges
    )
    wrong = fit_problem(problem, count=0, profiles=())
    right = dataclasses.replace(wrong, best=dataclasses.replace(wrong.best, sigma=2.0 * wrong.best.sigma))
    assert scatter_of(right) == 1.0
    assert scatter_words(right) == ""
    assert float(scatter_words(wrong).partition("they lie ")[2].split()[0]) == pytest.approx(2.0, rel=0.2)
    assert scatter_of(wrong) == pytest.approx(4.0, rel=0.35)
    bare = wrong.intervals["q_S_max"]
    left = fitted_of(wrong, culture(), "")
    name, told = next(iter(run_information(wrong).items()))
    assert left.information[name] == pytest.approx(told / scatter_of(wrong))  # further runs scatter as these do
    low, high = left.intervals[0]
    assert low is not None
    assert high is not None
    assert bare.low is not None
    assert bare.high is not None
    assert (high - low) / (bare.high - bare.low) == pytest.approx(scatter_of(wrong) ** 0.5, rel=1e-6)


def test_a_fit_with_the_draws_of_its_posterior_keeps_what_varies_together(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    drawn = np.exp(rng.multivariate_normal([np.log(0.66), np.log(0.50)], [[4e-4, 3e-4], [3e-4, 4e-4]], 1000))
    rows = [
        {"name": "q_S_max", "value": 0.66, "unit": "g/g/h", "scale": "lin", "low": 0.4, "high": 1.4},
        {"name": "Y_em", "value": 0.5, "unit": "g/g", "scale": "lin", "low": 0.4, "high": 0.55},
    ]
    posterior = {"mixed": True, "draws": 1000}
    (tmp_path / "fit.json").write_text(json.dumps({"level": 0.5, "parameters": rows, "posterior": posterior}))
    table = ["q_S_max,Y_em,negative_log_posterior", *(f"{one:.6g},{other:.6g},1" for one, other in drawn.tolist())]
    (tmp_path / "draws.csv").write_text("\n".join(table) + "\n")
    found, _key = read_fitted(tmp_path / "fit.json", culture())
    assert found.covariance == pytest.approx(np.array([[4e-4, 3e-4], [3e-4, 4e-4]]), rel=0.15)
    (tmp_path / "draws.csv").write_text("\n".join(table[:-1]) + "\n")
    with pytest.raises(InputError, match="not the draws of the fit"):
        read_fitted(tmp_path / "fit.json", culture())


@pytest.mark.parametrize(("before", "after", "words"), [
    (0.40, 0.20, "make the gap smaller than it was thought to be, with a probability of 90 %"),
    (0.20, 0.40, "The gap is larger than it was thought to be before the data"),
    (0.20, 0.2005, "as large as it was thought to be"),
])  # fmt: skip
def test_the_dossier_never_says_that_a_gap_shrank_which_grew(before: float, after: float, words: str) -> None:
    said = _since_words({"shortfall": {"value": before}}, {"shortfall": {"value": after}}, 0.9)
    assert words in said
    assert ("smaller than it was thought" in said) == (after < before)


def test_a_mapping_without_bench_runs_is_refused(tmp_path: Path, runs: dict[str, Run], settings: Floats) -> None:
    program = read_program(own(tmp_path, runs, settings))
    assert program.campaign is not None
    data = read_data(tmp_path / "mapping.yaml")
    about = {name: item.model_copy(update={"scale": "pilot"}) for name, item in data.about.items()}
    with pytest.raises(InputError, match="no run is of scale bench"):
        own_settings(program.campaign, dataclasses.replace(data, about=about), program.recipe)
