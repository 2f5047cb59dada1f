"""`seedtrain fit`: parameters of a culture from one's own runs, or of a PEtab problem."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from seedtrain.base import EXIT_DONE, EXIT_FAIL, EXIT_INCONCLUSIVE, InputError, finite
from seedtrain.base import translate as _
from seedtrain.cli._common import Common, print_json, shown_progress
from seedtrain.cli._fit_between import between_asked
from seedtrain.cli._measured import Asked, Measured, measured_culture, words

if TYPE_CHECKING:
    from seedtrain.base import Progress
    from seedtrain.development import Between, Fit, HybridRate, HybridStudy, PetabTables, Posterior, Problem

Texts = list[str] | None
Rates = Annotated[Texts, Parameter(negative="", help="q_P=gp:S,X: learn this rate of the culture; repeat it.")]


def fit(
    source: Path,
    *,
    data: Annotated[Path | None, Parameter(help="The mapping of one's own data.")] = None,
    fit: Annotated[str, Parameter(help="Parameters of the culture, with commas: q_S_max,K_S.")] = "",
    observables: Annotated[str, Parameter(help="Variables to compare, with commas; all that were read.")] = "",
    error: Annotated[Texts, Parameter(negative="", help="X=proportional or S=constant:0.1; repeat it.")] = None,
    per_run: Annotated[str, Parameter(help="Those of --fit with a value of their own in every run.")] = "",
    between: Annotated[
        str, Parameter(help="What differs between runs: auto, none, or names, Y_em or Y_em=2 %, with commas.")
    ] = "auto",
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
    hybrid: Rates = None,
    output: Annotated[Path | None, Parameter(name=["--output", "-o"], help="Folder of the results.")] = None,
    common: Common | None = None,
) -> int:
    """Fit parameters to measured runs, and say what the data cannot tell and which reading would.

    With --data a recipe's culture is fitted; -o gets fit.json, fit.html and culture.yaml with `status: fitted`. Whether
    runs differ from one another more than readings scatter is asked of them, and intervals count it (--between).
    Else the source is a PEtab problem (version 1), and -o gets it back with its estimates. With --posterior, -o
    gets draws.csv too; exit 3 where the chains do not agree. With --hybrid a rate is also learned from states, by a
    Gaussian process (gp) or a small network (net), in place of the culture's own form or (q_P*=gp:S) times it, and
    both predict runs that they have not seen: exit 0 where the learned one is better, 1 where it is not, 3 where
    nothing can be said; -o gets culture-hybrid.yaml. Killed, the same command with the same -o goes on where it
    was.

    Example: seedtrain fit recipe.yaml --data mapping.yaml --fit q_S_max,K_S -o fitted

    Example: seedtrain fit recipe.yaml --data mapping.yaml --fit q_S_max --hybrid q_P=gp:S,T -o fitted

    Example: seedtrain fit problem.yaml --starts 50 -o fitted

    Example: seedtrain fit problem.yaml --posterior 2000 -o fitted

    Parameters
    ----------
    source
        A recipe, or the YAML file of a PEtab problem.
    """
    options = common or Common()
    from seedtrain.base import part, use_language
    from seedtrain.development import fit_problem, hybrid_rate, sample_posterior

    _check_numbers(level, posterior, starts, hops)
    mine = {"--fit": fit, "--observables": observables, "--error": error, "--per-run": per_run, "--bounds": bounds,
            "--prior": prior, "--culture": culture, "--plant": plant, "--hybrid": hybrid,
            "--between": "" if between == "auto" else between}  # fmt: skip
    _check_words(data, mine)
    asked = None if data is None else Asked(
        source, data, fit, observables, tuple(error or ()), per_run, tuple(bounds or ()), tuple(prior or ()),
        culture, plant,
    )  # fmt: skip
    forms = [hybrid_rate(text) for text in hybrid or []]
    drawn = study = None
    with use_language(options.lang), shown_progress(as_json=options.json) as progress:
        wanted = _petab(source) if asked is None else _measured(asked, between, forms, progress)
        searched = 1.0 if posterior is None and not forms else 0.3
        usual = (20, 2) if asked is None else (2, 0)
        found = fit_problem(
            wanted.problem, count=usual[0] if starts is None else starts, seed=seed, level=level / 100,
            hops=usual[1] if hops is None else hops, profiles=_profiled(profiles, wanted.problem),
            between=wanted.between, keep=output / "starts.json" if output else None,
            progress=part(progress, 0.0, searched),
        )  # fmt: skip
        if posterior is not None:
            drawn = sample_posterior(
                found, posterior, seed=seed, keep=output, progress=part(progress, searched, 0.6 if forms else 1.0)
            )
        if forms and wanted.measured is not None:
            study = _study(wanted.measured, found, forms, seed, output, part(progress, 0.6 if drawn else searched, 1.0))
        written = [] if output is None else _keep(found, drawn, study, output, source, wanted)
    with use_language(options.lang):
        if options.json:
            told = _data(found, drawn, study)
            key = wanted.measured.key if wanted.measured else None
            print_json({**told, "data_digest": key or None, "written": [str(path) for path in written]})
        else:
            _tell(found, drawn, study, written)
    return _outcome(drawn, study)


@dataclass(frozen=True)
class _Wanted:
    """What is to be fitted, and of what: tables of PEtab, or a culture on measured runs."""

    problem: Problem
    tables: PetabTables | None = None
    measured: Measured | None = None
    between: Between | None = None


def _petab(source: Path) -> _Wanted:
    from seedtrain.development import petab_problem, read_petab_tables

    tables = read_petab_tables(source)
    return _Wanted(petab_problem(tables), tables)


def _measured(asked: Asked, between: str, forms: list[HybridRate], progress: Progress) -> _Wanted:
    from seedtrain.development import check_hybrid

    measured = measured_culture(asked, progress)
    check_hybrid(measured.culture, forms, len(measured.runs))
    return _Wanted(measured.problem, None, measured, between_asked(between, measured))


def _profiled(text: str, problem: Problem) -> tuple[str, ...] | None:
    """The parameters of `--profiles`; None for all."""
    if text in ("all", "none"):
        return None if text == "all" else ()
    chosen = words(text)
    for name in chosen:
        if name not in problem.names:
            raise InputError(f"--profiles {name}: nothing is estimated of that name",
                             remedy=f"Use some of: {', '.join(problem.names)}.")  # fmt: skip
    return tuple(chosen)


def _keep(
    found: Fit, drawn: Posterior | None, study: HybridStudy | None, output: Path, source: Path, wanted: _Wanted
) -> list[Path]:
    """The files of the results, and the problem with its estimates or the culture with its fitted values."""
    from seedtrain.development import write_petab

    written = _write(found, drawn, study, output, source, wanted.measured)
    if wanted.tables is not None:
        return [*written, write_petab(wanted.tables, output / "petab", found.values)]
    assert wanted.measured is not None
    return [*written, _culture_file(found, output, wanted.measured)]


def _check_numbers(level: float, posterior: int | None, starts: int | None, hops: int | None) -> None:
    if not 50 <= level < 100:
        raise InputError(f"--level {level:g}", remedy="Give 50 to 99.9 %.")
    if posterior is not None and posterior < 400:
        raise InputError(f"--posterior {posterior}", remedy="Ask for 400 draws or more; 2000 for a report.")
    for name, value in (("--starts", starts), ("--hops", hops)):
        if value is not None and value < 0:
            raise InputError(f"{name} {value}", remedy="Give 0 or more.")


def _check_words(data: Path | None, mine: dict[str, Any]) -> None:
    """What was given belongs together; `mine` is what only a culture's fit takes."""
    if data is None and any(mine.values()):
        given = ", ".join(name for name, value in mine.items() if value)
        raise InputError(f"{given} without --data", remedy="Give the mapping of the data: --data mapping.yaml.")
    if data is not None and not mine["--fit"]:
        raise InputError("--data without --fit", remedy="Name parameters of the culture: --fit q_S_max,K_S.")
    if mine["--hybrid"] and mine["--per-run"]:
        raise InputError("--hybrid with --per-run", remedy="Fit values that every run shares: a run left out has none.")


