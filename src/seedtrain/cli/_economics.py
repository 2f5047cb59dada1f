"""`seedtrain economics`: what a batch or a plant costs, in money and carbon, and what research would have to move."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from seedtrain.base import EXIT_DONE, InputError
from seedtrain.base import translate as _
from seedtrain.cli._common import Common, print_json, shown_progress

if TYPE_CHECKING:
    from collections.abc import Sequence

    from seedtrain.base import Progress
    from seedtrain.development import Assessment, BatchCase, Finance, PlantAssessment, PlantCase
    from seedtrain.report import Block


@Parameter(name="*")
@dataclass(frozen=True)
class Subject:
    """Which batch, at which prices; for a recipe or a program."""

    at: Annotated[str | None, Parameter(help="A unit of plant.yaml; the one of scale 'plant' by default.")] = None
    plant: Annotated[Path | None, Parameter(help="The plant file; plant.yaml beside the recipe by default.")] = None
    factors: Annotated[Path | None, Parameter(help="Your own prices and emission factors.")] = None
    culture: Annotated[str | None, Parameter(help="A shipped culture's name or a culture file.")] = None


@Parameter(name="*")
@dataclass(frozen=True)
class Terms:
    """On which terms the plant is built and supplied."""

    rate: Annotated[str | None, Parameter(name="--return", help="Asked for, such as 10 %/year.")] = None
    life: Annotated[int | None, Parameter(help="Years of operation.")] = None
    tax: Annotated[str | None, Parameter(help="On income, such as 25 %.")] = None
    photovoltaics: Annotated[str | None, Parameter(help="Own panels, such as 500 kW.")] = None
    storage: Annotated[str | None, Parameter(help="Own battery, such as 1 MWh.")] = None
    target: Annotated[
        list[str] | None, Parameter(negative="", help="'cost=300 USD/kg', 'carbon=...', 'amount=...'; repeat it.")
    ] = None


def economics(
    subject: Path,
    *,
    batch: Subject | None = None,
    terms: Terms | None = None,
    gantt: Annotated[int | None, Parameter(help="Place so many batches one by one: 1 to 10; needs OR-Tools.")] = None,
    crew: Annotated[float | None, Parameter(help="People on duty at once, for --gantt.")] = None,
    draws: Annotated[int, Parameter(help="Of every price and factor.")] = 20_000,
    seed: Annotated[int, Parameter(help="Which values are drawn.")] = 0,
    output: Annotated[Path | None, Parameter(name=["--output", "-o"], help="Write report and plots here.")] = None,
    pdf: Annotated[bool, Parameter(negative="", help="Write the report as PDF too.")] = False,
    common: Common | None = None,
) -> int:
    """Cost, carbon and the lowest selling price of a batch, what moves them, and what a target requires.

    The subject is a recipe (simulated at the scale of the plant first), a program directory, or a case of your own: a
    YAML file with a batch's amounts or a plant's yearly flows (docs/reference/economics-case.md). A need.yaml beside a
    recipe gives its targets.

    Example: seedtrain economics examples/collagen --target "cost=3000 USD/kg" -o economics

    Example: seedtrain economics my-case.yaml --photovoltaics "500 kW" --storage "1 MWh"

    Example: seedtrain economics examples/collagen --gantt 6 --crew 8 -o economics

    Parameters
    ----------
    subject
        A recipe, a program directory, or a case file.
    """
    options = common or Common()
    from seedtrain.base import use_language
    from seedtrain.development import BatchCase, assess, assess_plant

    if crew is not None and gantt is None:
        raise InputError("--crew without --gantt", remedy="Say how many batches: --gantt 6.")
    if gantt is not None and gantt < 1:
        raise InputError(f"--gantt {gantt}", remedy="Ask for 1 to 10 batches, or leave it out.")
    if pdf and not output:
        raise InputError("--pdf without --output", remedy="Say where: -o economics.")
    with use_language(options.lang):
        with shown_progress(as_json=options.json) as progress:
            case = _case(subject, batch or Subject(), terms or Terms(), progress)
        if gantt and not isinstance(case, BatchCase):
            raise InputError("a plant's flows do not say which steps a batch has", remedy="Leave --gantt out.")
        found: Assessment | PlantAssessment
        if isinstance(case, BatchCase):
            found = assess(case, draws=draws, seed=seed, batches=gantt or 0, crew=crew)
        else:
            found = assess_plant(case)
        written = _write(found, subject, output, pdf=pdf) if output else []
        if options.json:
            print_json(found.to_data())
            return EXIT_DONE
        for line in _lines(found):
            print(line)
        for path in written:
            print(_("kept: {path}").format(path=path))
    return EXIT_DONE


def _case(subject: Path, batch: Subject, terms: Terms, progress: Progress) -> BatchCase | PlantCase:
    """The case, on the terms of the command line where they are given."""
    from seedtrain.base import read_document
    from seedtrain.development import BatchCase, read_case
    from seedtrain.program import recipe_case

    document = read_document(subject, what="recipe or case") if subject.is_file() else None
    keys = set(document.data) if document is not None and isinstance(document.data, dict) else set()
    own = "case" in keys
    if document is not None and not own and "recipe" not in keys:
        raise document.error(
            (), "this is neither a recipe nor a case", remedy="Begin it with 'recipe:' or 'case:', or give a program."
        )
    case: BatchCase | PlantCase
    if own:
        given = [f"--{name}" for name in ("at", "plant", "factors", "culture") if getattr(batch, name) is not None]
        if given:
            raise InputError(
                f"{', '.join(given)} with a case, which has its own", remedy="Leave it out, or write it into the case."
            )
        case = read_case(subject)
    else:
        case = recipe_case(
            subject, at=batch.at, plant=batch.plant, factors=batch.factors, culture=batch.culture, progress=progress
        )
    case = replace(case, finance=_finance(case, terms), targets={**case.targets, **_targets(terms.target or [], case)})
    if isinstance(case, BatchCase):
        return _powered(case, terms)
    if terms.photovoltaics or terms.storage:
        raise InputError("a plant's flows do not say how much electricity it uses", remedy="Leave --photovoltaics out.")
    return case


def _finance(case: BatchCase | PlantCase, terms: Terms) -> Finance:
    from seedtrain.quantity import parse

    now = case.finance
    return replace(
        now,
        rate=now.rate if terms.rate is None else parse(terms.rate, like="1/year").magnitude("1/year"),
        life=now.life if terms.life is None else terms.life,
        tax=now.tax if terms.tax is None else parse(terms.tax, like="").magnitude(""),
    )


def _targets(texts: Sequence[str], case: BatchCase | PlantCase) -> dict[str, float]:
    from seedtrain.development import BatchCase
    from seedtrain.quantity import parse

    money = case.table.currency if isinstance(case, BatchCase) else case.currency
    units = {"cost": f"{money}/kg", "carbon": "kg CO2e/kg", "amount": "kg/year"}
    found = {}
    for text in texts:
        name, _sign, value = text.partition("=")
        if name.strip() not in units or not value:
            raise InputError(f"--target {text!r}", remedy="Write cost=..., carbon=... or amount=... with its unit.")
        unit = units[name.strip()]
        found[name.strip()] = parse(value.strip(), like=unit).magnitude(unit)
    return found


def _powered(case: BatchCase, terms: Terms) -> BatchCase:
    from seedtrain.development import Photovoltaics
    from seedtrain.quantity import parse

    if terms.photovoltaics is None:
        if terms.storage is not None:
            raise InputError("--storage without --photovoltaics", remedy="Say how many kW of panels fill it.")
        return case
    peak = parse(terms.photovoltaics, like="kW").magnitude("kW")
    storage = parse(terms.storage, like="kWh").magnitude("kWh") if terms.storage else 0.0
    return replace(case, own_power=Photovoltaics(peak, storage))


def _lines(found: Assessment | PlantAssessment) -> list[str]:
    from seedtrain.development import Assessment, assessment_lines, plant_lines

    return assessment_lines(found) if isinstance(found, Assessment) else plant_lines(found)


def _write(found: Assessment | PlantAssessment, subject: Path, output: Path, *, pdf: bool) -> list[Path]:
    """The report, the data and the plots."""
    from seedtrain.base import write_atomic, write_json
    from seedtrain.development import (
        Assessment,
        assessment_blocks,
        assessment_figures,
        figures_as_svg,
        plant_blocks,
    )
    from seedtrain.report import Page, render_html, render_pdf

    blocks: Sequence[Block]
    pictures: dict[str, str] = {}
    mark = ""
    if isinstance(found, Assessment):
        name, blocks = found.name, assessment_blocks(found)
        mark = _("simulated") if found.simulated else ""
        pictures = figures_as_svg(assessment_figures(found), mark)
    else:
        name, blocks = found.case.name, plant_blocks(found)
    page = Page(_("Economics of {name}").format(name=name), blocks, mark=mark, facts=[(_("source"), subject.name)])
    written = [output / "economics.html", output / "economics.json"]
    write_atomic(written[0], render_html(page))
    write_json(written[1], found.to_data())
    if pdf:
        written.append(output / "economics.pdf")
        write_atomic(written[-1], render_pdf(page))
    for file, svg in pictures.items():
        written.append(output / file)
        write_atomic(written[-1], svg)
    return written
