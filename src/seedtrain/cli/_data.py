"""`seedtrain data`: one's own tables from bench and pilot."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from seedtrain.base import EXIT_DONE, InputError, SeedtrainError
from seedtrain.base import translate as _
from seedtrain.cli._common import Common, print_json, shown_progress

if TYPE_CHECKING:
    from collections.abc import Sequence

    from seedtrain.development import Dataset, Finding

GUESSED = ("unit guessed", "run guessed", "began guessed", "not understood", "not read")
"""Remarks of a drafted mapping that a person has to look at."""
MOST_FINDINGS = 10
"""Findings of one kind and symbol on the screen: beyond it a sensor is noisy, or a rule does not suit it."""
MOST_ALIKE = 6
"""Lines of one remark on the screen; the draft has them all."""
app = App(name="data", help="One's own tables from bench and pilot.")


@app.command
def check(
    files: list[Path],
    *,
    draft: Annotated[Path | None, Parameter(help="Write a mapping of the tables here, to be corrected.")] = None,
    instrument: Annotated[
        str,
        Parameter(help="Whose exports: biolector, pioreactor, asm or a name of allotropy; else as they begin."),
    ] = "",
    culture: Annotated[str, Parameter(help="The culture whose species the tables hold, for the carbon balance.")] = "",
    csv: Annotated[Path | None, Parameter(help="Write each run as it was read into this folder, as CSV.")] = None,
    common: Common | None = None,
) -> int:
    """Read tables as runs, and report gaps, outliers, slips of units and what does not add up; nothing is changed.

    With a mapping (.yaml), its tables in its units. With tables (.csv, .tsv, .xlsx, .parquet), plates, and
    exports of BioLector, Pioreactor or Allotrope Simple Model (.json), what their headers tell: --draft keeps that as a
    mapping, for a person to correct. docs/reference/data.md has every key.

    Example: seedtrain data check bench.csv assays.xlsx --draft mapping.yaml

    Example: seedtrain data check lab/bench --draft lab/bench/mapping.yaml

    Example: seedtrain data check mapping.yaml

    Example: seedtrain data check kinetic.txt --instrument AGILENT_GEN5 --draft mapping.yaml

    Parameters
    ----------
    files
        One mapping, or tables that lie side by side, or the folder of them.
    """
    options = common or Common()
    from seedtrain.base import use_language, write_atomic
    from seedtrain.development import check_files, read_data, tables_of_folder

    if len(files) == 1 and files[0].is_dir():
        files, others = tables_of_folder(files[0])
        _tell_others(others, options.lang)
    mappings = [path for path in files if path.suffix in (".yaml", ".yml")]
    if mappings and (len(files) > 1 or draft is not None or instrument or culture):
        raise InputError(
            "a mapping stands with other files, --draft, --instrument or --culture",
            remedy="Give the mapping alone, or tables.",
        )
    with use_language(options.lang):
        text = ""
        if mappings:
            found = read_data(mappings[0])
        else:
            try:
                found, text = check_files(files, instrument=instrument, culture=culture)
            except SeedtrainError:
                _keep_despite(draft, files, instrument, culture)
                raise
            if draft is not None:
                _keep(draft, text, files)
        if csv is not None:
            for name, run in found.runs.items():
                write_atomic(csv / f"{_plain(name)}.csv", run.to_csv())
        if options.json:
            print_json({**found.to_data(), "draft": text or None})
        else:
            _tell(found, draft, drafted=text)
    return EXIT_DONE


@app.command
def example(
    recipe: Path,
    *,
    output: Annotated[Path, Parameter(name=["--output", "-o"], help="A new folder for the tables.")],
    unit: Annotated[str | None, Parameter(help="A unit of plant.yaml; the recipe's own by default.")] = None,
    runs: Annotated[int, Parameter(help="How many.")] = 4,
    true: Annotated[
        list[str] | None, Parameter(negative="", help="q_S_max=0.7, in the culture's unit; repeat it.")
    ] = None,
    plant: Annotated[Path | None, Parameter(help="The plant file; plant.yaml beside the recipe by default.")] = None,
    seed: Annotated[int, Parameter(help="Which scatter.")] = 0,
    common: Common | None = None,
) -> int:
    """Tables as a laboratory has them, simulated, to try the commands on before one's own.

    Runs of the recipe's culture with scatter, with other values of its parameters where --true gives them: what a fit
    should find. Samples, sensors, events, spectra, and a table of the runs; each says that it is simulated.

    Example: seedtrain data example examples/collagen/recipe.yaml --runs 6 --true q_S_max=0.75 -o lab/bench

    Parameters
    ----------
    recipe
        The recipe that the runs follow.
    """
    options = common or Common()
    from seedtrain.base import Position, use_language, write_atomic
    from seedtrain.program import laboratory

    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise InputError("the folder is not empty", position=Position(str(output)), remedy="Name a new folder.")
    with use_language(options.lang):
        with shown_progress(as_json=options.json) as progress:
            files = laboratory(
                recipe, unit=unit, count=runs, values=_true(true or []), plant=plant, seed=seed, progress=progress
            )
        for name, text in files.items():
            write_atomic(output / name, text)
        if options.json:
            print_json({"simulated": True, "files": [str(output / name) for name in files]})
            return EXIT_DONE
        print(_("{runs} runs, simulated").format(runs=runs))
        for name in files:
            print(_("kept: {path}").format(path=output / name))
    return EXIT_DONE


def _true(texts: list[str]) -> dict[str, float]:
    found = {}
    for text in texts:
        name, _sign, value = text.partition("=")
        try:
            found[name.strip()] = float(value)
        except ValueError:
            raise InputError(f"--true {text!r}", remedy="Write q_S_max=0.7, a number in the culture's unit.") from None
    return found


def _tell_others(others: Sequence[Path], lang: str) -> None:
    """On the other stream, so that what machines read stays whole."""
    from seedtrain.base import use_language

    with use_language(lang):
        for path in others:
            print(_("{path}: no table, left out").format(path=path), file=sys.stderr)


def _keep_despite(draft: Path | None, files: list[Path], instrument: str, culture: str) -> None:
    """The draft where its tables cannot be read with it: a guess that was wrong is corrected there, or nowhere."""
    from seedtrain.development import draft_mapping

    if draft is None or draft.exists() or any(path.parent != files[0].parent for path in files):
        return
    name = files[0].parent.resolve().name or "my data"
    try:
        text = draft_mapping(files, name=name, instrument=instrument, culture=culture)
    except (SeedtrainError, OSError):
        return  # a table that cannot be opened is what the first error tells
    _keep(draft, text, files)
    words = _("the draft is kept in {path}: correct it, or the tables, and check it alone")
    print(words.format(path=draft), file=sys.stderr)


def _keep(draft: Path, text: str, files: list[Path]) -> None:
    from seedtrain.base import Position, write_atomic

    if draft.exists():
        raise InputError("the file exists", position=Position(str(draft)), remedy="Choose another name for the draft.")
    if draft.resolve().parent != files[0].resolve().parent:
        raise InputError(
            "a mapping stands beside its tables",
            position=Position(str(draft)),
            remedy=f"Put it into {files[0].parent}.",
        )
    write_atomic(draft, text)


def _tell(found: Dataset, draft: Path | None, *, drafted: str) -> None:
    print(_("{name}: {runs} runs, {readings} readings").format(
        name=found.name, runs=len(found.runs), readings=found.readings
    ))  # fmt: skip
    for name, run in found.runs.items():
        symbols = ", ".join(f"{symbol} [{item.unit}]" for symbol, item in run.variables.items())
        print(f"  {name}: {float(run.time[-1]):.4g} h, {symbols}")
        if run.events:
            print("    " + _("events: {count}").format(count=len(run.events)))
        for balance in run.balances:
            print("    " + _("balance {name}").format(name=balance.name) + f" {100 * balance.relative:+.1f} %")
        if found.features.get(name):
            print("    " + _("further features: {count}").format(count=len(found.features[name])))
    for table in found.spectra:
        told = _("{name}: {count} spectra, {channels} channels")
        print(f"  {told.format(name=table.name, count=len(table.run), channels=len(table.channels))}")
    _tell_findings(found.findings)
    print(_("{count} findings; nothing was changed").format(count=len(found.findings)))
    if drafted:
        for line in _to_look_at(drafted):
            print(f"  {line}")
        if draft:
            print(_("units and columns were guessed from the headers; the draft is kept in {path}").format(path=draft))
        else:
            print(_("units and columns were guessed from the headers; --draft mapping.yaml keeps the draft"))


def _tell_findings(findings: Sequence[Finding]) -> None:
    """Each finding with its place and remedy; of many of one kind and symbol the first few, and how many more."""
    told: dict[tuple[str, str], int] = {}
    held: dict[str, int] = {}
    for alike in _alike(findings):
        item = alike[0]
        key = (item.kind, item.symbol)
        told[key] = told.get(key, 0) + 1
        if told[key] > MOST_FINDINGS:
            held[item.symbol] = held.get(item.symbol, 0) + len(alike)
            continue
        place = f"{item.position.file}:{item.position.line}: " if item.position else ""
        more = _(" ({count} more like it)").format(count=len(alike) - 1) if len(alike) > 1 else ""
        print(f"{place}{item.run} {item.symbol}: {item.words}{more}\n  {item.remedy}")
    for symbol, count in held.items():
        print(f"{symbol}: " + _("{count} more of this kind; --json has them all").format(count=count))


def _to_look_at(drafted: str) -> list[str]:
    """The lines of a draft that a person has to look at; of many of one kind the first few, and how many more."""
    found = []
    lines = [line.strip().removeprefix("- ") for line in dict.fromkeys(drafted.splitlines())]
    for mark in GUESSED:
        mine = [line for line in lines if f"# {mark}" in line]
        shown = mine if len(mine) <= MOST_ALIKE else mine[: MOST_ALIKE - 1]
        more = _(" ({count} more like it)").format(count=len(mine) - len(shown)) if len(shown) < len(mine) else ""
        found += [*shown[:-1], *(line + more for line in shown[-1:])]
    return found


def _alike(findings: Sequence[Finding]) -> list[list[Finding]]:
    """Findings in their order, those of one kind, symbol and words together: one limit stands in many rows."""
    groups: dict[tuple[str, str, str], list[Finding]] = {}
    for item in findings:
        groups.setdefault((item.kind, item.symbol, item.words), []).append(item)
    return list(groups.values())


def _plain(name: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "-_." else "_" for letter in name).lstrip(".") or "run"