def _outcome(drawn: Posterior | None, study: HybridStudy | None) -> int:
    """The exit code: chains that do not agree, or too few runs, conclude nothing."""
    if drawn is not None and not drawn.mixed:
        return EXIT_INCONCLUSIVE
    if study is None:
        return EXIT_DONE
    return {"better": EXIT_DONE, "no better": EXIT_FAIL, "inconclusive": EXIT_INCONCLUSIVE}[study.judgement]


def _study(
    measured: Measured, found: Fit, forms: list[HybridRate], seed: int, output: Path | None, progress: Progress
) -> HybridStudy:
    from seedtrain.development import culture_text, hybrid_study

    keep = output / "hybrid.json" if output else None
    return hybrid_study(
        culture_text(measured.place), measured.culture, measured.runs, found, measured.fit, forms, seed=seed, keep=keep,
        progress=progress, **measured.options,
    )  # fmt: skip


def _culture_file(found: Fit, output: Path, measured: Measured) -> Path:
    """The culture with its fitted values, where every run shares them."""
    from seedtrain.base import write_atomic
    from seedtrain.development import culture_text, fitted_culture
    from seedtrain.simulation import read_culture

    grown = read_culture(measured.place)
    values = {item: value for item, value in found.values.items() if item in grown.parameters}
    words = f"fitted to {found.problem.count} readings, data {measured.key[:16]}" + (
        ", simulated" if found.problem.simulated else ""
    )
    path = output / "culture.yaml"
    write_atomic(path, fitted_culture(culture_text(measured.place), grown, values, words, f"{grown.name}_fitted"))
    read_culture(path)  # what is written can be read
    return path


