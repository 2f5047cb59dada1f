"""A posterior as blocks of the fit's page: intervals, whether the chains agree, marginals, pairs of the sloppiest."""

from __future__ import annotations

import math

import numpy as np

from seedtrain.base import translate as _
from seedtrain.development._estimation._fit import Fit
from seedtrain.development._estimation._inputs import Floats
from seedtrain.development._estimation._parameters import FitParameter
from seedtrain.development._estimation._posterior import Marginal, Posterior
from seedtrain.report import Block, Cell, Column, CurvePlot, Figure, Heading, Line, Notice, Paragraph, Table

BINS = 30
MOST_MARGINALS = 12
SHOWN = 400
"""Draws shown of a pair."""


def posterior_blocks(fit: Fit, found: Posterior) -> tuple[Block, ...]:
    """The blocks about `found`, the posterior of `fit`."""
    chains, count, _parameters = found.draws.shape
    how = _("{chains} chains of {count} draws by Hamiltonian Monte Carlo; {share} % of the trajectories were accepted.")
    if found.more:
        how = _(
            "{chains} chains of {count} draws of a linear model about every run's own values; {share} % of the steps "
            "were accepted."
        )
    even = _("Without a prior, a parameter is as likely anywhere between its bounds on the scale of the search.")
    words = how.format(chains=chains, count=count, share=f"{100 * found.acceptance:.0f}") + " " + even
    return (
        Heading(_("Posterior")),
        *(Notice(warning, kind="warning") for warning in found.warnings),
        Paragraph(words),
        _table(found),
        *(_marginal(found, at) for at in range(min(len(found.problem.names), MOST_MARGINALS))),
        *_pairs(fit, found),
    )


def marginal_words(item: Marginal) -> str:
    """An interval, or on which side a bound decides."""
    if item.low is not None and item.high is not None:
        return f"{item.low:.4g} .. {item.high:.4g}"
    if item.low is None and item.high is None:
        return _("refused")
    if item.low is None:
        return _("refused: open below, at most {high}").format(high=f"{item.high:.4g}")
    return _("refused: open above, at least {low}").format(low=f"{item.low:.4g}")


def _table(found: Posterior) -> Table:
    units = {item.name: item.unit for item in found.problem.parameters}
    rows = [
        (
            item.name, f"{item.median:.5g}",
            Cell(marginal_words(item), "" if None not in (item.low, item.high) else "unknown"),
            units.get(item.name.removeprefix("between:"), ""), f"{item.rhat:.3f}", f"{min(item.ess, item.tail):.0f}",
        )
        for item in found.marginals
    ]  # fmt: skip
    head = _("interval, {level} %").format(level=f"{100 * found.level:g}")
    columns = (
        Column(_("parameter")), Column(_("median"), "right"), Column(head), Column(_("unit")),
        Column(_("split R-hat"), "right"), Column(_("effective draws"), "right"),
    )  # fmt: skip
    return Table(columns, rows)


def _marginal(found: Posterior, at: int) -> Figure:
    """A histogram of each chain, on the parameter's own scale."""
    about = found.problem.parameters[at]
    values = found.draws[..., at]
    log = _logged(about, values)
    shown = np.log10(values) if log else values
    edges = np.linspace(shown.min(), shown.max(), BINS + 1) if np.ptp(shown) > 0 else np.linspace(-1, 1, BINS + 1)
    lines = []
    for number, row in enumerate(shown, 1):
        heights = np.histogram(row, edges, density=True)[0]
        x = np.repeat(edges, 2)[1:-1]
        label = _("chain {number}").format(number=number)
        lines.append(Line(label, 10.0**x if log else x, np.repeat(heights, 2)))
    title = f"{about.name} {about.unit}".strip()
    plot = CurvePlot(about.name, title, _("density of the draws"), lines, x_log=log)
    return Figure(plot, about.name)


def _logged(about: FitParameter, values: Floats) -> bool:
    """Whether an axis is to be logarithmic: the search was, and the draws span a decade."""
    return about.scale != "lin" and float(values.max()) > 10 * float(values.min())


def _pairs(fit: Fit, found: Posterior) -> list[Block]:
    """The two largest parts of the sloppiest directions, against each other."""
    blocks: list[Block] = []
    done: set[frozenset[str]] = set()
    for item in reversed(fit.directions):
        names = [name for name, _part in item.parts[:2]]
        if len(names) < 2 or frozenset(names) in done or len(blocks) >= 3:
            continue
        done.add(frozenset(names))
        first, second = (found.problem.parameters[found.problem.names.index(name)] for name in names)
        every = max(1, math.ceil(found.draws.shape[0] * found.draws.shape[1] / SHOWN))
        x, y = (found.draws[..., found.problem.names.index(name)].ravel()[::every] for name in names)
        x_title, y_title = (f"{each.name} {each.unit}".strip() for each in (first, second))
        plot = CurvePlot(
            f"{first.name}, {second.name}", x_title, y_title,
            [Line(_("draws"), x, y, "points")], x_log=_logged(first, x), y_log=_logged(second, y),
        )  # fmt: skip
        blocks.append(Figure(plot, _("Along a direction that the data hardly tell")))
    return blocks
