"""`seedtrain compare`: scale against scale, and prediction against measurement."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from seedtrain.base import EXIT_DONE, InputError, Position, finite
from seedtrain.base import translate as _
from seedtrain.cli._common import Common, print_json, shown_progress

if TYPE_CHECKING:
    from seedtrain.base import Progress
    from seedtrain.comparison import Compared
    from seedtrain.development import Dataset
    from seedtrain.simulation import Run


def compare(
    runs: list[Path],
    *,
    plan: Annotated[Path | None, Parameter(help="What is compared, and which difference does not matter.")] = None,
    draft: Annotated[Path | None, Parameter(help="Write a plan of all that runs share here, to be corrected.")] = None,
    by: Annotated[Literal["scale", "vessel", "origin", "data"], Parameter(help="Groups of a drafted plan.")] = "scale",
    reference: Annotated[str, Parameter(help="The group that others are held against, in a drafted plan.")] = "",
    recipe: Annotated[Path | None, Parameter(help="Predict each run by this recipe, and compare.")] = None,
    culture: Annotated[str | None, Parameter(help="A shipped culture's name or a culture file, for --recipe.")] = None,
    plant: Annotated[Path | None, Parameter(help="The plant file; plant.yaml beside the recipe by default.")] = None,
    seed: Annotated[int, Parameter(help="Which values are drawn.")] = 0,
    output: Annotated[Path | None, Parameter(name=["--output", "-o"], help="Write report, plots, data here.")] = None,
    common: Common | None = None,
) -> int:
    """Are runs at another scale equivalent, in numbers, in slopes and shapes over time, and all together?

    The plan holds margins of means, slopes and shapes, sensors against assays, spectra, further tables of the same runs
    and predictions; docs/reference/comparison.md has every key. One verdict: exit code 0 pass, 1 fail, 3 inconclusive.

    Example: seedtrain compare bench.yaml pilot.yaml --draft plan.yaml

    Example: seedtrain compare bench.yaml pilot.yaml --plan plan.yaml -o compared

    Parameters
    ----------
    runs
        Mappings of one's own data (`seedtrain data check`), one or several.
    """
    options = common or Common()
    from seedtrain.base import use_language, write_atomic
    from seedtrain.comparison import compare_runs, comparison_lines, drafted
    from seedtrain.development import read_data

    if plan is not None and draft is not None:
        raise InputError("--plan and --draft together", remedy="Draft a plan first; correct it; then compare by it.")
    if recipe is None and (culture is not None or plant is not None):
        raise InputError("--culture or --plant without --recipe", remedy="Give the recipe that the runs followed.")
    if draft is not None and draft.exists():
        raise InputError("the file exists", position=Position(str(draft)), remedy="Choose another name for the draft.")
    with use_language(options.lang):
        datasets = [read_data(path) for path in runs]
        given: Path | str = plan or drafted(datasets, by=by, reference=reference)
        if draft is not None:
            write_atomic(draft, str(given))
            print(_("kept: {path}").format(path=draft))
            return EXIT_DONE
        with shown_progress(as_json=options.json) as progress:
            predicted = _predicted(recipe, datasets, culture, plant, progress) if recipe else {}
            known = _fitted_to(recipe, datasets, culture) if recipe else []
            found = compare_runs(datasets, given, predicted=predicted, fitted_to=known, seed=seed, progress=progress)
        written = _write(found, output) if output else []
        if options.json:
            print_json({**found.to_data(), "written": [str(path) for path in written]})
        else:
            for line in comparison_lines(found):
                print(line)
            if plan is None:
                print(_("The plan was drafted, its margins are assumed: keep it with --draft, and correct it."))
            for path in written:
                print(_("kept: {path}").format(path=path))
    return found.verdict.exit_code


def _predicted(
    recipe: Path, datasets: list[Dataset], culture: str | None, plant: Path | None, progress: Progress
) -> dict[str, Run]:
    """Predictions by the names that the comparison gives the runs."""
    from seedtrain.comparison import members_of
    from seedtrain.program import predicted_runs

    names = [item.name for item in members_of(datasets, "data")]
    found = predicted_runs(recipe, datasets, culture=culture, plant=plant, progress=progress)
    return dict(zip(names, found.values(), strict=True))


def _fitted_to(recipe: Path, datasets: list[Dataset], culture: str | None) -> list[str]:
    """The data sets that the culture says it was fitted to, by their digests in the sources of its parameters."""
    from seedtrain.program import recipe_culture

    sources = " ".join(item.source for item in recipe_culture(recipe, culture).parameters.values())
    return [item.name for item in datasets if item.digest[:12] in sources]


def _write(found: Compared, output: Path) -> list[Path]:
    from seedtrain.base import write_atomic, write_json
    from seedtrain.comparison import comparison_blocks, comparison_figures, simulated_mark
    from seedtrain.development import figures_as_svg
    from seedtrain.report import Page, render_html

    page = Page(_("Comparison: {name}").format(name=found.plan.comparison), comparison_blocks(found),
                mark=simulated_mark(found), facts=[(_("digest"), found.digest[:16])])  # fmt: skip
    written = [output / "comparison.json"]
    write_json(written[0], finite(found.to_data()))
    files = {"comparison.html": render_html(page), **figures_as_svg(comparison_figures(found))}
    for name, content in files.items():
        written.append(output / name)
        write_atomic(written[-1], content)
    return written