def _data(found: Fit, drawn: Posterior | None, study: HybridStudy | None) -> dict[str, Any]:
    told = found.to_data() | ({"posterior": drawn.to_data()} if drawn else {})
    return told | ({"hybrid": study.to_data()} if study else {})


def _write(
    found: Fit,
    drawn: Posterior | None,
    study: HybridStudy | None,
    output: Path,
    source: Path,
    measured: Measured | None,
) -> list[Path]:
    from seedtrain.base import write_atomic, write_json
    from seedtrain.development import fit_blocks, hybrid_blocks, posterior_blocks
    from seedtrain.report import Page, render_html

    mark = _("simulated") if found.problem.simulated else ""
    facts = [(_("model"), found.problem.name), (_("source"), source.name)]
    facts += [(_("data"), measured.key)] if measured else []
    blocks = (
        *(hybrid_blocks(study) if study else ()), *fit_blocks(found), *(posterior_blocks(found, drawn) if drawn else ())
    )  # fmt: skip
    page = Page(_("Fit of {name}").format(name=found.problem.name), blocks, mark=mark, facts=facts)
    asked = {"asked": {**measured.asked.to_data(output), "data_digest": measured.key}} if measured else {}
    write_json(output / "fit.json", finite(_data(found, drawn, study) | asked))
    write_atomic(output / "fit.html", render_html(page))
    if drawn:
        write_atomic(output / "draws.csv", drawn.to_csv())
    if study:
        write_atomic(output / "culture-hybrid.yaml", study.text)
    more = [*(["draws.csv"] if drawn else []), *(["culture-hybrid.yaml"] if study else [])]
    return [output / name for name in ("fit.json", "fit.html", *more)]


def _opened(found: Fit) -> list[str]:
    """The parameters that a reading or a further run would tell."""
    problem = found.problem
    runs = [name for at, name in enumerate(problem.names) if at not in problem.noise
            and not (item := found.intervals[name]).identified and item.method == "between runs"]  # fmt: skip
    return list(dict.fromkeys([*(item.parameter for item in found.advice), *runs]))


def _tell(found: Fit, drawn: Posterior | None, study: HybridStudy | None, written: list[Path]) -> None:
    from seedtrain.development import (
        advice_beside,
        advice_words,
        between_words,
        hybrid_lines,
        interval_words,
        marginal_words,
        scatter_words,
        tied_words,
    )

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
    for line in filter(None, (scatter_words(found), *between_words(found))):
        print(line)
    for each in found.tied:
        print(tied_words(each))
    for advice in advice_beside(found):
        print(advice_words(advice))
    opened = _opened(found)
    if opened and any(path.name == "culture.yaml" for path in written):
        asked = f"seedtrain experiments identify {written[0]} --aim {','.join(opened)}"
        print(_("To plan the run that would tell most of them: {command}").format(command=asked))
    if drawn:
        print(_("posterior: {count} draws, {level} % intervals").format(
            count=drawn.objective.size, level=f"{100 * drawn.level:g}"
        ))  # fmt: skip
        width = max(len(marginal.name) for marginal in drawn.marginals)
        for marginal in drawn.marginals:
            agreed = _("split R-hat {rhat}, {ess} effective draws").format(
                rhat=f"{marginal.rhat:.3f}", ess=f"{min(marginal.ess, marginal.tail):.0f}"
            )
            print(f"  {marginal.name:<{width}} {marginal.median:>12.5g} {marginal_words(marginal):<24} {agreed}")
    for line in hybrid_lines(study) if study else ():
        print(line)
    for warning in (*found.warnings, *(drawn.warnings if drawn else ()), *(study.warnings if study else ())):
        print(_("warning: {words}").format(words=warning))
    for path in written:
        print(_("kept: {path}").format(path=path))
