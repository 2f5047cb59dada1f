"""Running a program: every stage whose inputs changed, then the dossier."""

from __future__ import annotations

import fcntl
import math
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from seedtrain.base import (
    InputError,
    Position,
    Progress,
    UnavailableError,
    digest,
    language,
    part,
    silent,
    write_atomic,
    write_json,
)
from seedtrain.base import translate as _
from seedtrain.program._batch_stage import BatchStage
from seedtrain.program._campaign_stages import CampaignStages
from seedtrain.program._compare_stage import CompareStage
from seedtrain.program._design_stages import DesignStages
from seedtrain.program._directory import Program, read_program
from seedtrain.program._dossier_words import rounded
from seedtrain.program._engine import Stage, StageOutput, StageResult, run_stage
from seedtrain.program._gap_stage import GapStage
from seedtrain.program._history import remember
from seedtrain.program._outlook_stages import OutlookStages
from seedtrain.quality import verdict_words
from seedtrain.quantity import number_text
from seedtrain.record import open_ledger

SHARES: Final = {
    "gene": 0.15,
    "verify": 0.02,
    "strain": 0.16,
    "campaign": 0.03,
    "before": 0.08,
    "fit": 0.2,
    "choose": 0.15,
    "bench": 0.02,
    "scale": 0.05,
    "batch": 0.05,
    "economics": 0.02,
    "compare": 0.08,
    "gap": 0.41,
    "dossier": 0.12,
}
"""What each stage costs beside the others, for the progress bar."""


GAP_KEYS: Final = ("attribute", "words", "state", "priority", "prediction", "probability", "batch")


@dataclass(frozen=True)
class Outcome:
    """What a run of a program left.

    - `digest`: of the dossier's content; the same for the same inputs, killed on the way or not.
    - `changed`: what is other than at the results before these; None for the first.
    """

    program: Program
    results: Mapping[str, StageResult]
    dossier: Path
    digest: str
    changed: Mapping[str, Any] | None = None

    def to_data(self) -> dict[str, Any]:
        """JSON-ready."""
        batch = self.results["batch"].data
        return {
            "dossier": str(self.dossier),
            "pdf": str(self.dossier.with_suffix(".pdf")),
            "digest": self.digest,
            "stages": [
                {"stage": name, "ran": result.ran, "key": result.key, "result": result.digest}
                for name, result in self.results.items()
            ],
            "batch": batch["batch"],
            "decision": batch["decision"],
            "simulated": True,
            "gap": [{key: row.get(key) for key in GAP_KEYS} for row in self.results["gap"].data["criteria"]],
            "changed": self.changed,
            **({"campaign": self._campaign()} if "campaign" in self.results else {}),
        }

    def _campaign(self) -> dict[str, Any]:
        """What the campaign's data did to the gap."""
        before, choose = self.results["before"].data, self.results["choose"].data
        looks = {"before": before, "fitted": choose["own"], "chosen": choose["chosen"]}
        return {
            "runs": len(self.results["campaign"].data["runs"]),
            "simulated": self.results["campaign"].data["simulated"],
            "shortfall": {name: item["shortfall"] for name, item in looks.items()},
            "probability": {
                name: {row["attribute"]: row["probability"] for row in item["criteria"]} for name, item in looks.items()
            },
            "shrinks": choose["shrinks"],
            "since": choose["since"],
            "settings": choose["settings"],
            "compare": self.results["compare"].data["verdict"],
        }

    def summary(self) -> str:
        """A few lines for people, in the language in use."""
        lines = [self.program.need.entry.title, _("simulated batch, not for use"), ""]
        for row in self.results["gap"].data["criteria"]:
            state = {"met": _("met"), "missed": _("missed"), "unknown": _("unknown")}[row["state"]]
            lines.append(f"  {state:<8} {row['words']:<34} {_found(row, self.program.pilot.name)}")
        ran = [name for name, result in self.results.items() if result.ran]
        decision = {"released": _("released"), "rejected": _("rejected"), "on_hold": _("on hold")}
        batch = self.results["batch"].data
        lines += [
            *self._campaign_lines(),
            *self._changed_lines(),
            "",
            _("batch {batch}: {decision}").format(batch=batch["batch"], decision=decision[batch["decision"]]),
            _("stages run now: {stages}").format(stages=", ".join(ran) or _("none, nothing changed")),
            _("dossier: {path}").format(path=self.dossier),
            _("printed: {path}").format(path=self.dossier.with_suffix(".pdf")),
        ]
        return "\n".join(lines)

    def _changed_lines(self) -> list[str]:
        """What is other than at the results before these."""
        if not self.changed or not self.changed["stages"]:
            return []
        moved = []
        for item in self.changed["criteria"]:
            old, new = (_was(row) for row in (item["before"], item["now"]))
            if old != new:
                moved.append(f"  {item['now']['attribute']}: {old} -> {new}")
        text = _("since the last run other results of: {stages}")
        return ["", text.format(stages=", ".join(self.changed["stages"])), *moved]

    def _campaign_lines(self) -> list[str]:
        if "campaign" not in self.results:
            return []
        told = self._campaign()
        short = {name: f"{100 * math.expm1(item['value']):.3g} %" for name, item in told["shortfall"].items()}
        words = _("campaign of {runs} simulated runs") if told["simulated"] else _("campaign of {runs} runs")
        words = words if told["runs"] else _("fit of one's own")
        gap = _("mean distance from the limits {before} before the data, {fitted} fitted, {chosen} as chosen")
        lines = ["", f"{words.format(runs=told['runs'])}: {gap.format(**short)}"]
        if told["settings"]:
            text = _("the gap shrinks by the choice with a probability of {probability}")
            lines.append(text.format(probability=f"{100 * told['shrinks']:.0f} %"))
        grown = told["shortfall"]["chosen"]["value"] > told["shortfall"]["before"]["value"]
        text = _("the gap is smaller than it was thought to be before the data with a probability of {probability}")
        if grown:
            text = _("the data showed a larger gap; it is smaller than before them with a probability of {probability}")
        lines.append(text.format(probability=f"{100 * told['since']:.0f} %"))
        text = _("bench against pilot: {verdict}")
        return [*lines, text.format(verdict=verdict_words(told["compare"]))]


