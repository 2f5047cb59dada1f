"""Recorded results that the rules look at: critical points and tests for a species. One that fails holds downstream."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from seedtrain.base import InputError, InputErrors, Position, digest
from seedtrain.gmp._assurance._composition import DECIDE
from seedtrain.gmp._assurance._evidence import POINT_CHECKED, SPECIES_TESTED
from seedtrain.gmp._authority import authorise
from seedtrain.gmp._lots._holds import HoldOrder, hold_downstream
from seedtrain.quality import Verdict, VerdictWord
from seedtrain.record import Draft, Event, Ledger, append_signed


@dataclass(frozen=True)
class AssuranceRecorded:
    """A result as it was recorded, and the hold that it placed (None where it passed)."""

    event: Event
    order: HoldOrder | None


class _CriterionEntry(BaseModel):
    """A criterion, as the command line's contract writes it."""

    model_config = ConfigDict(strict=True)

    name: str
    value: str | float | None
    interval: Annotated[list[str | float], Field(min_length=2, max_length=2)] | None
    limit: str | None
    limit_of_detection: str | float | None
    verdict: VerdictWord


class _VerdictEntry(BaseModel):
    """A verdict, as the command line's contract writes it."""

    model_config = ConfigDict(strict=True)

    verdict: VerdictWord
    criteria: list[_CriterionEntry]
    evidence: list[str]
    versions: dict[str, str]
    seed: int | None


def check_point(
    ledger: Ledger, lot: str, point: str, result: str, basis: str, actor: str, *, at: datetime | None = None
) -> AssuranceRecorded:
    """Record that a critical point of a lot was checked, with what the check rests on; signed.

    - `result`: `pass` or `fail`. `basis`: a document, a certificate, an observation.
    """
    authorise(ledger, actor, DECIDE)
    known_lot(ledger, lot)
    if result not in ("pass", "fail") or not point.strip() or not basis.strip():
        raise InputError(
            f"the check of {point!r} on lot {lot} lacks its result or its basis",
            remedy="Give pass or fail, and the document or observation that it rests on.",
        )
    payload = {"point": point.strip(), "result": result, "basis": basis.strip()}
    return _record(ledger, POINT_CHECKED, lot, payload, f"critical point {point} failed: {basis}", result, actor, at)


def record_species_test(
    ledger: Ledger,
    lot: str,
    verdict: Verdict | Mapping[str, Any],
    target: str,
    actor: str,
    *,
    at: datetime | None = None,
) -> AssuranceRecorded:
    """Record the verdict of `seedtrain verify species --json` as a test of a lot; signed.

    - `verdict`: the document that the command printed. `target`: the species that was looked for.

    Raises `InputError` for a document that is no verdict, or one that names another lot or another species.
    """
    authorise(ledger, actor, DECIDE)
    known_lot(ledger, lot)
    found = verdict if isinstance(verdict, Verdict) else read_verdict(verdict)
    _of_this(found, lot, target)
    summary = "; ".join(f"{item.name}: {item.value}" for item in found.criteria)[:500] or "no criterion"
    payload = {
        "target": target,
        "verdict": found.verdict,
        "summary": summary,
        "digest": digest(as_text(found.to_data())),
        "evidence": list(found.evidence)[:50],
    }
    return _record(ledger, SPECIES_TESTED, lot, payload, f"test for {target}: {summary}", found.verdict, actor, at)


def _of_this(found: Verdict, lot: str, target: str) -> None:
    """Refuse a verdict whose evidence names another lot, or whose criterion is of the material of another species."""
    named = [line.removeprefix("lot ") for line in found.evidence if line.startswith("lot ")]
    if named not in ([], [lot]):
        raise InputError(
            f"this verdict is of lot {', '.join(named)}, not of {lot}",
            remedy=f"Judge the sample of this lot: seedtrain verify species TABLE --lot {lot} --json.",
        )
    kinds = {item.name.removesuffix(" material") for item in found.criteria if item.name.endswith(" material")}
    if kinds and target not in kinds:
        raise InputError(
            f"this verdict is on {', '.join(sorted(kinds))} material, not {target}",
            remedy="Name the species that was looked for.",
        )


def read_verdict(data: object, file: str = "") -> Verdict:
    """A verdict from the document that `seedtrain verify --json` printed; `InputErrors` with all that is not so."""
    from pydantic import ValidationError

    at = Position(file) if file else None
    remedy = "Give what `seedtrain verify species TABLE --json` printed."
    try:
        _VerdictEntry.model_validate(data)
        assert isinstance(data, Mapping)
        digest(as_text(data))
        return Verdict.from_data(data)
    except ValidationError as error:
        faults = [
            InputError(
                f"this is no verdict: {'.'.join(map(str, item['loc'])) or 'the document'}: {item['msg']}",
                position=at,
                remedy=remedy,
            )
            for item in error.errors()
        ]
        raise InputErrors(tuple(faults)) from None
    except UnicodeEncodeError:
        raise InputError(
            "this is no verdict: it holds characters that are no text", position=at, remedy=remedy
        ) from None
    except AssertionError as error:  # its verdict is better than its criteria
        raise InputError(f"this is no verdict: {error}", position=at, remedy=remedy) from None


def as_text(value: Any) -> Any:
    """Numbers as text: what is digested holds no floats."""
    if isinstance(value, Mapping):
        return {str(name): as_text(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [as_text(item) for item in value]
    return repr(value) if isinstance(value, float) else value


def _record(
    ledger: Ledger,
    type: str,
    lot: str,
    payload: Mapping[str, Any],
    words: str,
    result: str,
    actor: str,
    at: datetime | None,
) -> AssuranceRecorded:
    identity = digest([type, lot, dict(payload)])[:32]
    event, _signature = append_signed(ledger, Draft(type, lot, payload, actor, at, id=identity), "evidence recorded")
    order = hold_downstream(ledger, lot, words, actor, cause=event.id, at=at) if result == "fail" else None
    return AssuranceRecorded(event, order)


def known_lot(ledger: Ledger, lot: str) -> None:
    """Raise `InputError` for a lot of which the ledger says nothing."""
    from seedtrain.gmp._lots._genealogy import unknown_lot
    from seedtrain.gmp._lots._holds import made_from

    if next(iter(ledger.events(subject=lot)), None) is None and not made_from(ledger, lot):
        raise unknown_lot(lot)
