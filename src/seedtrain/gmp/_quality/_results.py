"""Results of quality control, corrections of values, and second checks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from seedtrain.base import InputError, SeedtrainError, collect, decimal_text, digest
from seedtrain.gmp._authority import authorise
from seedtrain.gmp._batch._judged_lines import ResultLine, ResultState
from seedtrain.gmp._batch._lines import ValueLine, inside
from seedtrain.gmp._batch._record import BatchRecord, batch_record
from seedtrain.gmp._quality._case import counting
from seedtrain.gmp._quality._context import TestContext
from seedtrain.gmp._quality._standards import checked_context
from seedtrain.quality import Limit, Result, Specification, SpecificationLine, judge
from seedtrain.quantity import Quantity
from seedtrain.record import Draft, Event, Ledger, append_signed

SIGNIFICANT: Final = 9
"""Digits of a stored result; the reportable value is rounded to the limit's own places (USP General Notices 7.20)."""


def record_results(
    ledger: Ledger,
    batch: str,
    specification: Specification,
    values: Sequence[Result],
    actor: str,
    *,
    context: TestContext | None = None,
    at: datetime | None = None,
) -> tuple[Event, ...]:
    """Record results of a batch with their state: conforms, oos (out of specification) or invalid (the test failed).

    The rounded reportable value is compared with the limit. A result stands for ever under its sample, attribute and
    method: the same one again changes nothing, another value needs another sample; and where a result is out of
    specification, no other sample is tested for that attribute but by an approved plan (`record_retest`): no testing
    into compliance. Raises `InputError` for an attribute or method that is not specified, and for who may not test.
    """
    authorise(ledger, actor, "result.record")
    events = tuple(ledger.events(subject=batch))
    record = batch_record(events, batch)
    failing = _standing_failures(record, counting(ledger, events))
    errors: list[SeedtrainError] = []
    drafts = []
    for value in values:
        try:
            _not_into_compliance(failing, value)
            _must_be_same(record, specification, value)
            own = checked_context(ledger, value.method, context, at)
            drafts.append(result_draft(record, specification.line(value.attribute), value, actor, own, at))
        except SeedtrainError as error:
            errors.append(error)
    collect(errors)
    if any(draft.payload["state"] != "conforms" for draft in drafts):
        must_be_undecided(record, "a result that does not conform")
    known = {item.sample for item in record.samples}
    fresh = dict.fromkeys(value.sample for value in values if value.sample not in known)
    samples = [_sample(record, name, values, actor, at) for name in fresh]
    return ledger.append(*samples, *drafts)[len(samples) :]


def _standing_failures(record: BatchRecord, events: Sequence[Event]) -> dict[str, str]:
    """Attribute -> the sample whose result is out of specification, where no signed invalidation took it away."""
    signed = {(item.payload["record_digest"], item.actor) for item in events if item.type == "signature.applied"}
    gone = {
        str(item.payload["result"])
        for item in events
        if item.type == "result.invalidated" and (item.digest, item.actor) in signed
    }
    return {item.attribute: item.sample for item in record.results if is_out(item) and item.id not in gone}


def _not_into_compliance(failing: Mapping[str, str], value: Result) -> None:
    sample = failing.get(value.attribute)
    if sample is not None and sample != value.sample:
        raise InputError(
            f"{value.attribute} is out of specification in sample {sample}: another sample is not tested for it",
            remedy="Investigate; retest by a plan that was approved before: seedtrain quality retest plan.",
        )


def _must_be_same(record: BatchRecord, specification: Specification, value: Result) -> None:
    """A result that stands is not replaced by another one of the same sample, attribute and method."""
    given = reported(specification.line(value.attribute), value)
    for known in record.results:
        if (known.sample, known.attribute, known.method) != (value.sample, value.attribute, value.method):
            continue
        if known.reported != given:
            raise InputError(
                f"{value.attribute} of sample {value.sample} is {known.reported}, recorded before; now it is {given}",
                remedy="A slip of the pen is put right with a reason: seedtrain quality correct; "
                "another test needs another sample, or an approved plan: seedtrain quality retest plan.",
            )


def _sample(record: BatchRecord, name: str, values: Sequence[Result], actor: str, at: datetime | None) -> Draft:
    attributes = list(dict.fromkeys(value.attribute for value in values if value.sample == name))
    last = record.steps[-1].phase if record.steps else ""
    return sample_draft(record, name, attributes, last, actor, at)


