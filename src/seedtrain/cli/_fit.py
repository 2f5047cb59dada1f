"""`seedtrain fit`: parameters of a culture from one's own runs, or of a PEtab problem."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from seedtrain.base import EXIT_DONE, InputError
from seedtrain.base import translate as _
from seedtrain.cli._common import Common, finite, print_json, shown_progress

if TYPE_CHECKING:
    from seedtrain.base import Progress
    from seedtrain.development import ErrorModel, Fit, MeasuredRun, Posterior, Problem

Texts = list[str] | None


def fit(
    source: Path,
    *,
    data: Annotated[Path | None, Parameter(help="The mapping of one's own data.")] = None,
    fit: Annotated[str, Parameter(help="Parameters of the culture, with commas: q_S_max,K_S.")] = "",
    observables: Annotated[str, Parameter(help="Variables to compare, with commas; all that were read.")] = "",
    error: Annotated[Texts, Parameter(negative="", help="X=proportional or S=constant:0.1; repeat it.")] = None,
    per_run: Annotated[str, Parameter(help="Those of --fit with a value of their own in every run.")] = "",
    bounds: Annotated[Texts, Parameter(negative="", help="K_S=0.001..0.2, in the culture's unit; repeat it.")] = None,
    prior: Annotated[
        Texts, Parameter(negative="", help="q_S_max=0.6:0.05, mean and deviation on the search's scale.")
    ] = None,
    culture: Annotated[str | None, Parameter(help="A shipped culture's name or a culture file.")] = None,
    plant: Annotated[Path | None, Parameter(help="The plant file; plant.yaml beside the recipe by default.")] = None,
    starts: Annotated[
        int | None, Parameter(help="Searches beside one from its own values; 20, or 2 for a culture.")
    ] = None,
    hops: Annotated[int | None, Parameter(help="Attempts of each to leave its valley; 2, or 0 for a culture.")] = None,
    seed: Annotated[int, Parameter(help="Which points.")] = 0,
    level: Annotated[float, Parameter(help="%: of the intervals.")] = 90.0,
    profiles: Annotated[str, Parameter(help="Parameters to profile, with commas; `all` or `none`.")] = "all",
    posterior: Annotated[int | None, Parameter(help="Draws of the posterior, 400 or more, in four chains.")] = None,
    output: Annotated[Path | None, Parameter(name=["--output", "-o"], help="Folder of the results.")] = None,
    common: Common | None = None,
) -> int:
    """Fit parameters to measured runs, and say what the data cannot tell and which reading would.

    With --data a recipe's culture is fitted; -o gets fit.json, fit.html and culture.yaml with `status: fitted`. Else
    the source is a PEtab problem (version 1), and -o gets it back with its estimates. With --posterior, -o gets
    draws.csv too. Killed, the same command with the same -o goes on where it was.

    Example: seedtrain fit recipe.yaml --data mapping.yaml --fit q_S_max,K_S -o fitted

    Example: seedtrain fit problem.yaml --starts 50 -o fitted

    Example: seedtrain fit problem.yaml --posterior 2000 -o fitted

    Parameters
    ----------
    source
        A recipe, or the YAML file of a PEtab problem.
    """
    options = common or Common()
    from seedtrain.base import part, use_language
    from seedtrain.development import fit_problem, petab_problem, read_petab_tables, sample_posterior

    if not 50 <= level < 100:
        raise InputError(f"--level {level:g}", remedy="Give 50 to 99.9 %.")
    if posterior is not None and posterior < 400:
        raise InputError(f"--posterior {posterior}", remedy="Ask for 400 draws or more; 2000 for a report.")
    for name, value in (("--starts", starts), ("--hops", hops)):
        if value is not None and value < 0:
            raise InputError(f"{name} {value}", remedy="Give 0 or more.")
    mine = {"--fit": fit, "--observables": observables, "--error": error, "--per-run": per_run, "--bounds": bounds,
            "--prior": prior, "--culture": culture, "--plant": plant}  # fmt: skip
    if data is None and any(mine.values()):
        given = ", ".join(name for name, value in mine.items() if value)
        raise InputError(f"{given} without --data", remedy="Give the mapping of the data: --data mapping.yaml.")
    if data is not None and not fit:
        raise InputError("--data without --fit", remedy="Name parameters of the culture: --fit q_S_max,K_S.")
    with use_language(options.lang), shown_progress(as_json=options.json) as progress:
        key, tables, shared = "", None, 1.0 if posterior is None else 0.3
        if data is None:
            tables = read_petab_tables(source)
            problem = petab_problem(tables)
        else:
            problem, key = _of_culture(
                source, data, _words(fit), _words(observables), _errors(error or []), _words(per_run),
                {name: _pair(text, "..") for name, text in _named(bounds or [])},
                {name: _pair(text, ":") for name, text in _named(prior or [])}, culture, plant, progress,
            )  # fmt: skip
        chosen = None if profiles == "all" else () if profiles == "none" else _words(profiles)
        for name in chosen or ():
            if name not in problem.names:
                raise InputError(f"--profiles {name}: nothing is estimated of that name",
                                 remedy=f"Use some of: {', '.join(problem.names)}.")  # fmt: skip
        found = fit_problem(
            problem, count=(20 if data is None else 2) if starts is None else starts, seed=seed, level=level / 100,
            hops=(2 if data is None else 0) if hops is None else hops, profiles=chosen,
            keep=output / "starts.json" if output else None, progress=part(progress, 0.0, shared),
        )  # fmt: skip
        drawn = None
        if posterior is not None:
            drawn = sample_posterior(found, posterior, seed=seed, keep=output, progress=part(progress, shared, 1.0))
        written: list[Path] = []
        if output is not None:
            written = _write(found, drawn, output, source, key)
            if tables is not None:
                from seedtrain.development import write_petab

                written.append(write_petab(tables, output / "petab", found.values))
            else:
                written.append(_culture_file(found, output, source, culture, key))
    with use_language(options.lang):
        if options.json:
            told = _data(found, drawn)
            print_json({**told, "data_digest": key or None, "written": [str(path) for path in written]})
        else:
            _tell(found, drawn, written)
    return EXIT_DONE


def _of_culture(
    source: Path,
    data: Path,
    names: list[str],
    observables: list[str],
    errors: dict[str, ErrorModel],
    per_run: list[str],
    bounds: dict[str, tuple[float, float]],
    priors: dict[str, tuple[float, float]],
    culture: str | None,
    plant: Path | None,
    progress: Progress,
) -> tuple[Problem, str]:
    """The problem of a recipe's culture and one's own data, and the data's digest."""
    from seedtrain.development import MeasuredRun, culture_problem, read_data
    from seedtrain.program import recipe_in_vessel

    found = read_data(data)
    runs: list[MeasuredRun] = []
    grown = None
    for name, run in found.runs.items():
        about = found.about[name]
        grown, vessel, recipe = recipe_in_vessel(
            source, plant=plant, vessel=about.vessel or None, culture=culture, progress=progress
        )
        runs.append(MeasuredRun(name, run, recipe, vessel, initial=about.initial, feed_factor=about.feed_factor))
    assert grown is not None
    problem = culture_problem(
        grown, runs, names, observables=observables, errors=errors, per_run=per_run, bounds=bounds, priors=priors
    )
    return problem, found.digest


