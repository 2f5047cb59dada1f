"""What was done, as the batch record prints it: steps, materials, equipment, values, corrections, quality."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal, InvalidOperation

from seedtrain.base import translate as _
from seedtrain.gmp._batch._judged_lines import ResultLine
from seedtrain.gmp._batch._lines import ConsumedLine, ValueLine
from seedtrain.gmp._documents._case import Case, Row, none_or, table
from seedtrain.gmp._documents._print import batch_sheets, genealogy_sheet, result_words, word
from seedtrain.gmp._equipment_state import Equipment, equipment_of
from seedtrain.gmp._lots._genealogy import genealogy
from seedtrain.recipe import State as Isa88State
from seedtrain.recipe import state_words
from seedtrain.report import Block, Cell, Heading, Notice, Paragraph, State


def steps_section(case: Case) -> Iterator[Block]:
    """Each phase with its dates, its unit, who did it and who checked it."""
    yield Heading(_("Steps"))
    (sheet,) = (item for item in batch_sheets(case.record, case.name) if item.name == "steps")
    widths = (19, 15, 19, 11, 11, 13, 10, 12, 12)
    yield none_or(sheet.rows, lambda: table(sheet.columns, sheet.rows, widths=widths))
    yield Heading(_("Interventions"), level=3)
    rows = [
        (
            item.occurred_at,
            item.unit_procedure,
            item.unit,
            word(item.command),
            state_words(Isa88State(item.before)),
            state_words(Isa88State(item.after)),
            item.reason,
            case.name(item.actor),
        )
        for item in case.record.interventions
    ]
    heads: Sequence[str] = (
        _("Time"),
        _("Unit procedure"),
        _("Unit"),
        _("Command"),
        _("Before"),
        _("After"),
        _("Reason"),
        _("Ordered by"),
    )
    yield none_or(rows, lambda: table(heads, rows))
    yield Heading(_("Comments"), level=3)
    comments = [(item.occurred_at, item.phase, item.text, case.name(item.actor)) for item in case.record.comments]
    heads = (_("Time"), _("Phase"), _("Comment"), _("Written by"))
    yield none_or(comments, lambda: table(heads, comments, widths=(12, 16, 40, 14)))


def materials_section(case: Case) -> Iterator[Block]:
    """Lots, weights and measures, with what was asked for; what left its tolerance is marked."""
    yield Heading(_("Materials dispensed"))
    rows: list[Row] = []
    for item in case.record.consumed:
        low, high = item.bounds
        state: State = "" if low is None and high is None else "met" if item.keeps_limits else "missed"
        mark = " \u25b2" if item.corrections else ""
        target = "" if item.target is None else f"{item.target} {item.unit}".rstrip()
        rows.append(
            (
                *(item.lot, item.material, Cell(f"{item.amount} {item.unit}".rstrip() + mark, state), target),
                *(f"{low or ''} .. {high or ''}" if low or high else "", item.instrument or "", item.phase),
                *(item.occurred_at, case.name(item.actor)),
            )
        )
    heads: Sequence[str] = (
        *(_("Lot"), _("Material"), _("Amount"), _("Target"), _("Tolerated"), _("Instrument"), _("Phase")),
        *(_("Time"), _("Added by")),
    )
    yield none_or(rows, lambda: table(heads, rows, widths=(12, 12, 16, 11, 16, 10, 17, 11, 11)))
    yield Heading(_("Genealogy"))
    sheet = genealogy_sheet(genealogy(case.ledger.events(), case.record.lot or case.batch))
    yield table(sheet.columns, sheet.rows, widths=(13, 14, 11, 12, 9, 10, 26))


def equipment_section(case: Case) -> Iterator[Block]:
    """Units, further equipment and measuring devices, and the clearance of lines (21 CFR 211.188(b)(2) and (6))."""
    yield Heading(_("Equipment"))
    used: dict[str, dict[str, None]] = {}
    for step in case.record.steps:
        for name in (step.unit, *step.equipment):
            used.setdefault(name, {})[step.phase] = None
    for item in case.record.values:
        if item.device:
            used.setdefault(item.device, {})[item.phase] = None
    for line in case.record.consumed:
        if line.instrument:
            used.setdefault(line.instrument, {})[line.phase] = None
    register = equipment_of(case.ledger, (event for name in used for event in case.ledger.events(subject=name)))
    rows = [_equipment_row(case, name, "; ".join(phases), register.get(name)) for name, phases in used.items()]
    heads: Sequence[str] = (_("Equipment"), _("Class"), _("Used in"), _("Calibrated until"), _("Cleaned before"))
    yield none_or(rows, lambda: table(heads, rows, widths=(14, 13, 34, 12, 24)))
    yield Heading(_("Line clearance"), level=3)
    cleared = [
        (item.occurred_at, item.line, item.found, case.name(item.actor), _("yes") if item.signed else _("no"))
        for item in case.record.clearances
    ]
    heads = (_("Time"), _("Line"), _("Finding"), _("Inspected by"), _("Signed"))
    yield none_or(cleared, lambda: table(heads, cleared, widths=(12, 14, 34, 14, 7)))


def _equipment_row(case: Case, name: str, phases: str, item: Equipment | None) -> Row:
    """How a piece of equipment stood when it was used; one that the register does not know is named only."""
    if item is None:
        return name, "", phases, "", ""
    first = next((use.seq for use in item.uses if use.batch == case.batch), 0)
    before = [one for one in item.cleanings if one.checked_by and one.seq < first]
    cleaned = ""
    if before:
        one = before[-1]
        cleaned = f"{one.cleaned_at}, {one.procedure} ({case.name(one.cleaned_by)}, {case.name(one.checked_by)})"
    due = f"{item.due.isoformat()} {item.certificate}".rstrip() if item.due else ""
    return f"{name} {item.name}".rstrip(), item.kind, phases, due, cleaned


def values_section(case: Case) -> Iterator[Block]:
    """Entries, samples and calculated values one by one; readings of devices summed up unless all are asked for."""
    yield Heading(_("Values recorded"))
    shown = [item for item in case.record.values if case.full or not _quiet(item)]
    quiet = [item for item in case.record.values if not (case.full or not _quiet(item))]
    heads: Sequence[str] = (
        *(_("Phase"), _("Tag"), _("Value"), _("Limits"), _("Kind"), _("Time"), _("Recorded by")),
        _("Corrected"),
    )
    rows = [_value_row(case, item) for item in shown]
    yield none_or(rows, lambda: table(heads, rows, widths=(20, 14, 13, 12, 10, 12, 15, 20)))
    if quiet:
        yield Heading(_("Readings within their limits"), level=3)
        yield Paragraph(
            _("Device readings that kept their limits, by phase and tag; each one is in the attached events.")
        )
        yield table(
            (_("Phase"), _("Tag"), _("Count"), _("Lowest"), _("Highest"), _("Limits"), _("First"), _("Last")),
            list(_summed(quiet)),
            widths=(22, 12, 7, 9, 9, 12, 13, 13),
        )
    yield from _yields(case)
    yield Heading(_("Telemetry"), level=3)
    segments = [
        (item.phase, ", ".join(item.tags), f"{item.start_h} .. {item.end_h}", str(item.count), item.digest)
        for item in case.record.segments
    ]
    heads = (_("Phase"), _("Tags"), _("Hours of the batch"), _("Count"), _("Digest of the file"))
    yield none_or(segments, lambda: table(heads, segments, widths=(18, 22, 12, 8, 26)))


def _yields(case: Case) -> Iterator[Block]:
    """Actual yields and their share of the theoretical ones (21 CFR 211.188(b)(7))."""
    yield Heading(_("Yields and reconciliation"), level=3)
    rows: list[Row] = [
        (item.phase, item.tag, str(item.more.get("actual", "")), str(item.more.get("theoretical", "")), item.current)
        for item in case.record.values
        if item.more.get("theoretical")
    ]
    if case.record.amount:
        rows.append((case.record.lot or case.batch, case.record.material, case.record.amount, "", ""))
    heads: Sequence[str] = (_("Phase"), _("Value"), _("Actual"), _("Theoretical"), _("Share, %"))
    yield none_or(rows, lambda: table(heads, rows))


def _quiet(item: ValueLine) -> bool:
    return item.kind == "reading" and item.within and item.keeps_limits and not item.outside and not item.corrections


def _value_row(case: Case, item: ValueLine) -> Row:
    state: State = "missed" if not (item.within and item.keeps_limits) else "met" if item.limits else ""
    history = [
        _("was {before}: {reason} ({name})").format(before=before, reason=fix.reason, name=case.name(fix.actor))
        for before, fix in zip(item.all_values, item.corrections, strict=False)
    ]
    mark = Cell("\u25b2 " + "; ".join(history), style="strong") if history else ""
    formula = str(item.more.get("formula") or "")
    kind = f"{word(item.kind)}: {formula}" if formula else word(item.kind)
    passed = ", ".join(level_words(name) for name in item.outside)
    left = _("outside: {levels}").format(levels=passed) if passed else ""
    limits = "; ".join(part for part in (item.limits, left) if part)
    if passed and not state:
        state = "unknown"
    return (
        *(item.phase, item.tag, Cell(f"{item.current} {item.unit}".rstrip(), state), limits, kind),
        *(item.occurred_at, item.device or case.name(item.actor), mark),
    )


def level_words(name: str) -> str:
    """One of the four kinds of limits of a value, in the language in use."""
    return {
        "alert": _("alert limit"),
        "action": _("action limit"),
        "proven": _("proven acceptable range"),
        "specification": _("specification limit"),
    }.get(name, name)


def _summed(items: list[ValueLine]) -> Iterator[Row]:
    groups: dict[tuple[str, str, str, str], list[ValueLine]] = {}
    for item in items:
        groups.setdefault((item.phase, item.tag, item.unit, item.limits), []).append(item)
    for (phase, tag, unit, limits), found in groups.items():
        numbers = [number for number in (_number(item.value) for item in found) if number is not None]
        low, high = (f"{function(numbers)} {unit}".rstrip() if numbers else "" for function in (min, max))
        times = sorted(item.occurred_at for item in found)
        yield phase, tag, str(len(found)), low, high, limits, times[0], times[-1]


def _number(text: str) -> Decimal | None:
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


def corrections_section(case: Case) -> Iterator[Block]:
    """Everything that was changed since it was entered: the old value, the new one, why and by whom (Annex 11, 8.2)."""
    yield Heading(_("Corrections"))
    rows: list[Row] = []
    lines: list[tuple[str, str, ValueLine | ResultLine | ConsumedLine]] = []
    lines += [(item.phase, item.tag, item) for item in case.record.values]
    lines += [(item.sample, item.attribute, item) for item in case.record.results]
    lines += [(item.phase, f"{item.material} ({item.lot})", item) for item in case.record.consumed]
    for place, what, line in lines:
        before = line.all_amounts[0] if isinstance(line, ConsumedLine) else line.value
        for fix in line.corrections:
            old = Cell(f"{before} {line.unit}".rstrip(), style="strong")
            new = Cell(f"{fix.value} {fix.unit}".rstrip(), style="strong")
            rows.append((place, what, old, new, fix.reason, fix.occurred_at, case.name(fix.actor)))
            before = fix.value
    heads: Sequence[str] = (
        *(_("Phase or sample"), _("Value"), _("Recorded first"), _("Corrected to"), _("Reason"), _("Time")),
        _("Corrected by"),
    )
    if rows:
        words = _("Changed since it was recorded: {count}. The first value stays in the record.")
        yield Notice(words.format(count=len(rows)), kind="warning")
    yield none_or(rows, lambda: table(heads, rows, widths=(18, 14, 13, 13, 24, 12, 14)))


def results_section(case: Case) -> Iterator[Block]:
    """Samples taken and results, with their states."""
    yield Heading(_("Samples and results"))
    samples = [
        (item.sample, item.phase, ", ".join(item.attributes), item.occurred_at, case.name(item.actor))
        for item in case.record.samples
    ]
    heads: Sequence[str] = (_("Sample"), _("Phase"), _("Tested for"), _("Time"), _("Taken by"))
    yield none_or(samples, lambda: table(heads, samples, widths=(12, 18, 26, 12, 14)))
    states: dict[str, State] = {"conforms": "met", "oos": "missed", "invalid": "unknown"}
    rows: list[Row] = [
        (
            *(item.sample, item.attribute, item.method),
            f"{item.current} {item.unit}".rstrip() if item.corrections else item.reported,
            *(item.limit, Cell(result_words(item.state), states[item.state]), item.occurred_at, case.name(item.actor)),
        )
        for item in case.record.results
    ]
    heads = (
        *(_("Sample"), _("Attribute"), _("Method"), _("Result"), _("Limit"), _("State"), _("Time")),
        _("Tested by"),
    )
    yield none_or(rows, lambda: table(heads, rows, widths=(11, 14, 18, 12, 12, 12, 12, 13)))
