"""How runs differ, in sentences and as a table of the fit's page."""

from __future__ import annotations

import math

from seedtrain.base import translate as _
from seedtrain.development._estimation._between import FEW, BetweenRuns, Deviation
from seedtrain.development._estimation._fit import Fit
from seedtrain.report import Block, Column, Heading, Notice, Paragraph, Table

LEAST = 1e-4
"""A probability below this is told as that."""


def between_words(fit: Fit) -> tuple[str, ...]:
    """Whether runs differ from one another, how far, and whether the intervals count it."""
    told = fit.between
    if told is None:
        return ()
    found = [
        verdict_words(told),
        *(_deviation(fit, item) for item in told.deviations if told.counted and item.deviation > 0),
    ]
    if not told.counted:
        found += [_overlooked(fit, item) for item in told.deviations]
    advised = {item.parameter for item in fit.advice}
    refused = [name for name, item in fit.intervals.items() if not item.identified and item.method == "between runs"]
    opened = [name for name in refused if name not in advised]
    if opened:
        words = _("Because runs differ, {names} stays open: further runs would tell it.")
        found.append(words.format(names=", ".join(opened)))
    found += few_runs_words(told)
    if not told.settled:
        found.append(_("The values of the runs did not settle: take these intervals for rough."))
    return tuple(found)


def few_runs_words(told: BetweenRuns) -> list[str]:
    """That there are too few runs to tell how far runs differ, where it is so."""
    if len(told.runs) > FEW or told.verdict == "declared":
        return []
    words = _("{count} runs are too few to tell how far runs differ: the intervals hold for runs like these.")
    if told.counted:
        words = _("{count} runs are too few to tell how far runs differ: further runs would shorten intervals most.")
    return [words.format(count=len(told.runs))]


def verdict_words(told: BetweenRuns) -> str:
    """Whether runs differ from one another, and whether that is counted."""
    if told.probability is None:
        return _("Runs differ as declared; values and intervals are those of the typical run.")
    chance = f"p = {told.probability:.2g}" if told.probability >= LEAST else f"p < {LEAST:g}"
    words = {
        ("evident", True): _(
            "The {count} runs differ from one another ({chance}); values and intervals are those of the typical "
            "run and count it."
        ),
        ("possible", True): _(
            "The {count} runs may differ from one another ({chance}); values and intervals are those of the "
            "typical run and count it."
        ),
        ("not evident", True): _(
            "That the {count} runs differ from one another is not evident ({chance}); values and intervals count "
            "it all the same."
        ),
        ("evident", False): _(
            "The {count} runs differ from one another ({chance}), and the intervals do not count it."
        ),
        ("possible", False): _(
            "The {count} runs may differ from one another ({chance}); the intervals do not count it."
        ),
        ("not evident", False): _("That the {count} runs differ from one another is not evident ({chance})."),
    }
    return words[told.verdict, told.counted].format(count=len(told.runs), chance=chance)


def _size(fit: Fit, name: str, deviation: float) -> str:
    """A standard deviation in the parameter's unit and as a part of its value."""
    about = next(item for item in fit.problem.parameters if item.name == name)
    value = abs(fit.values[name])
    share = 100 * deviation / value if value > 0 else math.inf
    part = f" ({share:.2g} %)" if share < 99.5 else f" ({share:.0f} %)" if math.isfinite(share) else ""
    return f"{deviation:.2g} {about.unit}".strip() + part


def _deviation(fit: Fit, item: Deviation) -> str:
    size = _size(fit, item.name, item.deviation)
    if item.given:
        return _("{parameter} varies between runs by {size}, declared.").format(parameter=item.name, size=size)
    if item.high is None:
        ends = _("at least {low}").format(low=f"{item.low:.2g}")
    else:
        ends = f"{item.low:.2g} .. {item.high:.2g}"
    words = _("{parameter} varies between runs by {size}, standard deviation; {level} % interval {ends}.")
    return words.format(parameter=item.name, size=size, level=f"{100 * fit.level:g}", ends=ends)


def _overlooked(fit: Fit, item: Deviation) -> str:
    if item.high is None:
        return _("How far {parameter} varies between runs these runs cannot tell.").format(parameter=item.name)
    return _("{parameter} varies between runs by {size} at most.").format(
        parameter=item.name, size=_size(fit, item.name, item.high)
    )


def between_blocks(fit: Fit) -> tuple[Block, ...]:
    """The part of a fit's page about how runs differ."""
    told = fit.between
    if told is None:
        return ()
    sentences = between_words(fit)
    first: Block = Notice(sentences[0], kind="warning") if told.verdict == "evident" else Paragraph(sentences[0])
    found: list[Block] = [Heading(_("Differences between runs")), first, *map(Paragraph, sentences[1:])]
    if told.own:
        names = list(told.own)
        columns = (Column(_("run")), *(Column(name, "right") for name in names))
        rows = [(run, *(f"{told.own[name][at]:.4g}" for name in names)) for at, run in enumerate(told.runs)]
        found.append(Table(columns, rows))
    return tuple(found)