def _found(row: Mapping[str, Any], pilot: str) -> str:
    parts = []
    if row["prediction"]:
        found = row["prediction"]
        text = f"{_short(found['value'])} {row['unit']}"
        if found["low"] is not None:
            text += f" ({_short(found['low'])} .. {_short(found['high'])})"
        if row.get("probability") is not None:
            text += ", " + _("met with {probability}").format(probability=f"{100 * row['probability']:.0f} %")
        parts.append(_("predicted {value}").format(value=text))
    if row["batch"] and row["prediction"]:
        parts.append(_("batch in {unit} {value}").format(unit=pilot, value=rounded(row["batch"]["value"], 3)))
    elif row["batch"]:
        parts.append(row["batch"]["value"])
    return "; ".join(parts)


def _was(row: Mapping[str, Any] | None) -> str:
    """A criterion's state and predicted value in a few words."""
    if row is None:
        return "-"
    state = {"met": _("met"), "missed": _("missed"), "unknown": _("unknown")}[row["state"]]
    return state if row["value"] is None else f"{state}, {_short(row['value'])} {row['unit']}"


def _short(value: float) -> str:
    return number_text(float(f"{value:.3g}"))


def run_program(folder: Path, *, seed: int = 1, progress: Progress = silent) -> Outcome:
    """Run every stage of the program in `folder` whose inputs changed, and write the dossier to `folder/out`.

    Finished stages are kept whatever happens later; a killed run goes on. Raises the typed failures of the rooms.
    """
    program = read_program(folder, seed=seed)
    with _locked(program.out):
        design = DesignStages(program)
        batch = BatchStage(program, design)
        stages = program_stages(program, design, batch)
        results: dict[str, StageResult] = {}
        share = _share_of_dossier(stages)
        for stage, report in _shared(stages, part(progress, 0.0, 1.0 - share)):
            results[stage.name] = run_stage(stage, results, program.out / "stages", report)
        write_json(program.out / "gap.json", results["gap"].data)
        content = dossier_content(results)
        changed = remember(program.out, results)
        dossier = Stage(
            "dossier",
            lambda done: {
                "content": digest(content), "record": batch.seal(done["batch"]), "changed": changed, **_shown(program)
            },
            _dossier_work(program, design, batch, changed),
        )  # fmt: skip
        report = part(progress, 1.0 - share, 1.0)
        results["dossier"] = run_stage(dossier, results, program.out / "stages", report)
        for name in ("dossier.html", "dossier.pdf"):
            write_atomic(program.out / name, (results["dossier"].folder / name).read_bytes())
        progress(1.0, "dossier")
    digest_of = str(results["dossier"].data["digest"])
    return Outcome(program, results, program.out / "dossier.html", digest_of, changed)


