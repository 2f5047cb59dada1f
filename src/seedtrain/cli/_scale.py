"""`seedtrain scale`: a recipe from one vessel to another, and the document that goes with it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from seedtrain.base import EXIT_DONE, InputError
from seedtrain.base import translate as _
from seedtrain.cli._common import Common, print_json, shown_progress

if TYPE_CHECKING:
    import datetime

    from seedtrain.development import ScaleUp

Keep = Literal[
    "power_per_volume", "tip_speed", "mixing_time", "gas_velocity", "kLa", "oxygen_transfer", "carbon_dioxide"
]


def scale(
    recipe: Path,
    *,
    to: Annotated[str, Parameter(help="The unit of plant.yaml that it goes to.")],
    start: Annotated[
        str | None, Parameter(name="--from", help="The unit that it comes from; the recipe's own by default.")
    ] = None,
    keep: Annotated[
        Keep | None, Parameter(help="What agitation holds; power per volume by default, or kLa where it is not known.")
    ] = None,
    zones: Annotated[int, Parameter(help="Layers of the larger vessel, to see its gradients.")] = 4,
    foaminess: Annotated[
        str | None, Parameter(help="'15 s': height of foam over gas velocity, of your broth in a column.")
    ] = None,
    culture: Annotated[str | None, Parameter(help="A shipped culture's name or a culture file.")] = None,
    harvest: Annotated[str | None, Parameter(help="When the harvest begins, such as 2026-12-01T08:00.")] = None,
    plant: Annotated[Path | None, Parameter(help="The plant file; plant.yaml beside the recipe by default.")] = None,
    output: Annotated[Path | None, Parameter(name=["--output", "-o"], help="Write the transfer document here.")] = None,
    pdf: Annotated[bool, Parameter(negative="", help="Write the document as PDF too.")] = False,
    common: Common | None = None,
) -> int:
    """Carry a recipe to another vessel: what is kept, what gives way, gradients, the bench rig, times, assumptions.

    Vessels are wells, shake flasks and stirred tanks. Everything is simulated. A figure that lies outside the range of
    its correlation is marked with *, a criterion that has no meaning in a vessel with a dash.

    Example: seedtrain scale examples/collagen/recipe.yaml --from PILOT-200 --to PLANT-20M3 --keep kLa -o transfer

    Parameters
    ----------
    recipe
        The recipe file.
    """
    options = common or Common()
    from seedtrain.base import use_language
    from seedtrain.development import scale_up_lines
    from seedtrain.program import recipe_scale_up

    when = None if harvest is None else _moment(harvest)
    if pdf and output is None:
        raise InputError("--pdf without --output", remedy="Say where: -o transfer.")
    with use_language(options.lang):
        with shown_progress(as_json=options.json) as progress:
            found = recipe_scale_up(
                recipe, start=start, end=to, keep=keep, zones=zones, foaminess=_seconds(foaminess), plant=plant,
                culture=culture, progress=progress,
            )  # fmt: skip
        written = _write(found, output, when, pdf=pdf) if output else []
        if options.json:
            print_json(found.to_data())
            return EXIT_DONE
        for line in scale_up_lines(found, harvest=when):
            print(line)
        for path in written:
            print(_("kept: {path}").format(path=path))
    return EXIT_DONE


def _seconds(text: str | None) -> float | None:
    from seedtrain.quantity import parse

    return None if text is None else parse(text, like="s").magnitude("s")


def _moment(text: str) -> datetime.datetime:
    import datetime

    try:
        return datetime.datetime.fromisoformat(text)
    except ValueError:
        raise InputError(f"--harvest {text!r} is no moment", remedy="Write it as 2026-12-01T08:00.") from None


def _write(found: ScaleUp, output: Path, harvest: datetime.datetime | None, *, pdf: bool) -> list[Path]:
    from seedtrain.base import write_atomic, write_json
    from seedtrain.development import figures_as_svg, transfer_blocks, transfer_figures
    from seedtrain.report import Page, render_html, render_pdf

    title = _("Technology transfer of {recipe}").format(recipe=found.recipe.name)
    facts = [(_("from"), found.start.unit), (_("to"), found.end.unit), (_("recipe"), found.recipe.digest)]
    page = Page(title, transfer_blocks(found, harvest=harvest), mark=_("simulated"), facts=facts)
    documents: dict[str, str | bytes] = {"transfer.html": render_html(page), **figures_as_svg(transfer_figures(found))}
    if pdf:
        documents["transfer.pdf"] = render_pdf(page)
    written = [output / "transfer.json"]
    write_json(written[0], found.to_data())
    for name, content in documents.items():
        written.append(output / name)
        write_atomic(written[-1], content)
    return written
