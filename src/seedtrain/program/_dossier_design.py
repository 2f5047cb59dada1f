"""Gene, strain and bench in the dossier."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np

from seedtrain.base import translate as _
from seedtrain.bioinformatics import Gene, criterion_words, limit_words, value_words
from seedtrain.program._dossier_case import Case, traced
from seedtrain.program._dossier_words import (
    STATES,
    amount,
    balance_words,
    exact,
    listed,
    number,
    percent,
    status_words,
)
from seedtrain.program._run_figures import run_figure
from seedtrain.quality import Verdict, verdict_words
from seedtrain.recipe import MasterRecipe
from seedtrain.report import (
    Block,
    Cell,
    Column,
    CurvePlot,
    Definitions,
    Figure,
    Folded,
    Heading,
    Line,
    LinePlot,
    Panel,
    Paragraph,
    Point,
    Table,
)
from seedtrain.simulation import Run, model_section


def gene_blocks(case: Case) -> Iterator[Block]:
    """The gene: what it is, its checks, what was relaxed, what to know."""
    gene, note = case.gene, case.stage_note("gene")
    file = next(iter(sorted(path.name for path in case.results["gene"].folder.glob("*.gb"))), "–")
    yield Heading(_("Gene"), new_page=True)
    yield Definitions(
        (
            (_("Product"), f"{gene.product.name}; {gene.product.title}".rstrip("; ")),
            (
                _("Protein"),
                _("{residues} residues, {mass} kDa, isoelectric point {point}").format(
                    residues=len(gene.product.sequence),
                    mass=number(gene.product.molar_mass / 1000),
                    point=number(case.results["gene"].data["protein"]["isoelectric_point"]),
                ),
            ),
            (_("Host"), gene.organism),
            (_("GenBank file"), f"out/stages/gene/{case.results['gene'].folder.name}/{file}"),
        )
    )
    yield Table(
        (Column(_("Property"), width=40), Column(_("Value"), "right")),
        _gene_figures(gene),
        _("The designed sequence, measured on the result"),
        note,
    )
    yield Table(
        (Column(_("Check")), Column(_("Value"), width=24), Column(_("Limit"), width=24), Column(_("Verdict"))),
        [
            (
                limit_words(item.name),
                value_words(item.value) or "–",
                value_words(item.limit) or "–",
                Cell(verdict_words(item.verdict), STATES[item.verdict]),
            )
            for item in gene.checks.criteria
        ],
        _("Checks of the gene"),
        note,
    )
    yield _reads(case)
    if gene.relaxed:
        heads = (Column(_("Limit")), Column(_("Asked")), Column(_("Used")), Column(_("Stuck at residue"), "right"))
        rows = [(limit_words(item.limit), item.asked, item.used, str(item.residue)) for item in gene.relaxed]
        yield Table(heads, rows, _("Limits that had to be relaxed"), note)
    yield Paragraph("\n".join(gene.notes))
    yield Paragraph(_("Sources: {sources}.").format(sources="; ".join(gene.sources)))


def _reads(case: Case) -> Table:
    """The verdict of the stage after the gene: on simulated reads of it."""
    data = case.results["verify"].data
    verdict = Verdict.from_data(data["verdict"])
    rows = [
        (
            criterion_words(item.name),
            value_words(item.value) or "–",
            value_words(item.limit) or "–",
            Cell(verdict_words(item.verdict), STATES[item.verdict]),
        )
        for item in verdict.criteria
    ]
    heads = (Column(_("Check")), Column(_("Value"), width=24), Column(_("Limit"), width=24), Column(_("Verdict")))
    words = _("{count} simulated reads of the gene: {verdict}. Nothing was sequenced.")
    caption = words.format(count=data["reads"], verdict=verdict_words(verdict.verdict))
    return Table(heads, rows, caption, case.stage_note("verify"))


def _gene_figures(gene: Gene) -> list[tuple[str, str]]:
    found = gene.figures
    return [
        (_("length with start and stop"), exact(found.length, "nt")),
        (_("codon adaptation index, highly expressed genes"), number(found.cai)),
        (_("codon adaptation index, whole genome"), number(found.cai_genome)),
        (_("GC content"), percent(found.gc)),
        (
            _("GC content of any window"),
            f"{percent(found.gc_window_low)} .. {percent(found.gc_window_high)}",
        ),
        (_("longest repeat"), f"{found.longest_repeat} nt"),
        (_("places whose {word} nt stand nowhere else").format(word=found.word), percent(found.unique_words)),
        (_("longest homopolymer"), f"{found.longest_homopolymer} nt"),
        (_("GC content of the start"), percent(found.start_gc)),
        (_("longest hairpin of the start"), _("{count} base pairs").format(count=found.start_stem)),
        (_("codons that the host avoids"), str(found.avoided_codons)),
        (_("starts inside the gene"), str(found.internal_starts)),
        (_("factor on q_P_max (assumed)"), number(gene.translation_factor)),
    ]


def strain_blocks(case: Case) -> Iterator[Block]:
    """The strain: trade-off, oxygen, and how far the process is from what stoichiometry allows."""
    strain, note = case.strain, case.stage_note("strain")
    both = f"{note}; {case.stage_note('bench', 'scale')}"
    yield Heading(_("Strain"))
    yield Figure(_trade_off(case), _("Growth against product: what the network allows, and where the process is"), both)
    yield Figure(_oxygen(case), _("Oxygen that goes with the most product at each growth rate"), note)
    yield Table(
        (
            Column(_("Yield of product on glucose"), width=40),
            Column("g/g", "right"),
            Column(_("of the limit"), "right"),
        ),
        [
            (name, number(value), percent(value / strain.theoretical_yield))
            for name, value in (
                (_("theoretical limit: every electron in the product"), strain.theoretical_yield),
                (_("network without maintenance"), strain.yield_without_maintenance),
                (_("network with maintenance, no growth"), strain.max_yield),
                (_("at the margin of growth, as used by the culture (Y_PS)"), strain.marginal.Y_PS),
                *(
                    (_("simulated, {unit}").format(unit=item.unit), overall_yield(item.production))
                    for item in case.scales
                ),
            )
        ],
        _("Yields against the theoretical limit"),
        both,
    )
    yield Paragraph("\n".join(strain.notes))
    yield Paragraph(_("Sources: {sources}.").format(sources="; ".join(strain.sources)))


def overall_yield(run: Run) -> float:
    """Product in the broth at the end over the glucose charged and fed, g/g."""
    glucose = run.totals["glucose_charged"][0] + run.totals["glucose_fed"][0]
    return run.final("P") * run.final("V") / glucose


def _trade_off(case: Case) -> CurvePlot:
    columns = case.strain.columns
    points = []
    for result in case.scales:
        mu, q_P = expression_rates(result.production)
        points.append(Point(result.unit, mu, q_P))
    lowest = min((point.y for point in points if point.y > 0), default=0.0)
    log = 0 < lowest < max(columns["q_P"]) / 20
    shown = [at for at, value in enumerate(columns["q_P"]) if value > 0 or not log]
    return CurvePlot(
        alt=_("The most product falls from {highest} g/g/h without growth to none at {growth} 1/h.").format(
            highest=number(case.strain.q_P_max), growth=number(case.strain.growth_max)
        ),
        x_title=_("growth rate, 1/h"),
        y_title=_("product formation, g/g/h"),
        curves=(
            Line(
                _("what the network allows"),
                [columns["mu"][at] for at in shown],
                [columns["q_P"][at] for at in shown],
            ),
        ),
        filled=(not log,),
        points=_apart(points),
        y_log=log,
    )


def _apart(points: list[Point]) -> list[Point]:
    """Points with one label where they lie on each other."""
    groups: list[tuple[Point, list[str]]] = []
    for point in points:
        for first, names in groups:
            near = abs(first.x - point.x) <= 0.01 and abs(first.y - point.y) <= 0.2 * max(first.y, point.y)
            if near:
                names.append(point.label)
                break
        else:
            groups.append((point, [point.label]))
    return [Point(", ".join(names), first.x, first.y) for first, names in groups]


def expression_rates(run: Run) -> tuple[float, float]:
    """Mean growth rate (1/h) and product formation (g/g/h) over the last phase, by time."""
    last = run.phases[-1]
    inside = (run.time >= last.start) & (run.time <= last.end)
    time = run.time[inside]
    width = float(time[-1] - time[0])
    means = [float(np.trapezoid(run[symbol][inside], time)) / width for symbol in ("mu", "q_P")]
    return means[0], means[1]


def _oxygen(case: Case) -> LinePlot:
    columns = case.strain.columns
    line = Line(_("oxygen"), columns["mu"], columns["q_O2"], colour=4)
    return LinePlot(
        alt=_("Oxygen uptake from {low} to {high} mmol/g/h over the growth rates.").format(
            low=number(min(columns["q_O2"])), high=number(max(columns["q_O2"]))
        ),
        x_title=_("growth rate, 1/h"),
        panels=(Panel(_("oxygen uptake, mmol/g/h"), (line,), height=0.9),),
    )


def bench_blocks(case: Case) -> Iterator[Block]:
    """The bench culture: its course, its parameters and where they come from, and its balances."""
    bench, note = case.bench, case.stage_note("bench")
    run = bench.production
    yield Heading(_("Bench"))
    counts = Counter(item.status for item in run.parameters)
    words = listed(
        _("{count} {status}").format(count=count, status=status_words(status))
        for status, count in sorted(counts.items())
    )
    text = _("The culture {culture} grows in {vessel} as the recipe says. Of its {count} parameters, {words}.")
    yield Paragraph(text.format(culture=run.culture, vessel=run.vessel, count=len(run.parameters), words=words))
    figure = run_figure(run, oxygen_floor=oxygen_floor(bench.control.recipe), mark="")
    yield Figure(figure, _("The production in {unit}").format(unit=bench.unit), note)
    yield Table(
        (
            Column(_("Parameter")),
            Column(_("Value"), "right"),
            Column(_("Measured in")),
            Column(_("Kind of source")),
            Column(_("Source"), width=45),
        ),
        [
            (
                Cell(item.name, style="strong"),
                number(item.value),
                item.unit,
                Cell(status_words(item.status), style="muted" if item.status == "assumed" else ""),
                item.source,
            )
            for item in run.parameters
        ],
        _("Parameters as used, with where each comes from"),
        note,
        small=True,
    )
    yield balance_table(case)
    model = model_section(case.design.culture(case.results))
    yield Folded(model.title, traced(model.blocks, case.stage_note("gene", "strain")))


def balance_table(case: Case) -> Table:
    """What is not accounted for in the balances of each production run."""
    names = [item.name for item in case.bench.production.balances]
    found = [{item.name: item for item in result.production.balances} for result in case.scales]
    heads = [
        Column(_("Balance")),
        Column(_("Inlet, {unit}").format(unit=case.bench.unit), "right"),
        Column(_("Outlet"), "right"),
        Column(_("Accumulated"), "right"),
        *(Column(_("not accounted for, {unit}").format(unit=result.unit), "right") for result in case.scales),
    ]
    rows = []
    for name in names:
        own = found[0][name]
        rows.append(
            (
                balance_words(name),
                amount(own.inlet, own.unit),
                amount(own.outlet, own.unit),
                amount(own.accumulated, own.unit),
                *(number(abs(item[name].relative), 2) if name in item else "–" for item in found),
            )
        )
    caption = _("Closure of the balances; the last columns are fractions of what went in")
    return Table(heads, rows, caption, case.stage_note("bench", "scale"), small=True)


def oxygen_floor(recipe: MasterRecipe) -> float | None:
    """The lowest dissolved oxygen that any phase of the production allows, % of air saturation."""
    production = recipe.production
    limits = [
        phase.limits["dissolved_oxygen"].low
        for operation in production.operations
        for phase in operation.phases
        if "dissolved_oxygen" in phase.limits
    ]
    return min((item.magnitude("%") for item in limits if item is not None), default=None)
