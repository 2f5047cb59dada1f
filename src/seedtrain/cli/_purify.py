"""`seedtrain purify`: the purification of a recipe on a stream of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from seedtrain.base import InputError
from seedtrain.base import translate as _
from seedtrain.cli._common import Common, print_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from seedtrain.report import LinePlot
    from seedtrain.simulation import StepResult


def purify(
    recipe: Path,
    *,
    feed: Annotated[Path, Parameter(help="The stream that enters: a YAML or JSON file.")],
    molar_mass: Annotated[str, Parameter(help="Of the product, for ultrafiltration.")] = "44.8 kDa",
    step: Annotated[str | None, Parameter(help="The phase to plot, by its path.")] = None,
    plot: Annotated[Path | None, Parameter(help="Write its course over time (SVG).")] = None,
    common: Common | None = None,
) -> int:
    """Run the phases of a recipe after its culture on a stream, and show what each leaves.

    Example: seedtrain purify recipe.yaml --feed broth.yaml --step capture/cation-exchange/elute --plot elution.svg

    Parameters
    ----------
    recipe
        The recipe file.
    """
    options = common or Common()
    from seedtrain.base import use_language, write_atomic
    from seedtrain.quantity import parse
    from seedtrain.recipe import read_recipe
    from seedtrain.simulation import product_quality, read_stream, run_train, step_to_data

    if (plot is None) != (step is None):
        raise InputError("--plot and --step belong together", remedy="Name the phase to plot and the file.")
    mass = parse(molar_mass, like="kDa").magnitude("kDa")
    if not 0.1 <= mass <= 1e5:
        raise InputError(f"--molar-mass {molar_mass}", remedy="Give 0.1 to 100000 kDa.")
    with use_language(options.lang):
        steps = run_train(read_recipe(recipe), read_stream(feed), molar_mass=mass)
        quality = product_quality(steps)
        if plot is not None and step is not None:
            from seedtrain.report import draw

            write_atomic(plot, draw(_figure(_chosen(steps, step)), _("simulated")).svg)
        if options.json:
            data = {"steps": [step_to_data(item) for item in steps], "quality": quality}
            print_json({**data, "recovery": _recovery(steps)})
            return 0
        print(_table(steps))
        found = "; ".join(f"{name} {value:.3g} {unit}".rstrip() for name, (value, unit) in quality.items())
        print(
            _("recovery {recovery} %, {hours} h, simulated").format(
                recovery=f"{100 * _recovery(steps):.1f}", hours=f"{sum(item.duration for item in steps):.1f}"
            )
        )
        print(_("quality: {figures}").format(figures=found))
    return 0


def _recovery(steps: Sequence[StepResult]) -> float:
    return steps[-1].outlet.masses["product"] / steps[0].inlets[0].masses["product"]


def _table(steps: Sequence[StepResult]) -> str:
    """A line a step: time, what leaves it, its yield, and how clean that is."""
    heads = (_("phase"), _("time, h"), _("volume, L"), _("product, g"), _("yield, %"), "EU/mg", _("purity, %"))
    rows = [heads]
    for step in steps:
        out = step.outlet
        rows.append(
            (
                step.path,
                f"{step.duration:.2f}",
                f"{out.volume:.4g}",
                f"{out.masses.get('product', 0.0):.4g}",
                f"{100 * step.step_yield:.1f}",
                f"{out.endotoxin_per_product:.3g}",
                f"{step.performance['purity'][0]:.1f}",
            )
        )
    widths = [max(len(row[k]) for row in rows) for k in range(len(heads))]
    lines = []
    for first, *others in rows:
        numbers = (cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True))
        lines.append("  ".join([first.ljust(widths[0]), *numbers]).rstrip())
    return "\n".join(lines)


def _chosen(steps: Sequence[StepResult], path: str) -> StepResult:
    with_course = {step.path: step for step in steps if step.trajectory}
    if path not in with_course:
        raise InputError(
            f"{path!r} is no phase with a course over time", remedy=f"Use one of: {', '.join(with_course)}."
        )
    return with_course[path]


def _figure(step: StepResult) -> LinePlot:
    """Every column of the step's trajectory, a panel each."""
    from seedtrain.report import Line, LinePlot, Panel
    from seedtrain.simulation import COURSE_UNITS

    hours = step.trajectory["time"]
    panels = [
        Panel(f"{name}, {COURSE_UNITS.get(name, '')}".rstrip(", "), [Line(name, hours, values)], height=0.7)
        for name, values in step.trajectory.items()
        if name not in ("time", "column_volumes")
    ]
    return LinePlot(
        alt=_("the course of {phase} over its time").format(phase=step.path),
        x_title=_("time in the phase, h"),
        panels=panels,
        mark=_("simulated"),
    )
