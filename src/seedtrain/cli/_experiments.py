"""`seedtrain experiments`: which runs to make next, and what they told."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import App, Parameter

from seedtrain.base import EXIT_DONE, InputError, Position
from seedtrain.base import translate as _
from seedtrain.cli._common import Common, print_json, shown_progress
from seedtrain.cli._identify import identify

if TYPE_CHECKING:
    from seedtrain.development import Analysis, Experiment, SheetRow, Suggestion

app = App(name="experiments", help="Design experiments, choose the next runs, and read what they told.")
app.command(identify)
Kind = Literal[
    "factorial", "fractional", "plackett-burman", "central-composite", "box-behnken", "d-optimal", "i-optimal",
    "simplex-lattice", "simplex-centroid", "space-filling",
]  # fmt: skip
Terms = Literal["linear", "interactions", "quadratic"]


@Parameter(name="*")
@dataclass(frozen=True)
class Layout:
    """How a design becomes a sheet."""

    replicates: Annotated[int, Parameter(help="How often each run is made.")] = 1
    blocks: Annotated[int, Parameter(help="Days, reactors or plates that the runs are shared between.")] = 1
    plate: Annotated[int, Parameter(help="Wells of a plate that the runs are laid out on: 6 to 384.")] = 0
    ordered: Annotated[bool, Parameter(negative="", help="Keep the design's order instead of a random one.")] = False


@app.command
def design(
    study: Path,
    *,
    kind: Annotated[Kind, Parameter(help="Which design.")] = "space-filling",
    runs: Annotated[int, Parameter(help="Of optimal and space-filling designs.")] = 0,
    terms: Annotated[Terms, Parameter(help="What an optimal design is to tell.")] = "quadratic",
    resolution: Annotated[int, Parameter(help="Of a fraction: 3, 4 or 5.")] = 4,
    levels: Annotated[int, Parameter(help="Of each range in a factorial; degree of a simplex lattice.")] = 2,
    centre: Annotated[int, Parameter(help="Runs in the middle of all ranges.")] = 0,
    layout: Layout | None = None,
    seed: Annotated[int, Parameter(help="Of the random order, and of drawn designs.")] = 0,
    output: Annotated[Path | None, Parameter(name=["--output", "-o"], help="Write the sheet (CSV) here.")] = None,
    common: Common | None = None,
) -> int:
    """A sheet of runs in random order, with empty columns for the results; docs/reference/experiments.md has all keys.

    Example: seedtrain experiments design study.yaml --kind d-optimal --runs 16 -o sheet.csv

    Parameters
    ----------
    study
        The study file: factors, limits between them, responses.
    """
    options, placed = common or Common(), layout or Layout()
    from seedtrain.base import use_language
    from seedtrain.development import design as designed
    from seedtrain.development import read_experiment, rows_of

    _refuse_existing(output)
    with use_language(options.lang):
        given = read_experiment(study)
        points = designed(
            given, kind, runs=runs, terms=terms, resolution=resolution, centre=centre, levels=levels, seed=seed
        )
        rows = rows_of(given, points, blocks=placed.blocks, replicates=placed.replicates, plate=placed.plate,
                       seed=None if placed.ordered else seed)  # fmt: skip
        _tell_design(given, kind, rows, output, as_json=options.json)
    return EXIT_DONE


def _tell_design(
    given: Experiment, kind: Kind, rows: tuple[SheetRow, ...], output: Path | None, *, as_json: bool
) -> None:
    """Keep the sheet, and say which models its runs can tell."""
    from seedtrain.development import design_facts, sheet_text

    facts = {name: design_facts(given, rows, name) for name in ("linear", "interactions", "quadratic")}
    text = sheet_text(given, rows)
    _keep(output, text)
    if as_json:
        print_json({"study": given.name, "digest": given.key, "kind": kind, "models": facts,
                    "runs": [{"run": row.number, **row.values} for row in rows]})  # fmt: skip
        return
    if output is None:
        print(text, end="")
        return
    print(_("{runs} runs of {study}").format(runs=len(rows), study=given.name))
    for name, found in facts.items():
        words = _("cannot be told by these runs")
        if found:
            words = _("{terms} terms, D-efficiency {efficiency} %, largest variance inflation {inflation}").format(
                terms=found["terms"],
                efficiency=f"{found['D-efficiency']:.0f}",
                inflation=f"{found['inflation']:.3g}",
            )
        print(f"  {_model_words(name)}: {words}")
    print(_("kept: {path}").format(path=output))


@Parameter(name="*")
@dataclass(frozen=True)
class Model:
    """A process model that says what to expect."""

    recipe: Annotated[
        Path | None, Parameter(help="A recipe whose model says what to expect (factors name its values).")
    ] = None
    fit: Annotated[Path | None, Parameter(help="The fit.json whose values the culture takes, for --recipe.")] = None
    at: Annotated[str | None, Parameter(help="The vessel of the runs, for --recipe; the recipe's own if left out.")] = (
        None
    )
    culture: Annotated[str | None, Parameter(help="A shipped culture's name or a culture file, for --recipe.")] = None
    plant: Annotated[Path | None, Parameter(help="The plant file; plant.yaml beside the recipe by default.")] = None


@Parameter(name="*")
@dataclass(frozen=True)
class Backend:
    """Who chooses."""

    backend: Annotated[Literal["seedtrain", "bofire"], Parameter(help="Who chooses the runs.")] = "seedtrain"
    peer_python: Annotated[
        str | None, Parameter(help="A Python that has BoFire; SEEDTRAIN_BOFIRE, or this one, if left out.")
    ] = None


@app.command
def suggest(
    study: Path,
    sheet: Path | None = None,
    *,
    count: Annotated[int, Parameter(name=["--count", "-n"], help="Runs to suggest.")] = 1,
    model: Model | None = None,
    chooser: Backend | None = None,
    seed: Annotated[int, Parameter(help="Which values are drawn.")] = 0,
    plate: Annotated[int, Parameter(help="Wells of a plate that the runs are laid out on: 6 to 384.")] = 0,
    append: Annotated[bool, Parameter(negative="", help="Add the runs to the sheet, their results empty.")] = False,
    common: Common | None = None,
) -> int:
    """The next runs, chosen by the results so far: Bayesian optimisation with limits, noise, batches and several goals.

    Fill in the results, ask again. Rows without results count as under way. With --recipe the process model of a recipe
    (with --fit as its data left it) says what to expect before there are runs, and the results correct it.

    Example: seedtrain experiments suggest study.yaml sheet.csv --count 4 --append

    Parameters
    ----------
    study
        The study file: factors, limits between them, responses.
    sheet
        The sheet with the results so far; none yet if left out.
    """
    options, told, who = common or Common(), model or Model(), chooser or Backend()
    from seedtrain.base import use_language, write_atomic
    from seedtrain.development import appended_text, read_experiment, read_rows, rows_of, sheet_text

    _check_suggest(sheet, told, who, append=append)
    with use_language(options.lang):
        given = read_experiment(study)
        known = read_rows(given, sheet) if sheet is not None and (sheet.exists() or not append) else ()
        found = _suggested(given, known, count, told, who, seed, as_json=options.json)
        import numpy as np

        first = max((row.number for row in known), default=0) + 1
        points = np.array([item.point for item in found])
        taken = sum(bool(row.well) for row in known)
        rows = rows_of(given, points, reasons=[item.reason for item in found], first=first, plate=plate, taken=taken,
                       seed=None)  # fmt: skip
        if append and sheet is not None:
            write_atomic(sheet, appended_text(given, sheet, rows) if sheet.exists() else sheet_text(given, rows))
        _tell_suggested(given, rows, found, sheet if append else None, as_json=options.json)
    return EXIT_DONE


def _check_suggest(sheet: Path | None, told: Model, who: Backend, *, append: bool) -> None:
    """Refuse options that do not go together, before anything is simulated."""
    for name, value in (("--culture", told.culture), ("--fit", told.fit)):
        if value is not None and told.recipe is None:
            raise InputError(f"{name} without --recipe", remedy="Give the recipe that the runs follow.")
    if who.backend == "bofire" and told.recipe is not None:
        raise InputError("--recipe with --backend bofire, which takes no model", remedy="Leave one of them out.")
    if append and sheet is None:
        raise InputError("--append without a sheet", remedy="Name the sheet that the runs are added to.")
    if append and sheet is not None and sheet.suffix.lower() not in (".csv", ".tsv", ".txt"):
        raise InputError("--append to a sheet that is no text", position=Position(str(sheet)),
                         remedy="Save it as CSV, or enter the suggested runs by hand.")  # fmt: skip


def _suggested(
    given: Experiment, known: tuple[SheetRow, ...], count: int, told: Model, who: Backend, seed: int, *, as_json: bool
) -> tuple[Suggestion, ...]:
    """The next runs, by whoever chooses."""
    from seedtrain.development import Bofire
    from seedtrain.development import suggest as suggested

    with shown_progress(as_json=as_json) as progress:
        if who.backend == "bofire":
            with Bofire(who.peer_python) as peer:
                return suggested(given, known, count, backend=peer, seed=seed, progress=progress)
        prior = None
        if told.recipe is not None:
            from seedtrain.program import recipe_prior

            prior = recipe_prior(told.recipe, given, at=told.at, plant=told.plant, culture=told.culture, fit=told.fit,
                                 seed=seed, progress=progress)  # fmt: skip
        return suggested(given, known, count, prior=prior, seed=seed, progress=progress)


def _tell_suggested(
    given: Experiment, rows: tuple[SheetRow, ...], found: tuple[Suggestion, ...], kept: Path | None, *, as_json: bool
) -> None:
    if as_json:
        print_json([{"run": row.number, "factors": row.values, "reason": item.reason,
                     "expected": {name: list(pair) for name, pair in item.expected.items()},
                     **({"well": row.well} if row.well else {})}
                    for row, item in zip(rows, found, strict=True)])  # fmt: skip
        return
    units = {item.name: f" {item.unit}" if item.unit else "" for item in given.factors}
    for row in rows:
        values = ", ".join(f"{name} {value:g}{units[name]}" if isinstance(value, float) else f"{name} {value}"
                           for name, value in row.values.items())  # fmt: skip
        print(_("run {number}: {values}").format(number=row.number, values=values) + f"\n  {row.reason}")
    if kept is not None:
        print(_("kept: {path}").format(path=kept))


@app.command
def analyse(
    study: Path,
    sheet: Path,
    *,
    terms: Annotated[Terms, Parameter(help="The model.")] = "quadratic",
    output: Annotated[Path | None, Parameter(name=["--output", "-o"], help="Write report and plots here.")] = None,
    common: Common | None = None,
) -> int:
    """Effects of the factors on each response with intervals, how well new runs are predicted, lack of fit.

    Example: seedtrain experiments analyse study.yaml sheet.csv --terms interactions -o report

    Parameters
    ----------
    study
        The study file.
    sheet
        The sheet with results.
    """
    options = common or Common()
    from seedtrain.base import use_language
    from seedtrain.development import analysis_lines, read_experiment, read_rows

    with use_language(options.lang):
        given = read_experiment(study)
        rows = read_rows(given, sheet)
        found = _analysed(given, rows, terms)
        written = _report(given, rows, found, output) if output else []
        if options.json:
            print_json([item.to_data() for item in found])
            return EXIT_DONE
        for told in found:
            for line in analysis_lines(told):
                print(line)
        for path in written:
            print(_("kept: {path}").format(path=path))
    return EXIT_DONE


def _analysed(given: Experiment, rows: tuple[SheetRow, ...], terms: Terms) -> list[Analysis]:
    """Every response that the runs tell something of; what is wrong with the others goes to standard error."""
    from seedtrain.base import SeedtrainError, collect
    from seedtrain.development import analyse as analysed

    found: list[Analysis] = []
    faults: list[SeedtrainError] = []
    for item in given.responses:
        try:
            found.append(analysed(given, rows, item.name, terms))
        except InputError as error:
            faults.append(error)
    if not found:
        collect(faults)
    for fault in faults:  # one response without readings is no reason to keep the others back
        print(f"{fault.message}\n  remedy: {fault.remedy}", file=sys.stderr)
    return found


def _report(given: Experiment, rows: tuple[SheetRow, ...], found: list[Analysis], output: Path) -> list[Path]:
    from seedtrain.base import write_atomic
    from seedtrain.development import analysis_blocks, analysis_figures, figures_as_svg, progress_figure
    from seedtrain.report import Figure, Page, render_html

    blocks = list(analysis_blocks(found))
    plots = dict(analysis_figures(found))
    course = progress_figure(given, rows)
    if course is not None:
        blocks.insert(0, Figure(course, course.alt))
        plots["progress"] = course
    page = Page(_("Experiments: {name}").format(name=given.name), blocks, facts=[(_("digest"), given.key[:16])])
    files = {"experiments.html": render_html(page), **figures_as_svg(plots)}
    for name, content in files.items():
        write_atomic(output / name, content)
    return [output / name for name in files]


def _model_words(terms: str) -> str:
    return {
        "linear": _("main effects"), "interactions": _("with interactions"), "quadratic": _("with squares"),
    }[terms]  # fmt: skip


def _refuse_existing(output: Path | None) -> None:
    if output is not None and output.exists():
        raise InputError("the file exists", position=Position(str(output)),
                         remedy="Choose another name: a sheet may hold results.")  # fmt: skip


def _keep(output: Path | None, text: str) -> None:
    from seedtrain.base import write_atomic

    if output is not None:
        write_atomic(output, text)
