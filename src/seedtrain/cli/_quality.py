"""`seedtrain quality`: samples, results and what follows from them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Parameter

from seedtrain.base import EXIT_DONE, EXIT_FAIL, InputError
from seedtrain.base import translate as _
from seedtrain.cli import _quality_capa, _quality_deviation, _quality_oos, _quality_stability, _quality_standard
from seedtrain.cli._arguments import BatchName
from seedtrain.cli._common import Common
from seedtrain.cli._quality_shared import (
    Tested,
    listed,
    result_lines,
    signed,
    specification_of,
    spoken_result,
    state_code,
)
from seedtrain.cli._quality_words import Names, investigation_line, person_words
from seedtrain.cli._signing import RecordUrl, Signer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from seedtrain.gmp import Overdue
    from seedtrain.record import Ledger

app = App(name="quality", help="Samples, results, investigations, deviations, CAPA, specifications, stability.")
app.command(_quality_oos.investigate)
app.command(_quality_oos.retest)
app.command(_quality_deviation.app)
app.command(_quality_capa.app)
app.command(_quality_standard.specification)
app.command(_quality_standard.method)
app.command(_quality_stability.app)


@app.command
def sample(
    batch: BatchName,
    name: str,
    *,
    attribute: Annotated[list[str], Parameter(negative="", help="What is to be found in it; repeat it for more.")],
    phase: Annotated[str, Parameter(help="Where it was taken; the last phase by default.")] = "",
    signer: Signer,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Record a sample that was taken of a batch.

    Example: seedtrain quality sample B-1 QC-1 --attribute purity --attribute endotoxin --as person-5

    Parameters
    ----------
    name
        The sample's name, on its label.
    """
    from seedtrain.gmp import take_sample

    def act(ledger: Ledger, actor: str) -> dict[str, Any]:
        event = take_sample(ledger, batch, name, attribute, actor, phase=phase)
        return {"sample": name, "seq": event.seq, "phase": event.payload.get("phase", ""), "attributes": attribute}

    def tell(said: dict[str, Any], _names: Names) -> list[str]:
        words = _("sample {sample} of {batch} is recorded, taken in {phase}; to be tested: {attributes}")
        place = str(said["phase"]) or "-"
        return [words.format(sample=name, batch=batch, phase=place, attributes=", ".join(attribute))]

    return signed(signer, record, common, act, tell)


