"""A plan carried out on one's own runs: one verdict from everything that it asks."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seedtrain.base import InputError, Progress, digest, load, parse_document, silent, use_language, validate
from seedtrain.comparison._judge_predictions import judge_predictions
from seedtrain.comparison._judge_series import Number, judge_numbers, judge_profiles, judge_sensors
from seedtrain.comparison._judge_spectra import Calibration, judge_spectra
from seedtrain.comparison._judge_whole import judge_whole
from seedtrain.comparison._judged import Judged
from seedtrain.comparison._members import Setting, check, grouped, members_of
from seedtrain.comparison._multivariate import Multivariate
from seedtrain.comparison._plan import By, PlanEntry, draft_plan
from seedtrain.comparison._predicted import Bound, Errors
from seedtrain.comparison._profiles import Profiles
from seedtrain.comparison._reconcile import Reconciled
from seedtrain.development import Dataset
from seedtrain.quality import Verdict
from seedtrain.simulation import Run


@dataclass(frozen=True)
class Compared:
    """Everything that a plan asked, answered; `groups`: run names by group, the reference first.

    - `judged`: each criterion, which reads in the language in use; `verdict` holds the same in English, for machines.
    - `fitted_to`: data sets that the predicting culture was fitted to.
    """

    plan: PlanEntry
    groups: Mapping[str, tuple[str, ...]]
    numbers: tuple[Number, ...]
    profiles: tuple[tuple[str, Profiles], ...]
    sensors: tuple[Reconciled, ...]
    spectra: tuple[Calibration, ...]
    rows: tuple[tuple[str, Multivariate], ...]
    errors: tuple[Errors, ...]
    bounds: tuple[Bound, ...]
    judged: tuple[Judged, ...]
    verdict: Verdict
    simulated: tuple[str, ...]
    digest: str
    fitted_to: tuple[str, ...] = ()

    def to_data(self) -> dict[str, Any]:
        """JSON-ready: the verdict's keys, and the figures beneath."""
        return {
            **self.verdict.to_data(), "comparison": self.plan.comparison, "digest": self.digest,
            "groups": {name: list(runs) for name, runs in self.groups.items()}, "simulated": list(self.simulated),
            "numbers": [{"name": n.name, "unit": n.unit, "group": n.group, "values": dict(n.values), **n.test.to_data()}
                        for n in self.numbers],
            "profiles": [{"group": group, **item.to_data()} for group, item in self.profiles],
            "sensors": [item.to_data() for item in self.sensors],
            "spectra": [item.to_data() for made in self.spectra for item in made.items],
            "multivariate": [{"group": group, **item.to_data()} for group, item in self.rows],
            "errors": [item.to_data() for item in self.errors],
            "bounds": [item.to_data() for item in self.bounds], "fitted_to": list(self.fitted_to),
        }  # fmt: skip


def compare_runs(
    datasets: Sequence[Dataset],
    plan: Path | str,
    *,
    predicted: Mapping[str, Run] | None = None,
    fitted_to: Sequence[str] = (),
    seed: int = 0,
    progress: Progress = silent,
) -> Compared:
    """What `plan` (a file, or the text of one) asks of the runs of `datasets`.

    - `predicted`: what was predicted of each run, by its name; `fitted_to`: names of the data sets that the predicting
      culture was fitted to, whose errors are then told to be those of a fit.

    Raises `InputErrors` with places for what the plan names and no run has; a group with too few runs is an
    inconclusive criterion, with the reason.
    """
    if seed < 0:
        raise InputError(f"the seed is {seed}", remedy="Give 0 or more.")
    if isinstance(plan, Path):
        entry, document = load(plan, PlanEntry, what="plan")
        folder = plan.parent
    else:
        document, folder = parse_document(plan, "drafted plan"), Path()
        entry = validate(document, PlanEntry)
    members = members_of(datasets, entry.by)
    groups = grouped(entry, document, members)
    setting = Setting(entry, document, folder, datasets, members, groups, seed, progress)
    key = digest(["seedtrain comparison 1", "\n".join(document.lines), *(data.digest for data in datasets)])
    check(setting, predicted=bool(predicted))
    return dataclasses.replace(_compared(setting, predicted or {}, key), fitted_to=tuple(fitted_to))


def _compared(setting: Setting, predicted: Mapping[str, Run], key: str) -> Compared:
    """Every part of the plan, in the order in which its criteria are told."""
    numbers = list(judge_numbers(setting))
    shapes = list(judge_profiles(setting))
    sensors = list(judge_sensors(setting))
    spectra = list(judge_spectra(setting))
    rows = list(judge_whole(setting, [number for number, _ in numbers])) if setting.plan.multivariate else []
    errors, bounded, of_errors = judge_predictions(setting, predicted)
    judged = [
        *(item for _, item in numbers),
        *(item for *_, item in shapes),
        *(item for _, item in sensors),
        *(item for _, items in spectra for item in items),
        *(item for *_, item in rows),
        *of_errors,
    ]
    return Compared(
        plan=setting.plan,
        groups={name: tuple(item.name for item in group) for name, group in setting.groups.items()},
        numbers=tuple(number for number, _ in numbers),
        profiles=tuple((group, shape) for group, shape, _ in shapes),
        sensors=tuple(item for item, _ in sensors),
        spectra=tuple(item for item, _ in spectra),
        rows=tuple((group, item) for group, item, _ in rows),
        errors=errors,
        bounds=bounded,
        judged=tuple(judged),
        verdict=_verdict(judged, setting.seed),
        simulated=tuple(item.name for item in setting.members if item.run.origin == "simulated"),
        digest=key,
    )


def _verdict(judged: Sequence[Judged], seed: int) -> Verdict:
    """One verdict, in English whatever the language in use: what machines read does not change with `--lang`."""
    with use_language("en"):
        evidence = [text for text in (item.evidence() for item in judged) if text]
        return Verdict.of([item.criterion() for item in judged], evidence, {"comparison": "1"}, seed)


def drafted(datasets: Sequence[Dataset], *, by: By = "scale", reference: str = "") -> str:
    """A plan of everything that the runs share; the reference is the largest group if none is named."""
    members = members_of(datasets, by)
    counts: dict[str, int] = {}
    for item in members:
        counts[item.group] = counts.get(item.group, 0) + 1
    if reference and reference not in counts:
        raise InputError(f"there is no {by} {reference!r}", remedy=f"Use one of: {', '.join(counts)}.")
    return draft_plan(datasets, by=by, reference=reference or max(counts, key=lambda name: counts[name]))
