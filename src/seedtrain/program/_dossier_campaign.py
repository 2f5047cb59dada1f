"""From data to decision in the dossier: what the campaign told, what was chosen with it, and what would tell more."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from seedtrain.base import translate as _
from seedtrain.development import Advice, BetweenRuns, advice_words, few_runs_words
from seedtrain.program._dossier_case import Case
from seedtrain.program._dossier_words import (
    STATES,
    amount,
    attribute_words,
    change,
    lever_words,
    listed,
    move_words,
    need_words,
    number,
    percent,
    sentences,
    span,
    stage_words,
    state_word,
)
from seedtrain.program._next_experiment import TELLS
from seedtrain.quality import verdict_words
from seedtrain.report import (
    Block,
    Cell,
    Column,
    Figure,
    Folded,
    GapPlot,
    GapRow,
    Heading,
    Notice,
    Paragraph,
    State,
    Table,
)

Row = Mapping[str, Any]
_WHY: Final[Mapping[str, Callable[[], str]]] = {
    "own fit": lambda: _("the fit was given without its readings"),
    "one scale": lambda: _("the readings are not of bench and pilot"),
    "no symbol": lambda: _("bench and pilot have no readings in common of what the campaign measures"),
}
"""Why nothing was compared, by the word that the stage left."""
SAME: Final = 0.001
"""A mean distance from the limits (logarithm) that moves less has not moved."""
SURE = 0.95
"""Probability from which on a row of the plot counts as met, and below 1 less it as missed."""


def campaign_section(case: Case) -> Iterator[Block]:
    """The campaign, the fit, the choice, bench against pilot, and what would tell more; nothing without a campaign."""
    if "campaign" not in case.results:
        yield from changed_blocks(case)
        return
    before, choose = case.results["before"].data, case.results["choose"].data
    looks = ((_("before the data"), before), (_("fitted"), choose["own"]), (_("chosen"), choose["chosen"]))
    note = case.stage_note("before", "choose")
    yield Heading(_("From data to decision"))
    if case.results["campaign"].data["simulated"]:
        yield Notice(_simulated_words(case), _("The runs of the campaign are simulated."), "warning")
    yield Paragraph(_lead(case), lead=True)
    yield Figure(_plot(before, choose["chosen"]), _("Every criterion before the data and after the choice"), note)
    yield _criteria(looks, note)
    yield Heading(_("What the data tell of the culture"), level=3)
    yield _estimates(case)
    yield from _differ(case.results["fit"].data.get("between_runs"))
    yield from _scatter(case.results["fit"].data["scatter"])
    yield from (Paragraph(advice_words(_advice(item))) for item in case.results["fit"].data["advice"])
    yield from _choice(case)
    yield from _comparison(case)
    yield from _experiments(case)
    yield Folded(_("Runs of the campaign"), (_runs(case),))
    yield from changed_blocks(case)


def _simulated_words(case: Case) -> str:
    text = _(
        "Nobody measured them. They follow a hidden truth that was drawn from the ranges in campaign.yaml by the seed "
        "{seed}, and were read with the errors of the assays; the batch and the comparison follow the same truth. Its "
        "equations are those of the model: such runs show what readings tell of parameters, never that the equations "
        "are right."
    )
    assert case.program.campaign is not None
    return text.format(seed=case.program.campaign.entry.truth)


def _lead(case: Case) -> str:
    before, choose = case.results["before"].data, case.results["choose"].data
    own, chosen = choose["own"], choose["chosen"]
    far = [percent(math.expm1(item["shortfall"]["value"]), 3) for item in (before, own, chosen)]
    parts = [
        _(
            "On the weighted mean the process is {before} away from the limits of the need as far as was known before "
            "the data, {own} with the fitted culture, and {chosen} at the chosen set points."
        ).format(before=far[0], own=far[1], chosen=far[2])
    ]
    if choose["settings"]:
        text = _("The choice makes the gap smaller with a probability of {probability}.")
        parts.append(text.format(probability=percent(choose["shrinks"], 2)))
    else:
        parts.append(_("No other set points were found better than the recipe's own, which stay."))
    parts.append(_since_words(before, chosen, choose["since"]))
    text = _("All criteria with a number are met together with a probability of {before} before and {after} after.")
    parts.append(text.format(before=percent(before["joint"], 2), after=percent(chosen["joint"], 2)))
    return sentences(parts)


def _since_words(before: Row, chosen: Row, since: float) -> str:
    """Whether the process is nearer to its limits than was thought before the data, which may show the contrary."""
    moved = chosen["shortfall"]["value"] - before["shortfall"]["value"]
    if abs(moved) < SAME:
        text = _("Data and choice together leave the gap as large as it was thought to be before them.")
    elif moved < 0:
        text = _(
            "Data and choice together make the gap smaller than it was thought to be, with a probability of {since}."
        )
    else:
        text = _(
            "The gap is larger than it was thought to be before the data: they showed a process that does less than "
            "the published culture promised. That it is smaller all the same has a probability of {since}."
        )
    return text.format(since=percent(since, 2))


def _plot(before: Row, after: Row) -> GapPlot:
    rows, words = [], []
    for first, then in zip(before["criteria"], after["criteria"], strict=True):
        name = attribute_words(first["attribute"])
        for when, row in ((_("before"), first), (_("after"), then)):
            ends = sorted(_margin(row, row[end]) for end in ("low", "high"))
            label = _("{what}, {when}").format(what=name, when=when)
            told = _("met with {probability}").format(probability=percent(row["probability"], 2))
            rows.append(GapRow(label, _state(row), _margin(row, row["value"]), ends[0], ends[1], told))
            words.append(f"{label}: {told}")
    return GapPlot(alt="; ".join(words), rows=rows)


def _margin(row: Row, value: float) -> float:
    """Above 1 where the limit is kept."""
    value = max(value, 1e-12)
    return float(value / row["limit"] if row["operator"] == ">=" else row["limit"] / value)


def _state(row: Row) -> State:
    return "met" if row["probability"] >= SURE else "missed" if row["probability"] <= 1 - SURE else "unknown"


def _criteria(looks: tuple[tuple[str, Row], ...], note: str) -> Table:
    heads = [Column(_("Criterion"), width=18), Column(_("Need"))]
    heads += [Column(when, width=24) for when, _look in looks]
    rows = []
    for number_of, first in enumerate(looks[0][1]["criteria"]):
        cells: list[str | Cell] = [Cell(attribute_words(first["attribute"]), style="strong")]
        cells.append(need_words(first, ""))
        for _when, look in looks:
            row = look["criteria"][number_of]
            told = _("met with {probability}").format(probability=percent(row["probability"], 2))
            text = f"{amount(row['value'], row['unit'])} ({span(row['low'], row['high'])}); {told}"
            cells.append(Cell(text, _state(row)))
        rows.append(cells)
    caption = _("Prediction at production scale with its 5 to 95 % interval, and the probability that it is met")
    return Table(heads, rows, caption, note, small=True)


def _advice(item: Row) -> Advice:
    """What to measure for a parameter that the data leave open, as the fit said it."""
    return Advice(**{**item, "along": tuple(item["along"].items())})


def _estimates(case: Case) -> Table:
    truth = case.results["campaign"].data["truth"]
    heads = [
        Column(_("Parameter")),
        Column(_("Published"), "right"),
        Column(_("Sought in")),
        Column(_("Fitted"), "right"),
        Column(_("90 % interval")),
        Column(_("Measured in")),
        *([Column(_("Hidden truth (simulated)"), "right")] if truth else []),
    ]
    rows = []
    for item in case.results["fit"].data["parameters"]:
        reach = span(item["low"], item["high"]) or _("refused: the data leave it open")
        cells: list[str | Cell] = [
            Cell(item["name"], style="strong"), number(item["literature"]), span(*item["range"]),
            number(item["value"], 4), reach, item["unit"],
        ]  # fmt: skip
        if truth:
            cells.append(number(truth.get(item["name"]), 4))
        rows.append(cells)
    caption = _("Parameters of the culture before and after the fit")
    return Table(heads, rows, caption, case.stage_note("campaign", "fit"), small=True)


def _differ(told: Mapping[str, Any] | None) -> Iterator[Block]:
    """Runs that differ from one another more than their readings scatter, and whether there are enough to tell."""
    if told is None:
        return
    if told["counted"]:
        sizes = ", ".join(item["name"] for item in told["deviations"] if item["deviation"] > 0)
        text = _(
            "The runs differ from one another in {parameters}: values are those of the typical run, and the intervals "
            "count it. Each run's own values stand in fit.html."
        )
        yield Paragraph(text.format(parameters=sizes))
    yield from map(Paragraph, few_runs_words(BetweenRuns.from_data(told)))


def _scatter(scatter: float) -> Iterator[Block]:
    """Readings that scatter more than their errors say, and what that does to the intervals."""
    if scatter > 1.0:
        text = _(
            "The readings lie {root} times as far from the fitted culture as the errors in campaign.yaml say, which "
            "is no chance; the intervals are wider by that. Either the errors are too small, or runs were not as the "
            "recipe says, or the equations are not those of this strain: look at the residuals in fit.html."
        )
        yield Notice(
            text.format(root=number(math.sqrt(scatter), 2)), _("The fit does not explain the readings."), "warning"
        )


def _choice(case: Case) -> Iterator[Block]:
    choose = case.results["choose"].data
    yield Heading(_("Set points that were chosen"), level=3)
    if not choose["settings"]:
        yield Paragraph(_("None: the recipe's own set points stay."))
        return
    rows = [
        (f"{item['path']}: {item['parameter'].replace('_', ' ')}", amount(item["before"], item["unit"], 4),
         amount(item["after"], item["unit"], 4))
        for item in choose["settings"]
    ]  # fmt: skip
    heads = (Column(_("Set point"), width=50), Column(_("Recipe"), "right"), Column(_("Chosen"), "right"))
    caption = _("Chosen within the recipe's own limits; the batch ran at them")
    yield Table(heads, rows, caption, case.stage_note("choose"))
    truth = case.results["compare"].data["truth"]
    if truth:
        yield Paragraph(_truth_words(case, truth))


def _truth_words(case: Case, truth: Row) -> str:
    """What the hidden truth does at production scale: only a simulation can know it."""
    looks = [truth[name] or {} for name in ("before", "own", "chosen")]
    facts = [
        f"{attribute_words(name)} {' → '.join(number(look.get(name)) for look in looks)} {unit}"
        for name, unit in (("titre", "g/L"), ("cost", "USD/kg"), ("carbon", "kg CO2e/kg"))
    ]
    text = _(
        "The hidden truth itself would give in {vessel}, run as the published culture says, as the fitted one says, "
        "and at the chosen set points: {facts}."
    )
    return text.format(vessel=case.production.unit, facts=listed(facts))


def _comparison(case: Case) -> Iterator[Block]:
    found = case.results["compare"].data
    yield Heading(_("Bench against pilot, and the prediction against both"), level=3)
    if found["why"]:
        text = _("Nothing was compared: {why}.")
        yield Paragraph(text.format(why=_WHY[found["why"]]()))
        return
    if found.get("own"):
        yield Paragraph(_own_words(found["own"]))
    title = _("{comparison}: {verdict}").format(
        comparison=_("Bench against pilot"), verdict=verdict_words(found["verdict"])
    )
    kinds: dict[str, Any] = {"pass": "met", "fail": "missed"}
    runs = _("simulated runs: {runs}").format(runs=listed(found["simulated"])) if found["simulated"] else ""
    yield Notice(runs, title, kinds.get(found["verdict"], "warning"))
    rows = [
        (
            Cell(_compared(item["name"]), style="strong"),
            "–" if item["value"] is None else str(item["value"]),
            " .. ".join(item["interval"]) if item["interval"] else "–",
            _("within {margin}").format(margin=item["limit"].removeprefix("within ")) if item["limit"] else "–",
            Cell(verdict_words(item["verdict"]), STATES[item["verdict"]]),
        )
        for item in found["criteria"]
    ]
    heads = (Column(_("Compared"), width=30), Column(_("Difference"), "right"), Column(_("90 % interval")),
             Column(_("Limit")), Column(_("Verdict")))  # fmt: skip
    yield Table(heads, rows, _("Differences against margins that were written first"), case.stage_note("compare"))


def _own_words(own: str) -> str:
    """How one's own runs were compared."""
    text = _("Every run is held against its own prediction; those of the pilot vessel had no part in the fit.")
    if own == "alike":
        more = _("Means are compared over the bench runs at the set points of the pilot vessel.")
    else:
        more = _(
            "Too few bench runs had the set points of the pilot vessel, so that means over runs say nothing of the "
            "scale and are not compared."
        )
    return sentences((text, more))


