"""The stages that turn data into parameters: the campaign's runs, and the fit of the culture to them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from seedtrain.base import Progress, digest, digest_file, part
from seedtrain.base import translate as _
from seedtrain.development import (
    Dataset,
    Fit,
    MeasuredRun,
    culture_problem,
    culture_text,
    fit_blocks,
    fit_problem,
    fitted_culture,
    read_data,
    scatter_of,
)
from seedtrain.program._campaign import Campaign
from seedtrain.program._design_stages import DesignStages, Results
from seedtrain.program._directory import Program
from seedtrain.program._engine import Stage, StageOutput
from seedtrain.program._fitted import Fitted, fitted_of, read_fitted
from seedtrain.program._informed import truth_culture
from seedtrain.program._own_readings import own_data, own_settings
from seedtrain.program._virtual import (
    MAPPING,
    READINGS,
    SHEET,
    Floats,
    check_apart,
    designed,
    hidden_truth,
    mapping_text,
    readings_table,
    settings_table,
    virtual_runs,
)
from seedtrain.report import Page, render_html

UNFINISHED: Final = "fit.starts.json"
"""Where a killed fit goes on."""
STARTS: Final = 1
"""Searches beside the one from the published values; the ranges are narrow."""


@dataclass(frozen=True)
class CampaignStages:
    """The campaign and the fit of one program that has a campaign."""

    program: Program
    design: DesignStages
    campaign: Campaign

    def stages(self) -> tuple[Stage, ...]:
        """In the order in which they run."""
        return (Stage("campaign", self._campaign_inputs, self._campaign), Stage("fit", self._fit_inputs, self._fit))

    # campaign

    def _campaign_inputs(self, results: Results) -> dict[str, Any]:
        campaign, recipe = self.campaign, self.program.recipe
        own = [digest_file(campaign.folder / name) for name in (campaign.entry.sheet, campaign.entry.fitted) if name]
        if campaign.entry.data:
            own.append(own_data(campaign).digest)
        return {
            "campaign": campaign.to_data(),
            "own": own,
            "culture": self.design.literature(results).digest,
            "recipe": recipe.digest_of("basis", "materials", f"procedure/{recipe.production.name}"),
            "vessel": repr(self.program.bench),
        }

    def _campaign(self, results: Results, progress: Progress) -> StageOutput:
        if self.campaign.entry.fitted:
            return StageOutput({"simulated": False, "runs": {}, "factors": [], "truth": {}, "source": "own fit"})
        return self._virtual(results, progress) if self.campaign.virtual else self._own()

    def _virtual(self, results: Results, progress: Progress) -> StageOutput:
        campaign, bench = self.campaign, self.program.bench
        literature = self.design.literature(results)
        truth = hidden_truth(campaign, literature)
        culture = truth_culture(literature, truth)
        settings = designed(campaign)
        check_apart(campaign, settings)
        runs = virtual_runs(campaign, culture, bench, self.program.recipe, settings, progress=progress)
        names = list(runs)
        titre = {name: run.totals["titre"][0] for name, run in runs.items()}
        files = {
            READINGS: readings_table(runs, campaign.assays, campaign.entry.seed),
            SHEET: settings_table(campaign, names, settings),
            MAPPING: mapping_text(
                f"{campaign.entry.campaign}, simulated", campaign.assays, dict.fromkeys(names, ("bench", bench.name)),
                READINGS,
            ),
        }  # fmt: skip
        return StageOutput({**self._sheet(names, settings), "simulated": True, "truth": truth, "titre": titre,
                            "source": f"hidden truth of seed {campaign.entry.truth}"}, files)  # fmt: skip

    def _own(self) -> StageOutput:
        """One's own readings: what they are stays where it is, and what each run was set to is checked here."""
        campaign = self.campaign
        data = own_data(campaign)
        names, settings = own_settings(campaign, data, self.program.recipe)
        simulated = any(run.origin == "simulated" for run in data.runs.values())
        return StageOutput({**self._sheet(names, settings), "simulated": simulated, "truth": {}, "titre": {},
                            "source": f"{data.name}, {data.digest[:12]}"})  # fmt: skip

    def _sheet(self, names: list[str], settings: Floats) -> dict[str, Any]:
        return {
            "factors": [[item.label, item.unit] for item in self.campaign.factors],
            "runs": dict(zip(names, settings.tolist(), strict=True)),
        }

    # fit

    def _fit_inputs(self, results: Results) -> dict[str, Any]:
        return {
            "campaign": results["campaign"].key,
            "result": results["campaign"].digest,
            "fit": list(self.campaign.ranges),
            "text": digest(self._culture_text()),
        }

    def _fit(self, results: Results, progress: Progress) -> StageOutput:
        culture = self.design.literature(results)
        if self.campaign.entry.fitted:
            found, key = read_fitted(self.campaign.folder / self.campaign.entry.fitted, culture)
            return StageOutput({**found.to_data(), "scatter": 1.0, "simulated": False, "readings": 0, "objective": None,
                                "advice": [], "starts": [0, 0], "digest": key})  # fmt: skip
        runs, data = self._measured(results)
        ranges = self.campaign.ranges
        problem = culture_problem(
            culture, runs, list(ranges), observables=[item.symbol for item in self.campaign.assays],
            errors={item.symbol: item.model for item in self.campaign.assays}, bounds=ranges,
        )  # fmt: skip
        fit = fit_problem(
            problem, count=STARTS, seed=self.campaign.entry.seed, profiles=(), between="auto",
            keep=self.program.out / UNFINISHED, progress=part(progress, 0.0, 0.95),
        )  # fmt: skip
        (self.program.out / UNFINISHED).unlink(missing_ok=True)
        words = f"fitted to {problem.count} readings of {len(runs)} runs, data {data.digest[:12]}"
        words += ", simulated" if problem.simulated else ""
        told = fitted_of(fit, culture, words)
        return StageOutput(
            {**told.to_data(), "scatter": scatter_of(fit), "simulated": problem.simulated, "readings": problem.count,
             "objective": fit.best.objective, "advice": [item.to_data() for item in fit.advice],
             "between_runs": fit.between.to_data() if fit.between else None,
             "starts": [fit.reached, len(fit.starts)], "digest": data.digest},
            self._files(fit, told, words),
        )  # fmt: skip

    def _measured(self, results: Results) -> tuple[list[MeasuredRun], Dataset]:
        """The runs of the campaign as a fit takes them: readings, and the recipe as each was set."""
        stored = results["campaign"]
        entry = self.campaign.entry
        data = own_data(self.campaign) if entry.data else read_data(stored.folder / MAPPING)
        bench, recipe = self.program.bench, self.program.recipe
        return [
            MeasuredRun(
                name, data.runs[name], self.campaign.recipe(data.recipe_of(name, recipe), row), bench,
                initial=data.about[name].initial,
                feed_factor=data.about[name].feed_factor,
            )
            for name, row in stored.data["runs"].items()
        ], data  # fmt: skip

    def _files(self, fit: Fit, told: Fitted, words: str) -> dict[str, bytes | str]:
        """The report of the fit, and the culture's file with what was fitted."""
        culture = self.program.culture
        name = f"{culture.name}_fitted"
        mark = _("simulated") if fit.problem.simulated else ""
        page = Page(_("Fit of {name}").format(name=culture.name), fit_blocks(fit), mark=mark)
        text = fitted_culture(self._culture_text(), culture, told.values, words, name)
        return {"fit.html": render_html(page), "culture.yaml": text}

    def _culture_text(self) -> str:
        named = self.program.folder / self.program.recipe.culture
        return culture_text(named if named.is_file() else self.program.recipe.culture)
