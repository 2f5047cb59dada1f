"""`seedtrain experiments identify`: the runs and sampling times that tell most of a fit's parameters."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from seedtrain.base import EXIT_DONE, InputError, Position, finite
from seedtrain.base import translate as _
from seedtrain.cli._common import Common, print_json, shown_progress
from seedtrain.cli._measured import Asked, Measured, measured_culture, words

if TYPE_CHECKING:
    from seedtrain.development import Differing, MeasuredRun, NextRuns, Problem, RunBound, Vary

Texts = list[str] | None
_LIMIT = re.compile(r"\s*(\w+)\s*(<=|>=)\s*([-+]?\d+\.?\d*(?:[eE][-+]?\d+)?)\s*%?\s*")


def identify(
    fit: Path,
    *,
    vary: Annotated[
        Texts, Parameter(negative="", help="initial.S=2..40, feed_factor=0.7..1.3 or PATH:NAME=0.1..0.2; repeat it.")
    ] = None,
    limit: Annotated[Texts, Parameter(negative="", help="'DO_percent >= 20': the whole run holds it.")] = None,
    samples: Annotated[int, Parameter(help="Samples of each run.")] = 8,
    apart: Annotated[float | None, Parameter(help="h: least time between samples.")] = None,
    runs: Annotated[int, Parameter(help="Runs to plan.")] = 1,
    criterion: Annotated[
        Literal["D", "A", "E"], Parameter(help="D: volume, A: mean variance, E: roundness of what is left open.")
    ] = "D",
    aim: Annotated[str, Parameter(help="Parameters to be told, with commas; all.")] = "",
    measure: Annotated[str, Parameter(help="What a sample is read for, with commas; as in the fit.")] = "",
    like: Annotated[str, Parameter(help="The run whose settings hold where nothing varies; the first.")] = "",
    seed: Annotated[int, Parameter(help="Which settings are tried.")] = 0,
    output: Annotated[Path | None, Parameter(name=["--output", "-o"], help="Folder of sheet and report.")] = None,
    common: Common | None = None,
) -> int:
    """Which run, and when to sample it, would tell most about the parameters of a fit of one's own data.

    Settings are tried over what --vary allows and samples chosen along each run, from the exact sensitivities of the
    fitted model; the expected standard deviation of every parameter is told beside that of usual runs, and where the
    fit counts that runs differ its expected interval. -o gets next-runs.csv (to fill in, and to read with
    `data check`), next-runs.json and next-runs.html.

    Example: seedtrain experiments identify fitted/fit.json --vary initial.S=2..20 --samples 6 --apart 0.5 -o next

    Parameters
    ----------
    fit
        fit.json of `seedtrain fit RECIPE --data ... -o FOLDER`.
    """
    options = common or Common()
    from seedtrain.base import use_language

    for name, value in (("--samples", samples), ("--runs", runs)):
        if value < 1:
            raise InputError(f"{name} {value}", remedy="Give 1 or more.")
    if apart is not None and not apart >= 0:
        raise InputError(f"--apart {apart:g}", remedy="Give hours, 0 or more.")
    varied = [_vary(text) for text in vary or []]
    bounds = [_limit(text) for text in limit or []]
    with use_language(options.lang), shown_progress(as_json=options.json) as progress:
        from seedtrain.development import next_runs

        told = _told(fit)
        measured = _measured(fit, told, progress)
        problem, chosen = measured.problem, _like(measured, like)
        _known(chosen, measured, varied, bounds)
        rows = {row["name"]: row for row in told["parameters"]}
        x = problem.scaled({name: float(row["value"]) for name, row in rows.items()})
        opened = [name for name, row in rows.items() if row.get("interval", {}).get("open")]
        differing = _differing(fit, told, problem, x)
        found = next_runs(
            measured.culture, problem, x, chosen, measured.fit, _with_units(varied, chosen, measured),
            options={**measured.options, "per_run": words(measured.asked.per_run)},
            measure=words(measure) or measured.options["observables"], bounds=bounds, runs=runs, samples=samples,
            apart=apart, criterion=criterion, aims=words(aim), opened=opened, differing=differing,
            level=float(told["level"]), seed=seed, progress=progress,
        )  # fmt: skip
        written = _write(found, output, problem.name, problem.simulated) if output else []
    with use_language(options.lang):
        if options.json:
            print_json({**found.to_data(), "written": [str(path) for path in written]})
            return EXIT_DONE
        from seedtrain.development import next_lines

        for line in next_lines(found):
            print(line)
        for path in written:
            print(_("kept: {path}").format(path=path))
    return EXIT_DONE


def _told(path: Path) -> dict[str, Any]:
    from seedtrain.base import read_text

    try:
        told = json.loads(read_text(path, what="fit"))
        if not isinstance(told, dict) or "parameters" not in told:
            raise ValueError
    except ValueError:
        raise InputError(
            "this is no fit", position=Position(str(path)), remedy="Give fit.json of `seedtrain fit`."
        ) from None
    if "asked" not in told:
        raise InputError(
            "this fit does not say from which recipe and data it was made",
            position=Position(str(path)),
            remedy="Give one of `seedtrain fit RECIPE --data MAPPING -o FOLDER`, made with this version.",
        )
    return told


def _measured(path: Path, told: dict[str, Any], progress: Any) -> Measured:
    """The problem that the fit was of."""
    try:
        asked = Asked.from_data(told["asked"], path.parent)
    except (KeyError, TypeError):
        raise InputError("this is no fit", position=Position(str(path)), remedy="Fit again.") from None
    found = measured_culture(asked, progress)
    if found.key != told["asked"]["data_digest"]:
        raise InputError("the data changed since they were fitted", position=Position(str(path)), remedy="Fit again.")
    return found


def _differing(path: Path, told: dict[str, Any], problem: Problem, x: Any) -> Differing | None:
    """What the fit says of how its runs differ; fits of before that was asked say nothing."""
    from seedtrain.development import Differing

    if told.get("between_runs") is None:
        return None
    try:
        return Differing.from_data(problem, x, told["between_runs"])
    except (AttributeError, KeyError, TypeError, ValueError):
        words = "what this fit says of how runs differ cannot be read"
        raise InputError(words, position=Position(str(path)), remedy="Fit again.") from None


def _like(measured: Measured, name: str) -> MeasuredRun:
    for item in measured.runs:
        if item.name == name or not name:
            return item
    known = ", ".join(item.name for item in measured.runs)
    raise InputError(f"--like {name}: there is no such run", remedy=f"Use one of: {known}.")


def _known(like: MeasuredRun, measured: Measured, varied: list[Vary], bounds: list[RunBound]) -> None:
    """Everything that varies or limits is known; all faults at once."""
    from seedtrain.base import SeedtrainError, collect
    from seedtrain.recipe import levers

    settings = ["feed_factor", *(f"initial.{name}" for name in (*measured.culture.species, "NH", "I"))]
    settings += [f"{item.path}:{item.parameter}" for item in levers(like.recipe)]
    faults: list[SeedtrainError] = [
        InputError(f"--vary {item.name}: nothing of that name can be set", remedy=f"Use one of: {', '.join(settings)}.")
        for item in varied
        if item.name not in settings
    ]
    names = (
        *measured.culture.species,
        "DCW",
        "DO",
        "DO_percent",
        "C_CO2",
        "NH",
        "V",
        "OUR",
        "CER",
        "OTR",
        "mu",
        "cooling",
    )
    faults += [
        InputError(f"--limit {item.variable}: no run has it", remedy=f"Use one of: {', '.join(names)}.")
        for item in bounds
        if item.variable not in names
    ]
    collect(faults)


def _with_units(varied: list[Vary], like: MeasuredRun, measured: Measured) -> list[Vary]:
    import dataclasses

    from seedtrain.recipe import levers

    units = {f"{item.path}:{item.parameter}": item.quantity.unit for item in levers(like.recipe)}
    units |= {f"initial.{name}": item.unit for name, item in measured.culture.species.items()}
    units |= {"initial.NH": "mmol/L", "initial.I": "mmol/L"}
    return [dataclasses.replace(item, unit=units.get(item.name, "")) for item in varied]


def _write(found: NextRuns, output: Path, name: str, simulated: bool) -> list[Path]:
    from seedtrain.base import write_atomic, write_json
    from seedtrain.development import next_blocks, next_sheet
    from seedtrain.report import Page, render_html

    title = _("Next runs for {name}").format(name=name)
    page = Page(title, next_blocks(found), mark=_("simulated") if simulated else "", facts=[(_("model"), name)])
    write_atomic(output / "next-runs.csv", next_sheet(found))
    write_json(output / "next-runs.json", finite(found.to_data()))
    write_atomic(output / "next-runs.html", render_html(page))
    return [output / f"next-runs.{ending}" for ending in ("csv", "json", "html")]


def _vary(text: str) -> Vary:
    from seedtrain.development import Vary

    name, equals, numbers = text.rpartition("=")
    low, dots, high = numbers.partition("..")
    try:
        if equals and dots and name.strip() and float(low) < float(high):
            return Vary(name.strip(), float(low), float(high))
    except ValueError:
        pass
    raise InputError(f"--vary {text}", remedy="Write initial.S=2..40, in the value's own unit, the lower end first.")


def _limit(text: str) -> RunBound:
    from seedtrain.development import RunBound

    found = _LIMIT.fullmatch(text)
    if not found:
        raise InputError(f"--limit {text}", remedy="Write 'DO_percent >= 20' or 'A <= 2', in the run's unit.")
    value = float(found[3])
    return RunBound(found[1], *((-math.inf, value) if found[2] == "<=" else (value, math.inf)))