def program_stages(program: Program, design: DesignStages, batch: BatchStage) -> tuple[Stage, ...]:
    """Every stage before the dossier, in the order in which they run; those of the campaign where there is one."""
    first, second = design.stages()[:3], design.stages()[3:]
    campaign = program.campaign
    gap = GapStage(program, design, campaign.costs if campaign else {})
    if campaign is None:
        return (*first, *second, batch.stage(), design.economics_stage(), gap.stage())
    looked = OutlookStages(program, design, campaign, gap.criteria())
    runs, fit = CampaignStages(program, design, campaign).stages()
    compare = CompareStage(program, design, campaign, looked)
    learnt = (runs, looked.before(), fit, looked.chosen())
    return (*first, *learnt, *second, batch.stage(), design.economics_stage(), compare.stage(), gap.stage())


def _share_of_dossier(stages: tuple[Stage, ...]) -> float:
    return SHARES["dossier"] / (SHARES["dossier"] + sum(SHARES[stage.name] for stage in stages))


def _shown(program: Program) -> dict[str, Any]:
    """What the dossier shows beside its content, so that it never cites an old title or line."""
    recipe = program.recipe
    return {
        "need": program.need.document.data,
        "recipe": recipe.digest,
        "lines": [line.position.line for line in recipe.control_strategy],
        "language": language(),
    }


def dossier_content(results: Mapping[str, StageResult]) -> dict[str, Any]:
    """What the dossier says, without what another run of the same inputs would have otherwise: recorded times, nonces,
    signatures, chain hashes, event numbers, opaque ids, the batch's number."""
    return {
        name: result.data["content"] if name == "batch" else result.data
        for name, result in results.items()
        if name != "dossier"
    }


def _dossier_work(
    program: Program, design: DesignStages, batch: BatchStage, changed: Mapping[str, Any] | None
) -> Callable[[Mapping[str, StageResult], Progress], StageOutput]:
    def work(results: Mapping[str, StageResult], progress: Progress) -> StageOutput:
        from seedtrain.program._dossier import dossier_page
        from seedtrain.report import render_html, render_pdf

        progress(0.0, "dossier: page")
        with open_ledger(batch.ledger_path, create=False, read_only=True) as ledger:
            page = dossier_page(program, design, results, ledger, changed)
        progress(0.3, "dossier: HTML")
        html = render_html(page)
        progress(0.6, "dossier: PDF")
        pdf = render_pdf(page)
        return StageOutput({"digest": digest(dossier_content(results))}, {"dossier.html": html, "dossier.pdf": pdf})

    return work


def _shared(stages: tuple[Stage, ...], progress: Progress) -> Iterator[tuple[Stage, Progress]]:
    start, whole = 0.0, sum(SHARES[stage.name] for stage in stages)
    for stage in stages:
        end = start + SHARES[stage.name] / whole
        progress(start, stage.name)
        yield stage, _named(stage.name, part(progress, start, end))
        start = end


def _named(name: str, progress: Progress) -> Progress:
    return lambda done, words: progress(done, f"{name}: {words}" if words != name else name)


@contextmanager
def _locked(out: Path) -> Iterator[None]:
    """One run at a time in a folder; the lock goes with the process, however it ends."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        handle = os.open(out / ".lock", os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise UnavailableError(
            f"the results cannot be written: {error.strerror}",
            position=Position(str(out)),
            remedy="Make the folder writable, or free space.",
        ) from error
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise InputError(
                "another run works in this folder", position=Position(str(out)), remedy="Wait until it has ended."
            ) from None
        yield
    finally:
        os.close(handle)
