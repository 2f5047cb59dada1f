"""The stages of design: gene, verify, strain, bench, scale, economics."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from seedtrain.base import Progress, digest, part, silent
from seedtrain.bioinformatics import Gene, StrainLimits, design_gene, genbank, strain_limits
from seedtrain.development import (
    Economics,
    FactorTable,
    ScaleResult,
    cost_and_carbon,
    read_factors,
    result_from_data,
    result_to_data,
    scale,
)
from seedtrain.program._directory import Program
from seedtrain.program._engine import Stage, StageOutput, StageResult
from seedtrain.program._fitted import Fitted
from seedtrain.program._informed import informed_culture, truth_culture
from seedtrain.program._verify_stage import can_clone, construct_files, verify_stage
from seedtrain.quantity import Quantity
from seedtrain.recipe import ControlRecipe, MasterRecipe, SeedUnit, at_scale
from seedtrain.simulation import Culture, broth, product_quality, run_train, simulate, simulate_seed_train

Results = Mapping[str, StageResult]
MODEL: Final = "iJO1366"
KEEP: Final = "power_per_volume"
DRAWS: Final = 4000


@dataclass(frozen=True)
class DesignStages:
    """The design stages of one program, and what they found as the rooms' own types."""

    program: Program

    def stages(self) -> tuple[Stage, ...]:
        """In the order in which they run."""
        return (
            Stage("gene", self._gene_inputs, self._gene),
            verify_stage(),
            Stage("strain", self._strain_inputs, self._strain),
            Stage("bench", self._bench_inputs, self._bench),
            Stage("scale", self._scale_inputs, self._scale),
        )

    def economics_stage(self) -> Stage:
        """Cost and carbon, after the batch."""
        return Stage("economics", self._economics_inputs, self._economics)

    # gene

    def _gene_inputs(self, results: Results) -> dict[str, Any]:
        protein = self.program.protein
        return {"product": protein.to_data(), "host": self.program.need.entry.host, "cloned": can_clone()}

    def _gene(self, results: Results, progress: Progress) -> StageOutput:
        gene = design_gene(self.program.protein, self.program.need.entry.host, progress=part(progress, 0.0, 0.9))
        name = _file_name(gene.product.name)
        construct, files = construct_files(gene, f"{name}.plasmid", part(progress, 0.9, 1.0))
        data = {"gene": gene.to_data(), "protein": self.program.protein.to_data(), "construct": construct}
        return StageOutput(data, {f"{name}.gb": genbank(gene), **files})

    def gene(self, results: Results) -> Gene:
        """The designed gene."""
        return Gene.from_data(results["gene"].data["gene"])

    # strain

    def _strain_inputs(self, results: Results) -> dict[str, Any]:
        return {"product": self.program.protein.sequence, "model": MODEL}

    def _strain(self, results: Results, progress: Progress) -> StageOutput:
        return StageOutput(strain_limits(self.program.protein, MODEL, progress=progress).to_data())

    def strain(self, results: Results) -> StrainLimits:
        """What the strain can do at best."""
        return StrainLimits.from_data(results["strain"].data)

    # culture and recipe, as the data have them

    def culture(self, results: Results) -> Culture:
        """The recipe's culture making this product, with what was fitted where there is a fit."""
        culture = self.literature(results)
        return Fitted.from_data(results["fit"].data).culture(culture) if "fit" in results else culture

    def nature(self, results: Results) -> Culture:
        """What virtual vessels hold: the hidden truth of a virtual campaign, else the culture itself."""
        truth = results["campaign"].data["truth"] if "campaign" in results else {}
        return truth_culture(self.literature(results), truth) if truth else self.culture(results)

    def recipe(self, results: Results) -> MasterRecipe:
        """The user's recipe, at the set points that were chosen where any were."""
        settings = results["choose"].data["settings"] if "choose" in results else ()
        return with_settings(self.program.recipe, settings)

    def literature(self, results: Results) -> Culture:
        """The recipe's culture making this product, before any data."""
        return informed_culture(
            self.program.culture,
            self.program.protein,
            translation_factor=self.gene(results).translation_factor,
            Y_PS=self.strain(results).marginal.Y_PS,
        )

    # bench and scale

    def _bench_inputs(self, results: Results) -> dict[str, Any]:
        return {**self._process_inputs(results), "vessels": self._vessels([self.program.bench.name])}

    def _bench(self, results: Results, progress: Progress) -> StageOutput:
        return self._scaled([self.program.bench.name], results, progress)

    def _scale_inputs(self, results: Results) -> dict[str, Any]:
        names = [self.program.bench.name, *self._targets()]
        return {**self._process_inputs(results), "vessels": self._vessels(names), "bench": results["bench"].digest}

    def _scale(self, results: Results, progress: Progress) -> StageOutput:
        return self._scaled(self._targets(), results, progress)

    def _targets(self) -> list[str]:
        return [self.program.pilot.name, self.program.production.name]

    def _process_inputs(self, results: Results) -> dict[str, Any]:
        """All that the process follows from; of the control strategy the ranges alone, which bound the feed."""
        recipe = self.recipe(results)
        return {
            "ranges": [[line.at, line.parameter, str(line.range)] for line in recipe.control_strategy],
            "culture": self.culture(results).digest,
            "recipe": recipe.digest_of("basis", "materials", "procedure"),
            "molar_mass": self.program.protein.molar_mass,
            "keep": KEEP,
        }

    def _vessels(self, names: Sequence[str]) -> list[str]:
        """Digests of the vessels with their seed vessels."""
        vessels = self.program.plant.vessels
        wanted = dict.fromkeys(name for top in names for name in (*vessels[top].seeds, top))
        return [f"{name} {digest(repr(vessels[name]))}" for name in wanted]

    def scales(
        self, culture: Culture, recipe: MasterRecipe, targets: Sequence[str], progress: Progress = silent
    ) -> tuple[ScaleResult, ...]:
        """`recipe` with `culture` in some of the plant's vessels."""
        return scale(
            culture,
            self.program.plant.vessels,
            recipe,
            targets=targets,
            keep=KEEP,
            molar_mass=self.molar_mass,
            progress=progress,
        )

    @property
    def molar_mass(self) -> float:
        """Of the product, kDa."""
        return self.program.protein.molar_mass / 1000

    def in_nature(self, results: Results, result: ScaleResult) -> ScaleResult:
        """What the vessel of `result` does with its control recipe when it holds what nature made."""
        culture, vessels = self.nature(results), self.program.plant.vessels
        if culture.digest == self.culture(results).digest:
            return result
        seeds = simulate_seed_train(culture, vessels, result.control)
        recipe = result.control.recipe
        run = simulate(
            culture,
            result.vessel,
            recipe,
            unit_procedure=recipe.production.name,
            inoculum=seeds[-1] if seeds else None,
        )
        harvested = broth(run, culture)
        steps = run_train(recipe, harvested, molar_mass=self.molar_mass)
        return dataclasses.replace(
            result, seeds=seeds, production=run, broth=harvested, steps=steps, quality=product_quality(steps)
        )

    def _scaled(self, targets: Sequence[str], results: Results, progress: Progress) -> StageOutput:
        found = self.scales(self.culture(results), self.recipe(results), targets, progress)
        files: dict[str, bytes | str] = {}
        for result in found:
            self.require_product(result)
            files[f"{result.unit}.csv"] = result.production.to_csv()
            files[f"{result.unit}.recipe.yaml"] = result.control.recipe.to_yaml()
        return StageOutput({result.unit: result_to_data(result) for result in found}, files)

    def require_product(self, result: ScaleResult) -> None:
        """Refuse a process from which nothing comes: all that follows divides by the product."""
        if result.product > 0:
            return
        recipe = self.program.recipe
        raise recipe.error(
            recipe.production.name,
            "",
            f"no product leaves the process in {result.unit}: the titre is {result.titre:.3g} g/L",
            remedy="Induce the culture (`do: induce` with an inducer), and see the yields of the steps after it.",
        )

    def scaled(self, results: Results, name: str) -> ScaleResult:
        """The process in the vessel `name`."""
        stage = "bench" if name == self.program.bench.name else "scale"
        stored = result_from_data(results[stage].data[name], self.program.plant.vessels)
        return dataclasses.replace(stored, control=restated(self.recipe(results), stored))

    # economics

    def _economics_inputs(self, results: Results) -> dict[str, Any]:
        path = self.program.factors
        return {
            "scale": digest(results["scale"].data[self.program.production.name]),
            "factors": digest(path.read_text(encoding="utf-8")) if path else "shipped",
            "seed": self.program.seed,
        }

    def _economics(self, results: Results, progress: Progress) -> StageOutput:
        progress(0.1, "cost and carbon")
        found = self.economics(self.scaled(results, self.program.production.name), self.factors(), draws=DRAWS)
        return StageOutput(found.to_data())

    def factors(self) -> FactorTable:
        """Prices and emission factors: the shipped table with the user's own values."""
        return read_factors(self.program.factors)

    def economics(self, batch: ScaleResult, factors: FactorTable, *, draws: int) -> Economics:
        """Cost and carbon of one batch of the production vessel."""
        return cost_and_carbon(batch, factors, draws=draws, seed=self.program.seed)


def with_settings(recipe: MasterRecipe, settings: Sequence[Mapping[str, Any]]) -> MasterRecipe:
    """`recipe` at chosen set points; its file, for positions, stays the user's."""
    for item in settings:
        recipe = recipe.with_value(item["path"], item["parameter"], Quantity(item["after"], item["unit"]))
    return recipe


def restated(master: MasterRecipe, stored: ScaleResult) -> ControlRecipe:
    """The control recipe of `stored` with what the process does not follow from as `master` has it now: names, control
    strategy and specification, and the places of all in the user's own file."""
    control = stored.control
    seeds = {vessel.name for vessel in stored.seed_vessels}
    again = at_scale(
        master,
        unit=control.unit,
        volume=control.volume,
        seeds=[
            SeedUnit(procedure.unit, procedure.unit_class, control.volume)
            for procedure in control.recipe.unit_procedures
            if procedure.unit is not None and procedure.unit in seeds
        ],
    )
    recipe = dataclasses.replace(again.recipe, unit_procedures=control.recipe.unit_procedures)
    return dataclasses.replace(again, recipe=recipe, ratio=control.ratio)


def _file_name(product: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "-_." else "_" for letter in product) or "product"