def sample_draft(
    record: BatchRecord, name: str, attributes: Sequence[str], phase: str, actor: str, at: datetime | None
) -> Draft:
    """The draft of a sample that was taken."""
    payload = {"sample": name, "phase": phase, "attributes": list(attributes), "origin": record.header.origin}
    identity = digest(["sample.taken", record.batch, name])[:32]
    return Draft("sample.taken", record.batch, payload, actor, at, id=identity)


def take_sample(
    ledger: Ledger,
    batch: str,
    sample: str,
    attributes: Sequence[str],
    actor: str,
    *,
    phase: str = "",
    at: datetime | None = None,
) -> Event:
    """Record a sample that was taken of a batch, and what is to be found in it; the same again changes nothing.

    - `phase`: where it was taken; the last one that was begun if not given.
    """
    authorise(ledger, actor, "sample.take")
    record = batch_record(ledger.events(subject=batch), batch)
    if not sample.strip() or not attributes:
        raise InputError("a sample needs a name and what is to be found in it", remedy="Give both.")
    if phase and record.step(phase) is None:
        raise InputError(f"batch {batch} has not begun {phase!r}", remedy="Give a phase that was begun.")
    where = phase or (record.steps[-1].phase if record.steps else "")
    return ledger.append(sample_draft(record, sample.strip(), attributes, where, actor, at))[0]


def result_draft(
    record: BatchRecord,
    line: SpecificationLine,
    value: Result,
    actor: str,
    context: TestContext | None,
    at: datetime | None,
    more: Mapping[str, object] | None = None,
) -> Draft:
    """The draft of `result.recorded`; raises `InputError` for another method than the specified one."""
    if value.method != line.method:
        raise InputError(
            f"{line.attribute} was tested by {value.method!r}, the specification asks for {line.method!r}",
            remedy="Test by the specified method, or change the specification first.",
        )
    if context is not None and not context.suitable:
        value = Result(value.attribute, value.value, value.method, value.sample, None, value.detected, valid=False)
    number, unit = _number(value)
    payload = {
        "sample": value.sample,
        "attribute": value.attribute,
        "method": value.method,
        "value": number,
        "unit": unit,
        "reported": reported(line, value),
        "limit": line.limit.text,
        "state": state_of(line, value),
        "detected": value.detected,
        "origin": record.header.origin,
        **(context.to_data() if context else {}),
        **(more or {}),
    }
    identity = digest(["result.recorded", record.batch, value.sample, value.attribute, value.method])[:32]
    return Draft("result.recorded", record.batch, payload, actor, at, id=identity)


def _number(value: Result) -> tuple[str, str]:
    if isinstance(value.value, str):
        return value.value, ""
    return decimal_text(value.value.value, SIGNIFICANT), value.value.unit


def reported(line: SpecificationLine, value: Result) -> str:
    """The value as it is reported: rounded to the places of its limit."""
    if isinstance(value.value, str) or line.limit.range is None:
        return str(value.value)
    text = line.limit.reportable(value.value)
    return text if value.detected else f"< {text}"


def state_of(line: SpecificationLine, value: Result) -> ResultState:
    """conforms, oos, or invalid: the test failed, or cannot tell (its limit of detection is beyond the limit)."""
    words: dict[str, ResultState] = {"pass": "conforms", "fail": "oos", "inconclusive": "invalid"}
    return words[judge(Specification((line,)), [value]).verdict]


def is_out(line: ResultLine) -> bool:
    """Whether a recorded result was out of specification, or became so by any correction: the next one ends nothing."""
    if line.state != "conforms":
        return line.state == "oos"
    said = (replace(line, corrections=(fix,)) for fix in line.corrections)
    return any(state_now(item) == "oos" for item in said)


def out_value(line: ResultLine) -> str:
    """The reported value by which a result `is_out`: as recorded, or as the first correction that was out has it."""
    own = SpecificationLine(line.attribute, line.method, Limit.parse(line.limit))
    for fix in line.corrections if line.state != "oos" else ():
        result = as_result(replace(line, corrections=(fix,)))
        if state_of(own, result) == "oos":
            return reported(own, result)
    return line.reported


def state_now(line: ResultLine) -> ResultState:
    """The state of a recorded result by its last correction; what was invalid stays so."""
    if not line.corrections:
        return line.state
    own = SpecificationLine(line.attribute, line.method, Limit.parse(line.limit))
    return state_of(own, as_result(line))