def _culture_file(found: Fit, output: Path, source: Path, culture: str | None, key: str) -> Path:
    """The culture with its fitted values, where every run shares them."""
    from seedtrain.base import write_atomic
    from seedtrain.development import culture_text, fitted_culture
    from seedtrain.recipe import read_recipe
    from seedtrain.simulation import read_culture

    name = culture or read_recipe(source).culture
    beside = source.parent / name
    place = beside if culture is None and beside.is_file() else name
    grown = read_culture(place)
    values = {item: value for item, value in found.values.items() if item in grown.parameters}
    words = f"fitted to {found.problem.count} readings, data {key[:16]}" + (
        ", simulated" if found.problem.simulated else ""
    )
    path = output / "culture.yaml"
    write_atomic(path, fitted_culture(culture_text(place), grown, values, words, f"{grown.name}_fitted"))
    read_culture(path)  # what is written can be read
    return path


def _data(found: Fit, drawn: Posterior | None) -> dict[str, Any]:
    return found.to_data() | ({"posterior": drawn.to_data()} if drawn else {})


def _write(found: Fit, drawn: Posterior | None, output: Path, source: Path, key: str) -> list[Path]:
    from seedtrain.base import write_atomic, write_json
    from seedtrain.development import fit_blocks, posterior_blocks
    from seedtrain.report import Page, render_html

    mark = _("simulated") if found.problem.simulated else ""
    facts = [(_("model"), found.problem.name), (_("source"), source.name)]
    facts += [(_("data"), key)] if key else []
    blocks = (*fit_blocks(found), *(posterior_blocks(found, drawn) if drawn else ()))
    page = Page(_("Fit of {name}").format(name=found.problem.name), blocks, mark=mark, facts=facts)
    write_json(output / "fit.json", finite(_data(found, drawn)))
    write_atomic(output / "fit.html", render_html(page))
    if drawn:
        write_atomic(output / "draws.csv", drawn.to_csv())
    return [output / name for name in ("fit.json", "fit.html", *(["draws.csv"] if drawn else []))]


