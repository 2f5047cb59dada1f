"""`seedtrain compile`: a genome-scale model as a certified table of regions, kept in the cache."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeVar

from cyclopts import Parameter

from seedtrain.base import InputError, SeedtrainError
from seedtrain.base import translate as _
from seedtrain.cli._common import Common, print_json, shown_progress

if TYPE_CHECKING:
    from seedtrain.simulation import CompiledMetabolism, TableCertificate

Item = TypeVar("Item")

EXPLORED: Final = 200
"""Random points of the box at which a lazy table is filled."""
NOTABLE: Final = 1e-6
"""1/h: growth at a point where a demand is not met, from which on it is told; mmol/gDW/h: a flux that is shown."""
MASS_TOLERANCE: Final = 0.05
"""g: how far one unit of growth may be from one gram before it is told."""


def compile_model(
    model: str,
    *,
    bound: Annotated[
        list[str] | None, Parameter(negative="", help="EX_glc__D_e=0..12 (uptake), ATPM>=1..8 (demand); repeat it.")
    ] = None,
    output: Annotated[list[str] | None, Parameter(negative="", help="A by-product to report; repeat it.")] = None,
    knock_out: Annotated[list[str] | None, Parameter(negative="", help="A gene or a reaction; repeat it.")] = None,
    drain: Annotated[
        list[str] | None, Parameter(negative="", help="A way out, 'out: succ_c + 2 h_c -> co2_c'; repeat it.")
    ] = None,
    limit: Annotated[
        list[str] | None, Parameter(negative="", help="Bounds that stand still, EX_etoh_e=0..5; repeat it.")
    ] = None,
    objective: Annotated[str, Parameter(help="The growth reaction, where the model names none.")] = "",
    at: Annotated[
        list[str] | None, Parameter(negative="", help="Show what the cells do at EX_glc__D_e=10; repeat it.")
    ] = None,
    culture: Annotated[Path | None, Parameter(help="Write a culture file, with assumed kinetics to edit.")] = None,
    lazy: Annotated[bool, Parameter(negative="", help="Find regions as they are met; nothing is certified.")] = False,
    fresh: Annotated[bool, Parameter(negative="", help="Compile although a table is cached.")] = False,
    common: Common | None = None,
) -> int:
    """Compile a genome-scale metabolic model: its growth and exchanges as uptake and demand bounds move.

    Without --bound: glucose, oxygen, acetate and ammonium uptake and ATP maintenance, by their BiGG names. Above six
    bounds the regions are found as they are met. A bound that --at leaves out is at its best.

    Example: seedtrain compile iJO1366 --bound "EX_glc__D_e=0..12" --bound "EX_o2_e=0..20" --bound "ATPM>=1..8"

    Parameters
    ----------
    model
        An SBML or JSON file, or the name of a model that cobra ships (iJO1366, textbook).
    """
    options = common or Common()
    from seedtrain.base import collect, use_language, write_atomic
    from seedtrain.simulation import (
        Edits,
        RegionTable,
        compile_metabolism,
        culture_file_from_metabolism,
        explore_regions,
        parse_bound,
        parse_drain,
        parse_limits,
        stored_at,
    )

    errors: list[SeedtrainError] = []
    moving = read_each(bound, parse_bound, errors)
    edits = Edits(
        knock_outs=tuple(knock_out or ()),
        bounds=dict(read_each(limit, parse_limits, errors)),
        drains=tuple(read_each(drain, parse_drain, errors)),
        objective=objective,
    )
    point = dict(read_each(at, _number, errors))
    collect(errors)
    with use_language(options.lang), shown_progress(as_json=options.json) as progress:
        table = compile_metabolism(
            model,
            moving=moving or None,
            outputs=output,
            edits=edits if edits != Edits() else None,
            lazy=lazy or None,
            fresh=fresh,
            progress=progress,
        )
        if not isinstance(table, RegionTable):
            explore_regions(table, EXPLORED, progress=progress)
    if culture:
        if not isinstance(table, RegionTable):
            raise InputError("a culture file needs a certified table", remedy="Move six bounds or fewer.")
        write_atomic(culture, culture_file_from_metabolism(table, name=culture.stem))
    found = _evaluated(table, point) if at else None
    if options.json:
        print_json(table.to_data() | {"edits": edits.to_data(), "stored": str(stored_at(table)), "at": found})
        return 0
    with use_language(options.lang):
        _tell(table)
        if found:
            _tell_point(found)
        print(_("kept: {path}").format(path=stored_at(table)))
        if culture:
            print(_("{path}: a culture with assumed kinetics; edit its parameters").format(path=culture))
    return 0


def read_each(texts: Iterable[str] | None, parse: Callable[[str], Item], errors: list[SeedtrainError]) -> list[Item]:
    """What `parse` makes of each text; faults are gathered."""
    found = []
    for text in texts or ():
        try:
            found.append(parse(text))
        except InputError as error:
            errors.append(error)
    return found


def _number(text: str) -> tuple[str, float]:
    name, _equals, number = text.partition("=")
    try:
        return name.strip(), float(number)
    except ValueError:
        raise InputError(f"{text!r} gives no bound a value", remedy="Write EX_glc__D_e=10, in mmol/gDW/h.") from None


def _evaluated(table: CompiledMetabolism, point: dict[str, float]) -> dict[str, Any]:
    """Growth, exchanges and deficits at a point, and what a unit of each bound is worth in growth."""
    names = [item.reaction for item in table.moving]
    unknown = [name for name in point if name not in names]
    if unknown:
        raise InputError(f"{', '.join(unknown)} does not move here", remedy=f"Use: {', '.join(names)}.")
    best = [item.high if item.kind == "uptake" else item.low for item in table.moving]
    theta = [point.get(name, value) for name, value in zip(names, best, strict=True)]
    found = table.evaluate(theta)
    slopes = table.jacobian(found.region)[0]
    return {
        "bounds": dict(zip(names, theta, strict=True)),
        "growth": float(found.growth),
        "exchanges": dict(zip(table.exchanges, map(float, found.exchanges), strict=True)),
        "deficit": dict(zip(table.demands, map(float, found.deficit), strict=True)),
        "growth_per_bound": dict(zip(names, map(float, slopes), strict=True)),
    }


def _tell(table: CompiledMetabolism) -> None:
    program, proof = table.program, table.certificate
    size = _("{reactions} reactions, {metabolites} metabolites, growth is {growth}")
    words = size.format(
        reactions=len(program.reactions), metabolites=len(program.metabolites), growth=table.to_data()["growth"]
    )
    print(f"{program.name}: {words}")
    for item in table.moving:
        kind = _("uptake") if item.kind == "uptake" else _("demand")
        print(f"  {item.reaction:<20} {kind:<8} {item.low:g} .. {item.high:g} mmol/gDW/h")
    if proof is None:
        words = _("{regions} regions met so far; nothing is certified: others are solved when they are met")
        print("  " + words.format(regions=table.regions))
    else:
        _tell_proof(proof)
    if abs(program.growth_mass - 1.0) > MASS_TOLERANCE:
        print(_("note: by its formulas one unit of growth weighs {mass} g").format(mass=f"{program.growth_mass:.3g}"))


def _tell_proof(proof: TableCertificate) -> None:
    rows = (
        (_("regions"), f"{proof.regions}"),
        (_("vertices held against the programme"), f"{proof.vertices} (<= {proof.gap:.1e} 1/h)"),
        (_("linear programmes solved"), f"{proof.solves}"),
        (_("largest flux difference, random points"), f"{proof.random:.1e} mmol/gDW/h"),
        (_("largest flux difference, faces"), f"{proof.face:.1e} mmol/gDW/h"),
        (_("largest flux difference, kinks"), f"{proof.kink:.1e} mmol/gDW/h"),
        (_("largest flux difference, corners of the regions"), f"{proof.flux_gap:.1e} mmol/gDW/h"),
        (_("growth that the tie-break costs"), f"{proof.growth_loss:.1e} 1/h"),
        (_("compiling took"), f"{proof.cpu_seconds:.1f} CPU s"),
    )
    for words, value in rows:
        print(f"  {words}: {value}")
    if proof.growth_while_short > NOTABLE:
        words = _("note: cells still grow at {growth} 1/h while a demand is not met; give the demand a larger penalty")
        print(words.format(growth=f"{proof.growth_while_short:.2g}"))


def _tell_point(found: dict[str, Any]) -> None:
    bounds = ", ".join(f"{name} {value:g}" for name, value in found["bounds"].items())
    print(_("at {bounds}: growth {growth} 1/h").format(bounds=bounds, growth=f"{found['growth']:.6g}"))
    for name, value in found["exchanges"].items():
        if abs(value) > NOTABLE:
            print(f"  {name:<20} {value:+.6g} mmol/gDW/h")
    for name, value in found["deficit"].items():
        if value > NOTABLE:
            print("  " + _("{name} lacks {value} mmol/gDW/h").format(name=name, value=f"{value:.6g}"))
    for name, value in found["growth_per_bound"].items():
        if abs(value) > NOTABLE:
            words = _("one more of {name} changes growth by {value} 1/h")
            print("  " + words.format(name=name, value=f"{value:+.4g}"))
