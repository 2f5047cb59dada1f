"""The stage that holds bench against pilot, and the prediction against both.

With virtual runs the hidden truth is run a few times at the bench and in the pilot vessel, at the set points that were
chosen, and read off by the campaign's own assays; with one's own readings, the runs that they hold are compared.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from seedtrain.base import Progress, digest, finite, part
from seedtrain.base import translate as _
from seedtrain.comparison import (
    Compared,
    compare_runs,
    comparison_blocks,
    simulated_mark,
)
from seedtrain.development import Dataset, read_data
from seedtrain.program._campaign import Campaign
from seedtrain.program._compare_own import compare_own
from seedtrain.program._design_stages import DesignStages, Results
from seedtrain.program._directory import Program
from seedtrain.program._engine import Stage, StageOutput
from seedtrain.program._outlook_stages import OutlookStages
from seedtrain.program._virtual import mapping_text, readings_table
from seedtrain.recipe import MasterRecipe
from seedtrain.report import Page, render_html
from seedtrain.simulation import Culture, Run, Vessel, simulate

INOCULUM: Final = 0.05
"""Relative standard deviation of what virtual runs are inoculated with: no two are alike; assumed."""
SCALES: Final = ("bench", "pilot")


@dataclass(frozen=True)
class CompareStage:
    """Bench against pilot, and both against what was predicted of them."""

    program: Program
    design: DesignStages
    campaign: Campaign
    outlooks: OutlookStages

    def stage(self) -> Stage:
        """The stage."""
        return Stage("compare", self._inputs, self._work)

    def _inputs(self, results: Results) -> dict[str, Any]:
        names = (self.program.bench.name, self.program.pilot.name)
        return {
            "scales": [
                digest(results[stage].data[name]) for stage, name in zip(("bench", "scale"), names, strict=True)
            ],
            "campaign": results["campaign"].digest,
            "data": results["fit"].data["digest"],
            "choose": [results["choose"].data["settings"], results["choose"].key],
            "culture": self.design.culture(results).digest,
            "confirm": [self.campaign.entry.confirm, self.campaign.entry.margin],
            "assays": [[*vars(item).values()] for item in self.campaign.assays],
        }

    def _work(self, results: Results, progress: Progress) -> StageOutput:
        if self.campaign.virtual:
            return self._virtual(results, progress)
        if not self.campaign.entry.data:
            return StageOutput(_nothing("own fit"))
        found = compare_own(self.program, self.design, self.campaign, results, progress)
        if isinstance(found, str):
            return StageOutput(_nothing(found))
        output = self._told(found.found, {})
        return dataclasses.replace(output, data={**output.data, "own": "alike" if found.alike else "set apart"})

    # virtual runs

    def _virtual(self, results: Results, progress: Progress) -> StageOutput:
        kept: dict[str, bytes | str] = {}
        sets: list[tuple[str, str]] = []
        predicted: dict[str, Run] = {}
        for at, scale in enumerate(SCALES):
            report = part(progress, at / 4, (at + 1) / 4)
            name, vessel, recipe = self._where(results, scale)
            runs = self._confirmed(self.design.nature(results), vessel, recipe, scale, report)
            readings, mapping = f"{scale}.csv", f"{scale}.yaml"
            kept[readings] = readings_table(runs, self.campaign.assays, self.campaign.entry.seed)
            groups = dict.fromkeys(runs, (scale, name))
            kept[mapping] = mapping_text(f"{scale}, virtual", self.campaign.assays, groups, readings)
            told = simulate(self.design.culture(results), vessel, recipe, unit_procedure=recipe.production.name)
            predicted |= dict.fromkeys(runs, told)
            sets.append((mapping, readings))
        found = compare_runs(
            self._read(sets, kept), self._plan(), predicted=predicted, seed=self.program.seed,
            progress=part(progress, 0.5, 0.7),
        )  # fmt: skip
        output = self._told(found, kept)
        truth = self._truth(results, part(progress, 0.7, 1.0))
        return dataclasses.replace(output, data={**output.data, "truth": truth})

    def _where(self, results: Results, scale: str) -> tuple[str, Vessel, MasterRecipe]:
        vessel = self.program.bench if scale == "bench" else self.program.pilot
        found = self.design.scaled(results, vessel.name)
        return vessel.name, vessel, found.control.recipe

    def _confirmed(
        self, nature: Culture, vessel: Vessel, recipe: MasterRecipe, scale: str, progress: Progress
    ) -> dict[str, Run]:
        """Runs of the truth that differ in what they were inoculated with."""
        name = recipe.production.name
        middle = simulate(nature, vessel, recipe, unit_procedure=name)
        first = middle.at(nature.biomass, 0.0)
        rng = np.random.default_rng([self.campaign.entry.seed, int(digest(["confirm", scale])[:8], 16)])
        found = {}
        for number in range(self.campaign.entry.confirm):
            progress(number / self.campaign.entry.confirm, f"{vessel.name}: run {number + 1}")
            start = {nature.biomass: first * float(np.exp(INOCULUM * rng.standard_normal()))}
            found[f"{scale}-{number + 1}"] = simulate(nature, vessel, recipe, unit_procedure=name, initial=start)
        return found

    def _plan(self) -> str:
        """What is compared and which difference does not matter, said before the runs are read."""
        margin = self.campaign.entry.margin
        symbols = [item.symbol for item in self.campaign.assays]
        cells, product = _first(symbols, ("DCW", "X")), _first(symbols, ("P",))
        numbers = [f"  - {{symbol: {one}, take: end, margin: {margin}}}" for one in (product, cells) if one]
        told = [f"  - {{symbol: {one}, margin: {margin}}}" for one in (product, cells) if one]
        lines = ['comparison: "bench against pilot"', "by: scale", "reference: bench", "multivariate: false"]
        return "\n".join([*lines, "numbers:", *numbers, "predictions:", *told]) + "\n"

    def _read(self, sets: Sequence[tuple[str, str]], kept: Mapping[str, bytes | str]) -> list[Dataset]:
        """The tables as anybody would read them: through their mappings."""
        from tempfile import TemporaryDirectory

        with TemporaryDirectory(prefix="seedtrain-compare-") as folder:
            for name, text in kept.items():
                (Path(folder) / name).write_text(str(text), encoding="utf-8")
            return [read_data(Path(folder) / mapping) for mapping, _readings in sets]

    def _told(self, found: Compared, kept: Mapping[str, bytes | str]) -> StageOutput:
        page = Page(_("Bench against pilot"), comparison_blocks(found), mark=simulated_mark(found))
        data = {**finite(found.to_data()), "lines": [], "why": "", "truth": {}}
        return StageOutput(data, {**kept, "compare.html": render_html(page)})

    def _truth(self, results: Results, progress: Progress) -> dict[str, Any]:
        """What the plant would get of the hidden truth, run as the published and as the fitted culture say at the
        recipe's own set points, and as the fitted one says at the chosen ones. Nobody would know it outside a
        simulation, and nothing that is decided uses it."""
        nature, fitted, own = self.design.nature(results), self.design.culture(results), self.program.recipe
        cases = {"before": (self.design.literature(results), own), "own": (fitted, own)}
        cases["chosen"] = (fitted, self.design.recipe(results))
        found: dict[str, Any] = {}
        for at, (name, (culture, recipe)) in enumerate(cases.items()):
            if name == "chosen" and not results["choose"].data["settings"]:
                found[name] = found["own"]
                continue
            report = part(progress, at / len(cases), (at + 1) / len(cases))
            found[name] = self.outlooks.in_plant(culture, recipe, nature, report)
        return found


def _first(symbols: Sequence[str], wanted: Sequence[str]) -> str:
    return next((name for name in wanted if name in symbols), "")


def _nothing(why: str) -> dict[str, Any]:
    return {"verdict": "inconclusive", "criteria": [], "evidence": [why], "why": why, "simulated": [], "truth": {}}
