"""The batch record and the certificate of analysis as plain data for print: rows of strings, nothing to be computed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from seedtrain.base import translate as _
from seedtrain.gmp._batch._judged_lines import ReviewItem
from seedtrain.gmp._batch._lines import Correction, limit_words
from seedtrain.gmp._batch._record import BatchRecord
from seedtrain.gmp._lots._genealogy import GenealogyLine
from seedtrain.gmp._phrases import recorded_words
from seedtrain.gmp._quality._deviations import well_closed
from seedtrain.gmp._quality._exceptions import kind_words
from seedtrain.gmp._quality._review import collapsed
from seedtrain.quality import origin_words
from seedtrain.recipe import State, state_words
from seedtrain.record import Ledger, find_person, person_name

Names = Callable[[str], str]


@dataclass(frozen=True)
class Sheet:
    """A table to print; `name` is stable, the title, heads and cells are in the language in use."""

    name: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def names_of(ledger: Ledger) -> Names:
    """How to print an actor (21 CFR 11.50): the name, or the identity where it is erased or no person's."""
    known: dict[str, str] = {}

    def name(actor: str) -> str:
        if actor not in known:
            person = find_person(ledger, actor)
            words = (person_name(ledger, actor) or actor) if person else actor
            known[actor] = words + (_(" (scripted)") if person and person.scripted else "")
        return known[actor]

    return name


def batch_sheets(record: BatchRecord, names: Names = str) -> tuple[Sheet, ...]:
    """The batch record in the order of 21 CFR 211.188(b); `names` turns an actor into what is printed."""
    return (
        _header(record, names),
        _steps(record, names),
        _materials(record, names),
        _values(record, names),
        _results(record, names),
        _deviations(record, names),
        _interventions(record, names),
        _reviews(record, names),
        _decisions(record, names),
        _signatures(record, names),
    )


def remark_sheets(record: BatchRecord, names: Names = str) -> tuple[Sheet, ...]:
    """What was remarked, and what the gates refused: beside `batch_sheets`, for who reads the record on a screen."""
    said = tuple((item.occurred_at, item.phase, item.text, names(item.actor)) for item in record.comments)
    refused = tuple(
        (
            *(item.occurred_at, item.phase, recorded_words(item.reason), names(item.actor)),
            _("no") if item.lifted_by is None else _("yes"),
        )
        for item in record.stops
    )
    stops = (_("Time"), _("Phase"), _("Reason"), _("Met by"), _("Lifted"))
    return (
        Sheet("stops", _("Hard stops"), stops, refused),
        Sheet("comments", _("Comments"), (_("Time"), _("Phase"), _("Comment"), _("Written by")), said),
    )


def genealogy_sheet(lines: Iterable[GenealogyLine]) -> Sheet:
    """A genealogy with the origin of everything inside; what is not declared is printed as unknown."""
    columns = (_("Lot"), _("Material"), _("Into"), _("Supplier"), _("Status"), _("Expiry"), _("Contains"))
    return Sheet("genealogy", _("Genealogy"), columns, tuple(_ancestor(item) for item in lines))


def _ancestor(item: GenealogyLine) -> tuple[str, ...]:
    lot = item.received
    if lot is None:
        return item.lot, item.material, item.into, "", "", "", "" if item.batch else origin_words("unknown")
    inside = "; ".join(f"{part.name}: {origin_words(part.origin or 'unknown')}" for part in lot.contains)
    words = inside or origin_words("unknown")
    return item.lot, item.material, item.into, lot.supplier, word(lot.status), lot.expiry.isoformat(), words


def _header(record: BatchRecord, names: Names) -> Sheet:
    header = record.header
    origin = word("simulated" if record.simulated else "measured")
    rows = (
        (_("Batch"), record.batch),
        (_("Product"), record.material),
        (_("Amount"), record.amount),
        (_("Recipe"), header.recipe),
        (_("Digest of the control recipe"), header.recipe_digest),
        (_("Digest of the master recipe"), header.master_digest),
        (_("Unit"), header.unit),
        (_("Volume"), header.volume),
        (_("Origin"), origin),
        (_("Created"), f"{header.created_at}, {names(header.created_by)}"),
    )
    return Sheet("header", _("Batch"), (_("Item"), _("Value")), rows)


