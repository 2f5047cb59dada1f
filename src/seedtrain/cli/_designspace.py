"""`seedtrain designspace`: within which set points every limit is met with a wanted probability."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from seedtrain.base import EXIT_DONE, EXIT_INCONCLUSIVE, InputError
from seedtrain.base import translate as _
from seedtrain.cli._common import Common, print_json, shown_progress

if TYPE_CHECKING:
    from seedtrain.development import DesignSpace
    from seedtrain.recipe import MasterRecipe


@Parameter(name="*")
@dataclass(frozen=True)
class Varies:
    """What varies."""

    factor: Annotated[
        list[str] | None, Parameter(negative="", help="A set point, PATH:NAME=LOW .. HIGH; repeat it.")
    ] = None
    raw: Annotated[list[str] | None, Parameter(negative="", help="MATERIAL:CONSTITUENT=2 %; repeat it.")] = None
    fit: Annotated[Path | None, Parameter(help="The fit.json whose draws or intervals say how the culture varies.")] = (
        None
    )
    spread: Annotated[str | None, Parameter(help="Of every parameter of the culture instead, such as 5 %.")] = None
    noise: Annotated[str, Parameter(help="Of the control, part of a factor's range.")] = "3 %"
    limit: Annotated[
        list[str] | None, Parameter(negative="", help="Beside the specification: 'titre >= 3 g/L'; repeat it.")
    ] = None


def designspace(
    recipe: Path,
    *,
    varies: Varies | None = None,
    reliability: Annotated[str, Parameter(help="The probability that all limits are met.")] = "90 %",
    runs: Annotated[int, Parameter(help="Batches to simulate.")] = 512,
    seed: Annotated[int, Parameter(help="Which values are drawn.")] = 0,
    at: Annotated[str | None, Parameter(help="A unit of plant.yaml; the one of scale 'plant' by default.")] = None,
    plant: Annotated[Path | None, Parameter(help="The plant file; plant.yaml beside the recipe by default.")] = None,
    device: Annotated[
        Literal["cpu", "cuda"], Parameter(help="What integrates the cultures; purification stays on the processor.")
    ] = "cpu",
    output: Annotated[Path | None, Parameter(name=["--output", "-o"], help="Write report, maps, recipe here.")] = None,
    common: Common | None = None,
) -> int:
    """Set points over which every quality attribute passes: normal, proven and common ranges, edges, ranking, maps.

    Every batch is simulated through its purification with its own set points, control noise, raw materials and culture
    parameters. Without --factor the numbers of the recipe's control strategy vary, over ranges half as wide again at
    both ends. -o also writes the recipe with the ranges in its control strategy, traceable to the study. Exit code 3
    where the runs cannot predict an attribute.

    Example: seedtrain designspace examples/collagen/recipe.yaml --spread "5 %" --limit "titre >= 3 g/L" -o space

    Parameters
    ----------
    recipe
        The recipe file.
    """
    options, given = common or Common(), varies or Varies()
    from seedtrain.base import use_language
    from seedtrain.development import design_space_lines
    from seedtrain.program import recipe_design_space
    from seedtrain.quantity import parse

    with use_language(options.lang):
        with shown_progress(as_json=options.json) as progress:
            found, limited, source = recipe_design_space(
                recipe, at=at, **_asked(given), runs=runs, reliability=parse(reliability, like="").magnitude(""),
                seed=seed, plant=plant, device=device, progress=progress,
            )  # fmt: skip
        written = _write(found, limited, recipe, output, source) if output else []
        code = EXIT_INCONCLUSIVE if found.inconclusive or found.study.untrained else EXIT_DONE
        if options.json:
            print_json({**found.to_data(), "source": source})
            return code
        for line in design_space_lines(found):
            print(line)
        for path in written:
            print(_("kept: {path}").format(path=path))
    return code


def _asked(given: Varies) -> dict[str, Any]:
    """What varies, as the study takes it."""
    from seedtrain.quantity import parse

    return {
        "factors": given.factor or (),
        "raw_materials": given.raw or (),
        "limits": given.limit or (),
        "fit": given.fit,
        "spread": None if given.spread is None else parse(given.spread, like="").magnitude(""),
        "noise": parse(given.noise, like="").magnitude(""),
    }


def _write(found: DesignSpace, limited: MasterRecipe, recipe: Path, output: Path, source: str) -> list[Path]:
    """Report, data, maps and the recipe with its ranges."""
    from seedtrain.base import write_atomic, write_json
    from seedtrain.development import design_space_blocks, design_space_figures, figures_as_svg
    from seedtrain.report import Page, render_html

    if (output / "recipe.yaml").resolve() == recipe.resolve():
        raise InputError("the recipe would be written over itself", remedy="Give another folder with -o.")
    title = _("Design space of {recipe}").format(recipe=limited.name)
    page = Page(title, design_space_blocks(found), mark=_("simulated"), facts=[(_("source"), source)])
    files = {"designspace.html": render_html(page), **figures_as_svg(design_space_figures(found))}
    if not found.inconclusive and not found.study.untrained:
        files["recipe.yaml"] = f"# control strategy: {source}\n{limited.to_yaml()}"
    written = [output / "designspace.json"]
    write_json(written[0], {**found.to_data(), "source": source})
    for name, content in files.items():
        written.append(output / name)
        write_atomic(written[-1], content)
    return written
