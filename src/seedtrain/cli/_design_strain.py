"""`seedtrain design strain`: knock-outs that couple growth to a product, and fluxes to raise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import App, Parameter

from seedtrain.base import EXIT_DONE, EXIT_INCONCLUSIVE
from seedtrain.base import translate as _
from seedtrain.cli._common import Common, print_json, shown_progress
from seedtrain.cli._compile import read_each

if TYPE_CHECKING:
    from seedtrain.base import SeedtrainError
    from seedtrain.bioinformatics import StrainDesign


SHOWN_RULE = 200


def add_to(app: App) -> None:
    """Make `strain` a command of `app`."""
    app.command(strain)


def strain(
    model: str,
    *,
    product: Annotated[str, Parameter(help="The exchange or drain whose flux is wanted, such as EX_succ_e.")],
    knock_outs: Annotated[int, Parameter(help="At most so many knock-outs.")] = 3,
    least_growth: Annotated[float, Parameter(help="Growth that a design must still reach, 1/h.")] = 0.05,
    method: Annotated[
        Literal["guaranteed", "possible"], Parameter(help="Product that fast growth must make, or that it may.")
    ] = "guaranteed",
    genes: Annotated[bool, Parameter(negative="", help="Knock out genes instead of reactions (straindesign).")] = False,
    keep: Annotated[list[str] | None, Parameter(negative="", help="A reaction or gene that stays; repeat it.")] = None,
    limit: Annotated[
        list[str] | None, Parameter(negative="", help="Bounds of the medium, EX_o2_e=0..1000; repeat it.")
    ] = None,
    drain: Annotated[
        list[str] | None, Parameter(negative="", help="A way out, 'out: succ_c + 2 h_c -> co2_c'; repeat it.")
    ] = None,
    knocked_out: Annotated[
        list[str] | None, Parameter(negative="", help="What the strain lacks already; repeat it.")
    ] = None,
    time_limit: Annotated[float, Parameter(help="Seconds of search.")] = 60.0,
    count: Annotated[int, Parameter(help="Designs to show, the best.")] = 3,
    common: Common | None = None,
) -> int:
    """Knock-outs after which growth makes a product, with the gap to the best there may be, and fluxes to raise.

    Ends with 0 where a design was found or proven absent, 3 where time ran out without one.

    Example: seedtrain design strain textbook --product EX_succ_e --limit "EX_o2_e=0..1000"

    Parameters
    ----------
    model
        An SBML or JSON file, or the name of a model that cobra ships (iJO1366, textbook).
    """
    options = common or Common()
    from seedtrain.base import collect, use_language
    from seedtrain.bioinformatics import DesignQuestion, design_strain
    from seedtrain.simulation import Edits, parse_drain, parse_limits

    errors: list[SeedtrainError] = []
    edits = Edits(
        knock_outs=tuple(knocked_out or ()),
        bounds=dict(read_each(limit, parse_limits, errors)),
        drains=tuple(read_each(drain, parse_drain, errors)),
    )
    collect(errors)
    asked = DesignQuestion(
        knock_outs=knock_outs,
        least_growth=least_growth,
        method=method,
        genes=genes,
        time_limit=time_limit,
        designs=count,
        keep=tuple(keep or ()),
    )
    with use_language(options.lang), shown_progress(as_json=options.json) as progress:
        found = design_strain(model, product, edits=edits, question=asked, progress=progress)
    if options.json:
        print_json(found.to_data())
    else:
        with use_language(options.lang):
            _tell(found)
    return EXIT_DONE if found.designs or found.status == "proven" else EXIT_INCONCLUSIVE


def _tell(found: StrainDesign) -> None:
    words = _("{model}: growth {growth} 1/h, {product} {least} .. {most} mmol/gDW/h at it")
    print(
        words.format(
            model=found.model,
            growth=f"{found.growth:.4g}",
            product=found.product,
            least=f"{found.product_least:.4g}",
            most=f"{found.product_most:.4g}",
        )
    )
    bound = _("at most {bound} mmol/gDW/h at a growth of {growth} 1/h")
    print("  " + bound.format(bound=f"{found.bound:.4g}", growth=f"{found.question.least_growth:g}"))
    if not found.designs:
        print(_("no set of so many knock-outs was found"))
    for number, item in enumerate(found.designs, 1):
        print(f"{number}. {' + '.join(item.names)}")
        made = _("growth {growth} 1/h, product {least} .. {most} mmol/gDW/h at it, {always} or more above half of it")
        print(
            "   "
            + made.format(
                growth=f"{item.growth:.4g}",
                least=f"{item.product_least:.4g}",
                most=f"{item.product_most:.4g}",
                always=f"{item.product_always:.4g}",
            )
        )
        for name, rule in zip(item.names, item.rules, strict=True):
            if rule:
                print("   " + _("{reaction} by {genes}").format(reaction=name, genes=rule[:SHOWN_RULE]))
    print(_ending(found))
    if found.targets:
        print(_("fluxes that rise with the product, mmol/gDW/h from 10 to 90 % of its largest:"))
    for target in found.targets:
        print(f"  {target.reaction:<16} {target.low:+8.3g} -> {target.high:+8.3g}  {target.rule}")


def _ending(found: StrainDesign) -> str:
    if found.status == "proven":
        return _("the search came to its end after {seconds} s: no other set forces more").format(
            seconds=f"{found.seconds:.1f}"
        )
    if found.status == "solver":
        words = _("its solver calls it the best after {seconds} s; a gap of {gap} % is left to what no design can pass")
    else:
        words = _("time ran out after {seconds} s; a gap of {gap} % is left to what no design can pass")
    return words.format(seconds=f"{found.seconds:.1f}", gap=f"{100 * found.gap:.0f}")