def _compared(name: str) -> str:
    """What was compared, in the language in use; as it was recorded where it is none of these."""
    what, _colon, scale = name.partition(": ")
    scales = {"bench": _("bench"), "pilot": _("pilot")}
    for ending, text in (
        (", end", _("{symbol} at the end, {scale}")),
        (" predicted", _("{symbol} predicted, {scale}")),
    ):
        if what.endswith(ending) and scale in scales:
            return text.format(symbol=what.removesuffix(ending), scale=scales[scale])
    return name


def _experiments(case: Case) -> Iterator[Block]:
    rows = [row for row in case.criteria if row.get("gain") or row.get("experiment")]
    if not rows:
        return
    yield Heading(_("What would tell more, and what would help"), level=3)
    heads = (
        Column(_("Criterion"), width=16),
        Column(_("Open because of"), width=24),
        Column(_("Cheapest experiment that would tell"), width=34),
        Column(_("Strongest lever and expected gain"), width=34),
    )
    cells = [
        (
            Cell(f"{attribute_words(row['attribute'])}: {state_word(row['state'])}", style="strong"),
            _open_words(row["open"]),
            experiment_words(row["experiment"]),
            gain_words(row["gain"]),
        )
        for row in rows
    ]
    caption = _("To first order; costs as in campaign.yaml")
    yield Table(heads, cells, caption, case.stage_note("gap"), small=True)
    differ = case.results["fit"].data.get("between_runs")
    if differ and differ["counted"]:
        yield Paragraph(_("Further bench runs are expected to differ from one another as those of the campaign do."))


