"""The batch in the dossier: what was executed, prediction against measurement, strategy, deviations, lots, decision."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from seedtrain.automation import ExecutedLine, basis_words
from seedtrain.base import translate as _
from seedtrain.gmp import StepLine, batch_sheets, well_closed
from seedtrain.program._dossier_case import Case
from seedtrain.program._dossier_decision import decision_blocks, lot_blocks
from seedtrain.program._dossier_sheets import turned_table
from seedtrain.program._dossier_words import (
    NoticeKind,
    amount,
    attribute_words,
    number,
    percent,
    plain_time,
    rounded,
)
from seedtrain.program._run_figures import agreement, measured_figure, samples
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
    yield from lot_blocks(case)
    yield from decision_blocks(case)


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
        Column(_("Detector; sample; action"), width=32),
        Column(_("Observed"), width=18),
        Column(_("Samples"), width=18),
        Column(_("Recipe line"), width=14),
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