def _steps(record: BatchRecord, names: Names) -> Sheet:
    columns = (
        *(_("Phase"), _("Unit"), _("Settings"), _("Started"), _("Completed"), _("Duration, h"), _("Ended by")),
        *(_("Performed by"), _("Checked by")),
    )
    rows = tuple(
        (
            item.phase,
            item.unit,
            "; ".join(f"{name}: {value}" for name, value in item.settings.items()),
            item.started_at,
            item.completed_at or "",
            item.duration_h or "",
            word(item.ended_by or ""),
            ", ".join(names(one) for one in dict.fromkeys((item.started_by, *sorted(item.doers)))),
            ", ".join(names(check.actor) for check in item.checks if check.signed and not check.stale),
        )
        for item in record.steps
    )
    return Sheet("steps", _("Steps"), columns, rows)


def _materials(record: BatchRecord, names: Names) -> Sheet:
    columns = (
        *(_("Lot"), _("Material"), _("Amount"), _("Target"), _("Tolerance, %"), _("Phase"), _("Added by")),
        _("Corrected"),
    )
    rows = tuple(
        (
            item.lot,
            item.material,
            f"{item.amount} {item.unit}".rstrip(),
            "" if item.target is None else f"{item.target} {item.unit}".rstrip(),
            item.tolerance_percent or "",
            item.phase,
            names(item.actor),
            _history(item.all_amounts[0], item.corrections, names),
        )
        for item in record.consumed
    )
    return Sheet("materials", _("Materials"), columns, rows)


def _values(record: BatchRecord, names: Names) -> Sheet:
    columns = (
        *(_("Phase"), _("Tag"), _("Value"), _("Limits"), _("Within"), _("Kind"), _("Origin")),
        *(_("Time"), _("Recorded by"), _("Corrected")),
    )
    rows = tuple(
        (
            item.phase,
            item.tag,
            f"{item.current} {item.unit}".rstrip(),
            item.limits,
            _("yes") if item.within and item.keeps_limits else _("no"),
            word(item.kind),
            word(item.origin),
            item.occurred_at,
            item.device or names(item.actor),
            _history(item.value, item.corrections, names),
        )
        for item in record.values
    )
    return Sheet("values", _("Values"), columns, rows)


def _history(first: str, corrections: Sequence[Correction], names: Names) -> str:
    """What a value was before, why it changed and by whom (EU Annex 11, 8.2 and 9); empty for an unchanged one."""
    words = []
    for before, item in zip((first, *(fix.value for fix in corrections)), corrections, strict=False):
        template = _("was {before}: {reason} ({name})")
        words.append(template.format(before=before, reason=item.reason, name=names(item.actor)))
    return "; ".join(words)


def _results(record: BatchRecord, names: Names) -> Sheet:
    columns = (
        *(_("Sample"), _("Attribute"), _("Method"), _("Result"), _("Limit"), _("State"), _("Tested by")),
        _("Corrected"),
    )
    rows = tuple(
        (
            item.sample,
            item.attribute,
            item.method,
            f"{item.current} {item.unit}".rstrip() if item.corrections else item.reported,
            item.limit,
            result_words(item.state),
            names(item.actor),
            _history(item.value, item.corrections, names),
        )
        for item in record.results
    )
    return Sheet("results", _("Results"), columns, rows)


def _deviations(record: BatchRecord, names: Names) -> Sheet:
    columns = (
        *(_("Deviation"), _("Phase"), _("Tag"), _("Value"), _("Limits"), _("Hours of the phase")),
        *(_("Impact"), _("Cause"), _("Action"), _("State"), _("Closed by")),
    )
    rows = []
    for item in record.deviations:
        closure = item.closure
        rows.append(
            (
                item.deviation,
                item.phase,
                recorded_words(item.tag),
                f"{item.value} {item.unit}".rstrip(),
                limit_words(item.low, item.high),
                item.start_h if item.start_h == item.end_h else f"{item.start_h} .. {item.end_h}",
                closure.impact if closure else "",
                closure.cause if closure else "",
                closure.action if closure else "",
                _("closed") if well_closed(record, item) else _("open"),
                names(closure.actor) if closure else "",
            )
        )
    return Sheet("deviations", _("Deviations"), columns, tuple(rows))