def _open_words(shares: Row) -> str:
    names = {"culture": _("culture"), "downstream": _("downstream models"), "prices": _("prices and factors")}
    found = [f"{names[name]} {percent(part, 2)}" for name, part in shares.items() if part > 0.005]
    return listed(found) or "–"


def experiment_words(found: Row | None) -> str:
    """An experiment with its cost and what it would tell."""
    if found is None:
        return _("none: nothing that can be measured is open")
    if found["of"] == "lever":
        return _lever_test_words(found)
    what = {
        "bench run": _("{runs} further bench runs as {subject}"),
        "step test": _("a test of the step {subject}"),
        "supplier quote": _("a supplier's quote for {subject}"),
    }[found["kind"]].format(runs=found["runs"], subject=found["subject"])
    text = _("{what}, {cost} USD: takes away {share} of what is open, and tells with a probability of {tells}")
    if found["tells"] < TELLS:
        text = sentences((_("None that was weighed would. Most for its cost is learnt by"), text))
    return text.format(
        what=what, cost=number(found["cost"], 4), share=percent(found["share"], 2), tells=percent(found["tells"], 2)
    )


def _lever_test_words(found: Row) -> str:
    what = {
        "bench run": _("{runs} bench runs, half of them with another {subject}"),
        "step test": _("{runs} tests of the step, half of them with another {subject}"),
        "pilot run": _("{runs} pilot runs, half of them with another {subject}"),
    }[found["kind"]].format(runs=found["runs"], subject=found["subject"])
    text = _("{what}, {cost} USD: shows the gain with a probability of {tells}, if the model is right")
    return text.format(what=what, cost=number(found["cost"], 4), tells=percent(found["tells"], 2))