def _tell(found: Fit, drawn: Posterior | None, written: list[Path]) -> None:
    from seedtrain.development import advice_words, interval_words, marginal_words

    problem = found.problem
    print(_("{name}: negative log likelihood {value}, {readings} readings").format(
        name=problem.name, value=f"{found.best.objective:.4f}", readings=problem.count
    ) + (f" ({_('simulated')})" if problem.simulated else ""))  # fmt: skip
    print(_("{reached} of {count} starts reached it").format(reached=found.reached, count=len(found.starts)))
    values = found.values
    width = max(len(name) for name in problem.names)
    for item in problem.parameters:
        words = interval_words(found.intervals.get(item.name))
        print(f"  {item.name:<{width}} {values[item.name]:>12.5g} {item.unit:<10} {words}".rstrip())
    for advice in found.advice:
        print(advice_words(advice))
    if drawn:
        print(_("posterior: {count} draws, {level} % intervals").format(
            count=drawn.objective.size, level=f"{100 * drawn.level:g}"
        ))  # fmt: skip
        for marginal in drawn.marginals:
            print(f"  {marginal.name:<{width}} {marginal.median:>12.5g} {marginal_words(marginal)}")
    for warning in (*found.warnings, *(drawn.warnings if drawn else ())):
        print(_("warning: {words}").format(words=warning))
    for path in written:
        print(_("kept: {path}").format(path=path))


def _words(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _named(texts: list[str]) -> list[tuple[str, str]]:
    found = []
    for text in texts:
        name, equals, value = text.partition("=")
        if not (equals and name.strip() and value.strip()):
            raise InputError(f"{text!r} names nothing", remedy="Write NAME=VALUE, such as K_S=0.001..0.2.")
        found.append((name.strip(), value.strip()))
    return found


def _pair(text: str, mark: str) -> tuple[float, float]:
    first, between, second = text.partition(mark)
    try:
        if between:
            return float(first), float(second)
    except ValueError:
        pass
    raise InputError(f"{text!r} is not two numbers", remedy=f"Write them as 0.1{mark}0.2.")


def _errors(texts: list[str]) -> dict[str, ErrorModel]:
    from seedtrain.development import ErrorModel

    found = {}
    for name, text in _named(texts):
        kind, colon, size = text.partition(":")
        try:
            found[name] = ErrorModel(kind, float(size) if colon else None)
        except ValueError:
            raise InputError(f"--error {name}={text}", remedy="Write X=proportional or X=constant:0.1.") from None
    return found
