"""The batch in the dossier: what was executed, prediction against measurement, strategy, deviations, lots, decision."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from seedtrain.automation import ExecutedLine, basis_words
from seedtrain.base import translate as _
from seedtrain.gmp import StepLine, batch_sheets, decision_words, genealogy, genealogy_sheet, well_closed
from seedtrain.program._dossier_case import Case
from seedtrain.program._dossier_gap import DECISION_STATES
from seedtrain.program._dossier_sheets import sheet_table, signatures, turned_table
from seedtrain.program._dossier_words import (
    NOTICES,
    STATES,
    NoticeKind,
    amount,
    attribute_words,
    number,
    percent,
    plain_time,
    rounded,
)
from seedtrain.program._run_figures import agreement, measured_figure, samples
from seedtrain.quality import origin_words, verdict_words
from seedtrain.recipe import state_words
from seedtrain.record import moment
from seedtrain.report import (
    Block,
    Cell,
    Column,
    Definitions,
    Figure,
    Heading,
    Notice,
    Paragraph,
    State,
    Table,
)
from seedtrain.simulation import Run


def batch_section(case: Case) -> Iterator[Block]:
    """The batch from its recipe to the decision."""
    yield Heading(_("Batch"))
    yield _identity(case)
    yield _unit_procedures(case)
    yield from _comparison(case)
    yield from _strategy(case)
    yield from _deviations(case)
    yield from _lots(case)
    yield from _review(case)


def _identity(case: Case) -> Definitions:
    record = case.record
    recipe = case.program.recipe
    kept = sum(item.within and item.keeps_limits for item in record.values)
    return Definitions(
        (
            (_("Batch"), record.batch),
            (_("Lot produced"), f"{record.lot or '–'}: {record.material}, {rounded(record.amount)}"),
            (_("Recipe"), _("{name}, version {version}").format(name=recipe.name, version=recipe.version)),
            (_("Unit and volume"), f"{record.header.unit}, {record.header.volume}"),
            (
                _("Begun and ended (UTC)"),
                plain_time(f"{record.steps[0].started_at} .. {record.steps[-1].completed_at or '–'}"),
            ),
            (
                _("Recorded"),
                _(
                    "{steps} phases, {values} values ({kept} within limits), {materials} additions, {samples} samples"
                ).format(
                    steps=len(record.steps),
                    values=len(record.values),
                    kept=kept,
                    materials=len(record.consumed),
                    samples=len(record.samples),
                ),
            ),
            (_("State"), state_words(record.state)),
        )
    )


def _unit_procedures(case: Case) -> Table:
    record = case.record
    groups: dict[str, list[StepLine]] = {}
    for step in record.steps:
        groups.setdefault(step.phase.partition("/")[0], []).append(step)
    heads = (
        Column(_("Unit procedure")),
        Column(_("Unit")),
        Column(_("Phases"), "right"),
        Column(_("Begun (UTC)")),
        Column(_("Duration, h"), "right"),
        Column(_("Checked by a second person"), "right"),
        Column(_("State")),
    )
    rows = [
        (
            name,
            ", ".join(dict.fromkeys(step.unit for step in steps)),
            str(len(steps)),
            plain_time(steps[0].started_at),
            _hours(steps),
            str(sum(step.checked for step in steps) or "–"),
            state_words(record.states[name]) if name in record.states else "–",
        )
        for name, steps in groups.items()
    ]
    seqs = [step.seq for step in record.steps]
    return Table(heads, rows, _("What was executed"), case.event_note(seqs), small=True)


def _hours(steps: Sequence[StepLine]) -> str:
    last = steps[-1].completed_at
    if last is None:
        return "–"
    return number((moment(last) - moment(steps[0].started_at)).total_seconds() / 3600.0)


def _comparison(case: Case) -> Iterator[Block]:
    predicted = case.pilot.production
    measured = Run.from_data(case.results["batch"].data["content"]["measured"])
    note = f"{case.stage_note('scale', 'batch')}; {case.event_note(item.seq for item in case.record.segments)}"
    yield Heading(_("Prediction against measurement"), level=3)
    yield Figure(measured_figure(predicted, measured), _("The production of the batch, predicted and measured"), note)
    yield Table(
        (
            Column(_("Variable")),
            Column(_("Measured in")),
            Column(_("Root mean square of the difference"), "right"),
            Column(_("of the predicted range"), "right"),
        ),
        [(name, unit, number(found), percent(share, 2)) for name, unit, found, share in agreement(predicted, measured)],
        _("How far prediction and measurement differ"),
        note,
    )
    symbols = {"biomass": "DCW", "product": "P", "acetate": "A"}
    rows = [
        (
            attribute_words(name) if name not in symbols else _sampled_words(name),
            path,
            amount(predicted.at(symbols[name], min(time, float(predicted.time[-1]))), unit) if name in symbols else "–",
            amount(value, unit),
        )
        for name, path, time, value, unit in samples(measured)
    ]
    if rows:
        heads = (
            Column(_("Sample")),
            Column(_("Phase")),
            Column(_("Predicted"), "right"),
            Column(_("Measured"), "right"),
        )
        yield Table(heads, rows, _("Samples of the production"), note)


def _sampled_words(name: str) -> str:
    return {"biomass": _("dry cell weight"), "product": _("product"), "acetate": _("acetate")}[name]


def _strategy(case: Case) -> Iterator[Block]:
    yield Heading(_("Control strategy as executed"), level=3)
    rows = [_strategy_row(case, line) for line in case.strategy]
    if not rows:
        yield Paragraph(_("The recipe states no control strategy."))
        return
    heads = (
        Column(_("Quality attribute")),
        Column(_("Parameter"), width=24),
        Column(_("Range"), width=12),
        Column(_("Detector; sample; action"), width=34),
        Column(_("Observed"), width=18),
        Column(_("Samples"), width=18),
        Column(_("Recipe line"), width=11),
    )
    yield Table(
        heads,
        rows,
        _("Each attribute with its parameter, range, detector, sample and action, and what was observed"),
        case.event_note(line.seq for line in case.strategy),
        small=True,
    )


def _strategy_row(case: Case, line: ExecutedLine) -> tuple[str | Cell, ...]:
    state: State = "unknown" if line.within is None else "met" if line.within else "missed"
    observed = f"{rounded(line.observed)} ({basis_words(line.basis)})"
    return (
        Cell(attribute_words(line.attribute), style="strong"),
        f"{line.phase}: {line.parameter.replace('_', ' ')}",
        line.range,
        "; ".join(text.rstrip(".") for text in (line.detector, line.sample, line.action) if text),
        Cell(observed, state),
        "; ".join(f"{item.tag.replace('_', ' ')} {rounded(item.value, 3)}" for item in line.samples) or "–",
        _recipe_place(case, line),
    )


def _recipe_place(case: Case, line: ExecutedLine) -> str:
    """The line of the user's own recipe; the control recipe's where that one has none."""
    for own in case.program.recipe.control_strategy:
        if (own.attribute, own.at, own.parameter) == (line.attribute, line.phase, line.parameter):
            return f"recipe.yaml:{own.position.line}"
    return _("control recipe, line {line}").format(line=line.line)


def _deviations(case: Case) -> Iterator[Block]:
    record = case.record
    yield Heading(_("Deviations"), level=3)
    if not record.deviations:
        yield Paragraph(_("No deviation was opened."))
        return
    sheet = next(item for item in batch_sheets(record, case.name) if item.name == "deviations")
    for line in record.deviations:
        kind: NoticeKind = "info" if well_closed(record, line) else "warning"
        title = f"{line.deviation}: {_('closed') if well_closed(record, line) else _('open')}."
        yield Notice(plain_time(rounded(line.words)), title, kind)
    yield turned_table(sheet, case.event_note(line.seq for line in record.deviations))


def _lots(case: Case) -> Iterator[Block]:
    yield Heading(_("Material lots and what is inside them"), level=3)
    lines = genealogy(case.events, case.record.lot or case.batch)
    for criterion in case.criteria:
        if criterion["limit"] is None:
            yield _origin_notice(case, case.asked(criterion))
    seqs = [event.seq for event in case.events if event.type in ("lot.received", "lot.consumed", "lot.amended")]
    doubtful = _doubtful(case)
    states = tuple((6, doubtful[item.lot]) if item.lot in doubtful else None for item in lines)
    sheet = genealogy_sheet(lines)
    caption = _("Genealogy of lot {lot}").format(lot=case.record.lot or case.batch)
    yield sheet_table(sheet, case.event_note(seqs), caption=caption, states=states)


def _doubtful(case: Case) -> dict[str, State]:
    """Lots that a criterion on origin does not clear."""
    found: dict[str, State] = {}
    for criterion in case.criteria:
        if criterion["limit"] is None:
            for item in case.origin(case.asked(criterion))["criteria"]:
                if item["verdict"] != "pass":
                    found[item["name"]] = STATES[item["verdict"]]
    return found


def _origin_notice(case: Case, excluded: str) -> Notice:
    verdict = case.origin(excluded)
    kind = NOTICES[STATES[verdict["verdict"]]]
    title = _("Material of {origin} in the genealogy: {verdict}.").format(
        origin=origin_words(excluded),
        verdict={"pass": _("none"), "fail": _("found"), "inconclusive": _("not known")}[verdict["verdict"]],
    )
    return Notice("; ".join(verdict["evidence"]) or _("Everything inside every lot is declared."), title, kind)


def _review(case: Case) -> Iterator[Block]:
    record = case.record
    sheets = {item.name: item for item in batch_sheets(record, case.name)}
    yield Heading(_("Review by exception and decision"), level=3)
    yield sheet_table(sheets["review"], case.event_note(item.seq for item in record.reviews))
    decision = record.decision
    if decision is None:
        yield Notice(_("Nobody has decided on the batch."), "", "warning")
        return
    yield Table(
        (
            Column(_("Ground of the decision"), width=20),
            Column(_("Asked"), width=30),
            Column(_("Found")),
            Column(_("Verdict")),
        ),
        [
            (
                attribute_words(str(item["name"]))
                if item["limit"] and item["name"] in _tested(case)
                else _ground(item["name"]),
                str(item["limit"] or "–"),
                "–" if item["value"] is None else rounded(str(item["value"])),
                Cell(verdict_words(item["verdict"]), STATES[item["verdict"]]),
            )
            for item in decision.verdict["criteria"]
        ],
        _("Grounds of the decision"),
        case.event_note([decision.seq]),
        small=True,
    )
    kind = NOTICES[DECISION_STATES[decision.decision]]
    words = _("{name}, {time} UTC").format(name=case.name(decision.actor), time=plain_time(decision.occurred_at))
    reasons = "\n".join((words, *decision.reasons))
    yield Notice(reasons, _("Decision: {decision}.").format(decision=decision_words(decision.decision)), kind)
    yield signatures(case)


def _tested(case: Case) -> frozenset[str]:
    return frozenset(item.attribute for item in case.record.results)


def _ground(name: str) -> str:
    return {
        "recipe": _("recipe approved"),
        "phases": _("phases completed"),
        "second-person checks": _("second-person checks"),
        "hold points": _("hold points"),
        "deviations": _("deviations"),
        "record": _("the record itself"),
        "review": _("review"),
    }.get(name, attribute_words(name))