def gain_words(found: Row | None) -> str:
    """What the strongest lever is expected to gain."""
    if found is None:
        return "–"
    step = found["steps"] * (0.01 if found["per"].endswith("%") else _unit_step(found["per"]))
    text = _("{lever}, {move}: {change}; met with {after} instead of {before}")
    return text.format(
        lever=lever_words({"group": found["group"], "name": found["lever"]}),
        move=move_words(found["per"], step, found["unit"]), change=change(found["change"]),
        after=percent(found["after"], 2), before=percent(found["before"], 2),
    )  # fmt: skip


def _unit_step(per: str) -> float:
    return float(per.replace("+", "").replace("K", "").strip())


def _runs(case: Case) -> Table:
    found = case.results["campaign"].data
    titre = found.get("titre") or {}
    heads = [Column(_("Run"))]
    heads += [
        Column(f"{label.rpartition('/')[2].replace('_', ' ')}, {unit}", "right") for label, unit in found["factors"]
    ]
    heads += [Column(_("titre (simulated), g/L"), "right")] if titre else []
    rows: list[tuple[str | Cell, ...]] = [
        (Cell(name, style="strong"), *(number(value) for value in values), *([number(titre[name])] if titre else []))
        for name, values in found["runs"].items()
    ]
    mark = _("simulated") if found["simulated"] else ""
    caption = _("What each run was set to")
    return Table(heads, rows, f"{caption} ({mark})" if mark else caption, case.stage_note("campaign"), small=True)


def changed_blocks(case: Case) -> Iterator[Block]:
    """What changed since the results before these."""
    found = case.changed
    if not found or not found["stages"]:
        return
    yield Heading(_("What changed since the last run"), level=3)
    text = _("Stages with another result: {stages}.")
    yield Paragraph(text.format(stages=listed(stage_words(name) for name in found["stages"])))
    if not found["criteria"]:
        yield Paragraph(_("No criterion moved."))
        return
    rows: list[tuple[str | Cell, ...]] = [
        (Cell(attribute_words(item["now"]["attribute"]), style="strong"), _was(item["before"]), _was(item["now"]))
        for item in found["criteria"]
    ]
    rows += [
        (
            Cell(item["name"], style="strong"),
            amount(item["before"], item["unit"], 4),
            amount(item["now"], item["unit"], 4),
        )
        for item in found["parameters"]
    ]
    heads = (Column(_("What"), width=24), Column(_("Last run"), width=30), Column(_("Now"), width=30))
    yield Table(heads, rows, _("Criteria and fitted parameters that moved"), "out/history.json", small=True)


def _was(row: Row | None) -> str:
    if row is None:
        return "–"
    parts = [state_word(row["state"])]
    if row["value"] is not None:
        parts.insert(0, amount(row["value"], row["unit"]))
    if row["probability"] is not None:
        parts.append(_("met with {probability}").format(probability=percent(row["probability"], 2)))
    return "; ".join(parts)