def as_result(line: ResultLine) -> Result:
    """A recorded result as `quality.judge` takes it, with its last correction."""
    value: Quantity | str = line.current
    if line.unit or _is_number(line.current):
        value = Quantity(float(line.current), line.unit)
    return Result(
        line.attribute, value, line.method, line.sample, detected=line.detected, valid=line.state != "invalid"
    )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def correct_value(
    ledger: Ledger, batch: str, event_id: str, value: str, *, reason: str, actor: str, at: datetime | None = None
) -> tuple[Event, Event]:
    """Put right a recorded value or result, with a reason and a signature; the old one stays visible.

    - `value`: a decimal or a word, in the unit of the old one.

    Checks of the phase and reviews made before do not count any more. Returns the correction and its signature.
    """
    if not value.strip():
        raise InputError("there is no new value", remedy="Give the value that is right.")
    record = batch_record(ledger.events(subject=batch), batch)
    lines: list[ValueLine | ResultLine] = [*record.values, *record.results]
    line = next((item for item in lines if item.id == event_id), None)
    if line is None:
        raise InputError(f"batch {batch} has no value {event_id!r}", remedy="Give the id of a recorded value.")
    authorise(ledger, actor, "result.record" if isinstance(line, ResultLine) else "batch.execute")
    must_be_undecided(record, "a correction")
    if _is_number(line.value) != _is_number(value):
        raise InputError(f"{value!r} cannot replace {line.value!r}", remedy="Give a value of the same kind.")
    payload: dict[str, object] = {"value": value, "unit": line.unit, "before": line.current}
    if isinstance(line, ValueLine):
        payload |= {
            "phase": line.phase,
            "tag": line.tag,
            "low": line.low,
            "high": line.high,
            "within": inside(value, line.low, line.high),
            "kind": line.kind,
        }
    else:
        payload |= {"sample": line.sample, "attribute": line.attribute, "limit": line.limit}
    payload["origin"] = line.origin
    number = len(line.corrections)
    if number and (line.current, line.corrections[-1].reason, line.corrections[-1].actor) == (value, reason, actor):
        number -= 1  # the same correction asked for again
        payload["before"] = line.corrections[-2].value if number else line.value
    identity = digest(["value.corrected", batch, event_id, number])[:32]
    draft = Draft("value.corrected", batch, payload, actor, at, reason=reason, corrects=event_id, id=identity)
    return append_signed(ledger, draft, "correction")


def must_be_undecided(record: BatchRecord, what: str) -> None:
    """Refuse what a decision did not see, until the decision is taken back: it would stand on another record."""
    decision = record.decision
    if decision is not None and decision.signed and decision.decision != "on_hold":
        raise InputError(
            f"batch {record.batch} is {decision.decision}, and {what} would change what was decided on",
            remedy=f"Take it back first (seedtrain batch block {record.batch} --reason TEXT), then review it anew."
            if decision.decision == "released"
            else "A rejected batch stays as it is; open a deviation.",
        )


def check_phase(
    ledger: Ledger, batch: str, phase: str, actor: str, *, meaning: str = "", at: datetime | None = None
) -> tuple[Event, Event]:
    """A second person checks a phase and signs, for instance again after a correction.

    Raises `InputError` for somebody who acted in the phase, whatever role they have.
    """
    authorise(ledger, actor, "batch.execute")
    record = batch_record(ledger.events(subject=batch), batch)
    step = record.step(phase)
    if step is None:
        raise InputError(f"batch {batch} has not started {phase!r}", remedy="Check a phase that was run.")
    if actor in step.doers:
        raise InputError(
            f"{actor} acted in {phase} and cannot check it", remedy="Have another person check it (21 CFR 211.101)."
        )
    valid = next((item for item in step.checks if item.signed and not item.stale and item.actor == actor), None)
    if valid is not None:
        return _stored(ledger, batch, valid.seq)
    words = meaning or f"checked: {phase}"
    identity = digest(["step.checked", batch, phase, actor, len(step.checks)])[:32]
    draft = Draft("step.checked", batch, {"phase": phase, "meaning": words}, actor, at, id=identity)
    return append_signed(ledger, draft, words[:200])


def _stored(ledger: Ledger, batch: str, seq: int) -> tuple[Event, Event]:
    events = list(ledger.events(subject=batch, after=seq - 1))
    signature = next(
        item
        for item in events
        if item.type == "signature.applied" and item.payload["record_digest"] == events[0].digest
    )
    return events[0], signature
