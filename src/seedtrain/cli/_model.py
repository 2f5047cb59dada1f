"""`seedtrain model`: models rendered as mathematics, written as SBML, and read from it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import App, Parameter

from seedtrain.base import EXIT_DONE, InputError, write_atomic
from seedtrain.cli._common import Common, print_json, shown_progress

if TYPE_CHECKING:
    from seedtrain.simulation import Culture, SbmlModel

app = App(name="model", help="Models as mathematics, and in and out of SBML.")
SBML_ENDINGS = (".xml", ".sbml")


@app.command
def render(
    model: str,
    *,
    to: Annotated[Literal["html", "latex", "pdf"], Parameter(help="What to write.")] = "html",
    output: Annotated[Path | None, Parameter(name=["--output", "-o"], help="The file; beside you by default.")] = None,
    common: Common | None = None,
) -> int:
    """Write a model's equations, units, parameters and sources as a page of mathematics.

    Example: seedtrain model render ecoli_balanced --to html -o model.html

    Parameters
    ----------
    model
        A shipped culture, a culture file (.yaml) or an SBML file (.xml).
    """
    options = common or Common()
    from seedtrain.simulation import to_html, to_latex, to_pdf

    found = _read(model)
    ending = {"html": ".html", "latex": ".tex", "pdf": ".pdf"}[to]
    path = output or Path(f"{Path(model).stem}{ending}")
    made: str | bytes
    if to == "pdf":
        made = to_pdf(found, options.lang)
    else:
        made = (to_html if to == "html" else to_latex)(found, options.lang)
    write_atomic(path, made)
    return _written(path, options)


@app.command
def export(
    culture: str,
    *,
    output: Annotated[Path | None, Parameter(name=["--output", "-o"], help="The file; beside you by default.")] = None,
    start: Annotated[tuple[str, ...], Parameter(help="SYMBOL=VALUE at the start, in its unit; else 0.")] = (),
    volume: Annotated[float, Parameter(help="L of broth at the start.")] = 1.0,
    hours: Annotated[float, Parameter(help="h of the batch.")] = 10.0,
    kla: Annotated[float, Parameter(help="1/h, where DOT is given at the start.")] = 0.0,
    common: Common | None = None,
) -> int:
    """Write a culture in a batch vessel as SBML Level 3 Version 2, checked with libsbml.

    With DOT (% of air saturation) among `--start` dissolved oxygen is a state; else it stays at saturation. Feeds and
    pulses go through `seedtrain.simulation.write_sbml`.

    Example: seedtrain model export ecoli_balanced --start X=0.1 --start S=10 --start DOT=98 --kla 300 -o batch.xml

    Parameters
    ----------
    culture
        A shipped culture or a culture file (.yaml).
    """
    options = common or Common()
    from seedtrain.simulation import PublishedPhase, read_culture, write_sbml

    found = read_culture(culture)
    path = output or Path(f"{Path(culture).stem}.xml")
    phase = PublishedPhase("batch", hours, kLa=kla)
    findings = write_sbml(found, path, initial=_given(start), phases=(phase,), volume=volume)
    warnings = [{"rule": item.rule, "line": item.line, "words": item.words} for item in findings]
    return _written(path, options, warnings=warnings)


@app.command(name="import")
def import_(
    file: Path,
    *,
    simulate: Annotated[bool, Parameter(negative="", help="Simulate the model.")] = False,
    until: Annotated[float, Parameter(help="Simulated time, in the model's unit.")] = 10.0,
    points: Annotated[int, Parameter(help="Stored points, both ends included.")] = 101,
    output: Annotated[Path | None, Parameter(name=["--output", "-o"], help="Write the trajectory as CSV.")] = None,
    start: Annotated[tuple[str, ...], Parameter(help="ID=VALUE at the start, in place of the file's.")] = (),
    integrator: Annotated[
        Literal["engine", "plain"], Parameter(help="Compiled, or scipy's for a quick look at a large model.")
    ] = "engine",
    common: Common | None = None,
) -> int:
    """Read a kinetic SBML model (Level 2 or 3 Core), say what it holds, and simulate it.

    Example: seedtrain model import model.xml --simulate --until 100 --points 501 -o run.csv
    """
    options = common or Common()
    from seedtrain.simulation import read_sbml, simulate_sbml

    if points < 2 or not 0 < until < float("inf"):
        raise InputError(
            f"--until {until:g} --points {points}", remedy="Ask for a time above 0 and two points or more."
        )
    model = read_sbml(file)
    if not simulate:
        if output is not None:
            raise InputError("-o writes a trajectory, and nothing is simulated", remedy="Add --simulate.")
        _summarise(model, options)
        return EXIT_DONE
    times = [until * at / (points - 1) for at in range(points)]
    with shown_progress(as_json=options.json) as progress:
        run = simulate_sbml(model, times, values=_given(start), integrator=integrator, progress=progress)
    if output is not None:
        write_atomic(output, run.to_csv())
    if options.json:
        print_json(run.to_data())
    elif output is not None:
        return _written(output, options)
    else:
        print(run.to_csv(), end="")
    return EXIT_DONE


def _read(model: str) -> Culture | SbmlModel:
    from seedtrain.simulation import read_culture, read_sbml

    return read_sbml(model) if model.lower().endswith(SBML_ENDINGS) else read_culture(model)


def _given(pairs: tuple[str, ...]) -> dict[str, float]:
    found = {}
    for pair in pairs:
        name, mark, text = pair.partition("=")
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not mark or not name.strip() or value != value:
            raise InputError(f"--start {pair}", remedy="Write SYMBOL=VALUE, such as X=0.1.")
        found[name.strip()] = value
    return found


def _summary(model: SbmlModel) -> dict[str, object]:
    quantities = model.quantities.values()
    return {
        "id": model.id,
        "name": model.name,
        "file": model.file,
        "level": model.level,
        "version": model.version,
        "time_unit": model.time_unit,
        "states": len(model.rates),
        "compartments": sum(item.kind == "compartment" for item in quantities),
        "species": sum(item.kind == "species" for item in quantities),
        "parameters": sum(item.kind in ("parameter", "local") for item in quantities),
        "rules": sum(item.role == "assigned" for item in quantities),
        "reactions": len(model.source.reactions),
        "events": len(model.events),
    }


def _summarise(model: SbmlModel, options: Common) -> None:
    found = _summary(model)
    if options.json:
        print_json(found)
        return
    from seedtrain.base import translate as _
    from seedtrain.base import use_language

    with use_language(options.lang):
        text = _(
            "{name}: SBML Level {level} Version {version}; {states} states, {compartments} compartments, {species} "
            "species, {parameters} parameters, {rules} rules, {reactions} reactions, {events} events"
        )
        print(text.format(**found))


def _written(path: Path, options: Common, **more: object) -> int:
    if options.json:
        print_json({"file": str(path), **more})
        return EXIT_DONE
    from seedtrain.base import translate as _
    from seedtrain.base import use_language

    with use_language(options.lang):
        print(_("written: {file}").format(file=path))
    return EXIT_DONE