def _interventions(record: BatchRecord, names: Names) -> Sheet:
    columns = (
        *(_("Time"), _("Unit procedure"), _("Unit"), _("Command"), _("Before"), _("After")),
        *(_("Reason"), _("Ordered by")),
    )
    rows = tuple(
        (
            *(item.occurred_at, item.unit_procedure, item.unit, word(item.command)),
            *(state_words(State(item.before)), state_words(State(item.after)), item.reason),
            names(item.actor),
        )
        for item in record.interventions
    )
    return Sheet("interventions", _("Interventions"), columns, rows)


def _reviews(record: BatchRecord, names: Names) -> Sheet:
    """The exceptions of the last review; what kept its limits is one line."""
    columns = (_("Kind"), _("Event"), _("What"), _("Reviewed by"))
    if not record.reviews:
        return Sheet("review", _("Review by exception"), columns, ())
    last = record.reviews[-1]
    count = collapsed(record)
    summary = _("{values} values, {materials} materials and {results} results kept their limits").format(
        values=count.values, materials=count.materials, results=count.results
    )
    rows = [_exception(item, names(last.actor)) for item in last.exceptions]
    return Sheet(
        "review", _("Review by exception"), columns, (*rows, (_("within limits"), "", summary, names(last.actor)))
    )


def _exception(item: ReviewItem, name: str) -> tuple[str, ...]:
    return kind_words(item.kind), str(item.seq) if item.seq else "", item_words(item), name


def item_words(item: ReviewItem) -> str:
    """What an exception says, in the language in use; what a person wrote stays as it was written."""
    return item.words if item.kind == "comment" else recorded_words(item.words)


def _decisions(record: BatchRecord, names: Names) -> Sheet:
    columns = (_("Time"), _("Decision"), _("Reasons"), _("Decided by"))
    rows = tuple(
        (
            *(item.occurred_at, decision_words(item.decision)),
            "; ".join(recorded_words(reason) for reason in item.reasons),
            names(item.actor),
        )
        for item in record.decisions
    )
    return Sheet("decisions", _("Decisions"), columns, rows)


def _signatures(record: BatchRecord, names: Names) -> Sheet:
    """Name, time and meaning of every signature (21 CFR 11.50), and what it was put to."""
    columns = (_("Signed by"), _("Time"), _("Meaning"), _("Event"), _("Digest of the record"))
    rows = tuple(
        (
            names(item.actor),
            item.occurred_at,
            recorded_words(item.meaning),
            "" if item.over is None else str(item.over),
            item.record_digest,
        )
        for item in record.signatures
    )
    return Sheet("signatures", _("Signatures"), columns, rows)


def result_words(state: str) -> str:
    """The state of a result in the language in use."""
    return {"conforms": _("conforms"), "oos": _("out of specification"), "invalid": _("invalid test")}[state]


def decision_words(decision: str) -> str:
    """A decision in the language in use."""
    return {"released": _("released"), "rejected": _("rejected"), "on_hold": _("on hold")}[decision]


def word(text: str) -> str:
    """A word of the record's small vocabulary in the language in use; any other text as it is."""
    return {
        "simulated": _("simulated"),
        "measured": _("measured"),
        "reading": _("reading"),
        "sample": _("sample"),
        "entry": _("manual entry"),
        "calculated": _("calculated"),
        "condition": _("condition reached"),
        "duration": _("duration over"),
        "at_most": _("longest time over"),
        "signature": _("signature"),
        "person": _("a person"),
        "quarantined": _("quarantined"),
        "released": _("released"),
        "rejected": _("rejected"),
        "hold": _("hold"),
        "restart": _("restart"),
        "pause": _("pause"),
        "resume": _("resume"),
        "stop": _("stop"),
        "abort": _("abort"),
    }.get(text, text)