@app.command
def result(
    batch: BatchName,
    sample: str,
    attribute: str,
    value: Annotated[str, Parameter(allow_leading_hyphen=True)],
    *,
    method: Annotated[str, Parameter(help="By default the specified one.")] = "",
    tested: Tested | None = None,
    recipe: Annotated[Path | None, Parameter(help="The control recipe's file, if not in the ledger.")] = None,
    signer: Signer,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Record a result of quality control; it conforms, is out of specification, or is invalid.

    The rounded reportable value is compared with the limit. Out of specification opens an investigation at once, and
    ends with exit code 1; invalid with 3.

    Example: seedtrain quality result B-1 QC-1 purity "97.2 %" --suitability "resolution 2.4" --as person-5

    Parameters
    ----------
    sample
        The sample.
    attribute
        What was tested, as the specification names it.
    value
        A number with its unit, or a word; "< 0.05 EU/mg" where nothing was detected.
    """
    from seedtrain.gmp import open_investigations, record_results

    def act(ledger: Any, actor: str) -> dict[str, Any]:
        specification = specification_of(ledger, batch, recipe)
        found = spoken_result(specification.line(attribute), attribute, value, sample, method)
        context = tested.context() if tested else None
        (event,) = record_results(ledger, batch, specification, [found], actor, context=context)
        opened = open_investigations(ledger, batch)
        payload = event.payload
        names = ("sample", "attribute", "method", "reported", "limit", "state")
        investigations = [item.payload["oos"] for item in opened]
        return {**{name: payload[name] for name in names}, "seq": event.seq, "investigations": investigations}

    return signed(signer, record, common, act, result_lines, code=state_code)


@app.command
def correct(
    batch: BatchName,
    sample: str,
    attribute: str,
    value: Annotated[str, Parameter(allow_leading_hyphen=True)],
    *,
    reason: str,
    signer: Signer,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Put right a result that was recorded wrongly; the first one stays visible, and an investigation is not spared.

    A result that was out of specification holds the batch until its investigation ends, whatever it is corrected to:
    then it ends with exit code 3. Corrected to one that is out it opens an investigation, and ends with 1.

    Example: seedtrain quality correct B-1 QC-1 purity 97.2 --reason "decimal point" --as person-5

    Parameters
    ----------
    sample
        The sample.
    attribute
        What was tested.
    value
        What is right: a number in the unit of the first one, or a word.
    reason
        Why; it stands in the record.
    """
    from seedtrain.gmp import batch_record, correct_result, investigations, state_now

    def act(ledger: Any, actor: str) -> dict[str, Any]:
        lines = batch_record(ledger.events(subject=batch), batch).results
        mine = [item for item in lines if (item.sample, item.attribute) == (sample, attribute)]
        if not mine:
            known = ", ".join(f"{item.sample} {item.attribute}" for item in lines) or "none"
            raise InputError(f"{batch} has no result of {attribute} in {sample}", remedy=f"It has: {known}.")
        result = mine[-1].id
        event, opened = correct_result(ledger, batch, result, value, reason=reason, actor=actor)
        events = tuple(ledger.events(subject=batch))
        line = next(item for item in batch_record(events, batch).results if item.id == result)
        waiting = [item.name for item in investigations(events) if item.result == result and not item.conclusion]
        return {
            "was": event.payload["before"],
            "value": value,
            "state": state_now(line),
            "seq": event.seq,
            "investigations": [item.payload["oos"] for item in opened],
            "open": waiting,
        }

    def tell(said: dict[str, Any], _names: Names) -> Iterator[str]:
        words = _("{sample}  {attribute}: {old} became {new} ({reason})")
        yield words.format(sample=sample, attribute=attribute, old=said["was"], new=value, reason=reason)
        for name in dict.fromkeys((*said["investigations"], *said["open"])):
            yield _("an investigation is open: {name}").format(name=name)

    return signed(signer, record, common, act, tell, code=state_code)


@app.command
def results(batch: BatchName, *, record: RecordUrl = None, common: Common | None = None) -> int:
    """Every result of a batch, and the investigations.

    Example: seedtrain quality results B-1 --record record.db
    """
    from seedtrain.gmp import batch_record, investigations, result_words

    def read(ledger: Ledger) -> dict[str, Any]:
        events = tuple(ledger.events(subject=batch))
        return {"results": batch_record(events, batch).results, "investigations": investigations(events)}

    def tell(found: dict[str, Any], _names: Names) -> Iterator[str]:
        for line in found["results"]:
            words = f"{line.sample:<16} {line.attribute:<20} {line.reported:<16} {line.limit:<16}"
            fixes = "".join(f" -> {fix.value} ({fix.reason})" for fix in line.corrections)
            yield f"{words} {result_words(line.state)}{fixes}"
        yield from map(investigation_line, found["investigations"])

    return listed(record, common, read, tell)


@app.command
def overdue(
    *,
    on: Annotated[str, Parameter(help="The day to look from, year-month-day; today by default.")] = "",
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """What is overdue: deviations, investigations, CAPA actions and checks, stability pulls; exit code 1 if any is.

    Example: seedtrain quality overdue --record record.db
    """
    from seedtrain.gmp import overdue as find
    from seedtrain.gmp import recorded_words

    def tell(rows: tuple[Overdue, ...], names: Names) -> Iterator[str]:
        for item in rows:
            owner = person_words(item.owner, names) if item.owner else ""
            yield f"{item.due}  {item.name:<24} {recorded_words(item.words)}  {owner}".rstrip()
        if not rows:
            yield _("nothing is overdue")

    return listed(
        record, common, lambda ledger: find(ledger, on), tell, code=lambda rows: EXIT_FAIL if rows else EXIT_DONE
    )
