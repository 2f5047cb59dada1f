"""What one phase leaves in the record: materials, what its readings show, samples, calculated values."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from seedtrain.automation._calibrated import take_calibration
from seedtrain.automation._devices import Reading
from seedtrain.automation._excursion import Excursion, bounds, is_within
from seedtrain.automation._job import OPERATOR, SYSTEM, Job
from seedtrain.automation._materials import TOLERANCE_PERCENT, Share, Store, split, target
from seedtrain.automation._readings import take_readings
from seedtrain.automation._view import Findings, PhaseView, excursion, one_value
from seedtrain.base import decimal_text
from seedtrain.quantity import Quantity, Range
from seedtrain.recipe import PhaseAt, earlier
from seedtrain.record import Draft, Ledger

PRODUCT_AMOUNT: Final = "product_amount"
YIELD: Final = "yield"
PERFORMED: Final = "performed"


def phase_findings(view: PhaseView) -> Findings:
    """Everything that the phase's record needs but its start, its check and its end."""
    found = Findings()
    if view.step.phase.instruction and view.job.live is None:
        found.drafts.append(_entry(view))
    found.drafts += _consumed(view)
    take_readings(view, found)
    take_calibration(view, found)
    _samples(view, found)
    _transition(view, found)
    found.drafts += _product(view)
    return found


def _entry(view: PhaseView) -> Draft:
    return view.job.value(
        view.step.path,
        PERFORMED,
        "yes",
        "",
        view.ending.time,
        kind="entry",
        origin=view.origin,
        actor=view.job.operators[OPERATOR],
        more={"instruction": view.step.phase.instruction},
    )


def _consumed(view: PhaseView) -> list[Draft]:
    """One `lot.consumed` a lot; the target is the lot's share of what the recipe asks for, where it says."""
    recipe, path = view.job.control.recipe, view.step.path
    drafts = []
    lots = open_store(view.job)
    by_hand = view.step.phase.manual.dispense if view.job.live is not None else {}  # people record these themselves
    for addition in view.ending.additions:
        wanted = target(recipe, view.step, addition.material, view.hours)
        targets = {} if wanted is None else split(recipe, addition.material, wanted.value, wanted.unit)
        for material, (amount, unit) in split(recipe, addition.material, addition.amount, addition.unit).items():
            if material in by_hand:
                continue
            for share in lots.draw(material, amount, unit, view.ending.time.date()):
                lots.take(share)
                part = share.amount / amount if amount else 0.0
                aim = targets[material][0] * part if material in targets else None
                payload = _consumed_payload(share, aim, path, view.origin)
                drafts.append(view.job.draft("lot.consumed", payload, view.ending.time, device=view.unit.name))
    return drafts


def _consumed_payload(share: Share, aim: float | None, path: str, origin: str) -> dict[str, object]:
    return {
        "lot": share.lot,
        "material": share.material,
        "amount": decimal_text(share.amount),
        "unit": share.unit,
        "target": None if aim is None else decimal_text(aim),
        "tolerance_percent": None if aim is None else decimal_text(TOLERANCE_PERCENT),
        "phase": path,
        "origin": origin,
    }


def open_store(job: Job) -> Store:
    """The lots and what is left of them after everything that the ledger says was used, by this batch or another."""
    return Store(job.stock(), consumed(job.ledger))


def consumed(ledger: Ledger) -> list[Share]:
    """Everything that was taken from lots."""
    return [
        Share(str(item["lot"]), str(item["material"]), float(str(item["amount"])), str(item["unit"]))
        for event in ledger.events(type="lot.consumed")
        for item in (event.payload,)
    ]


def _samples(view: PhaseView, found: Findings) -> None:
    limits = view.step.phase.sample
    if not limits:
        return
    wanted = {name: item.unit for name, item in limits.items()}
    readings = view.unit.draw_sample(view.step.path, wanted)
    assert {item.tag for item in readings} == set(wanted), "the analyser left an attribute out"
    identity = sample_id(view.job, view.step)
    payload = {"sample": identity, "phase": view.step.path, "attributes": list(wanted), "origin": view.origin}
    found.drafts.append(view.job.draft("sample.taken", payload, view.ending.time, device=view.unit.name))
    for reading in readings:
        draft = _sample_value(view, reading, limits[reading.tag], identity)
        one_value(view, found, draft, limits[reading.tag])


def _sample_value(view: PhaseView, reading: Reading, limits: Range, identity: str) -> Draft:
    value = Quantity(reading.value, reading.unit).magnitude(limits.unit)
    return view.job.value(
        view.step.path,
        reading.tag,
        value,
        limits.unit,
        reading.time,
        limits=limits,
        kind="sample",
        origin=reading.origin,
        device=reading.device,
        more={"sample": identity},
    )


def sample_id(job: Job, step: PhaseAt) -> str:
    """The id of the sample of a phase: the batch and the phase's number among those that are sampled."""
    sampled = [item.path for item in job.steps() if item.phase.sample]
    return f"{job.batch}-IPC-{sampled.index(step.path) + 1:02d}"


def _transition(view: PhaseView, found: Findings) -> None:
    """A phase that ran into `at_most` before its condition was true: what it was to reach, out of limits."""
    until = view.step.phase.until
    if view.ending.ended_by != "at_most" or until is None or not isinstance(until.value, Quantity):
        return
    limits = Range(until.value, None) if until.operator == ">=" else Range(None, until.value)
    reached = _reached(found.drafts, until.quantity, limits)
    tag, value, unit = (until.quantity, *reached) if reached else ("elapsed", view.hours, "h")
    more: dict[str, object] = {"condition": str(until)}
    if reached is None:
        more["within"] = False  # nothing shows how far it came: only that the time ran out
    shown = limits if reached else None
    draft = view.job.value(
        view.step.path,
        f"{tag}_at_most",
        value,
        unit,
        view.ending.time,
        limits=shown,
        kind="calculated",
        origin=view.origin,
        more=more,
    )
    one_value(view, found, draft, shown)


def _reached(drafts: Sequence[Draft], tag: str, limits: Range) -> tuple[float, str] | None:
    """How near a phase came to a limit that it did not meet: the best reading, else the sample; None where neither
    shows that it was not met."""
    best = "maximum" if limits.high is None else "minimum"
    for kind, name in (("calculated", best), ("sample", "value")):
        for draft in drafts:
            payload = draft.payload
            if (payload.get("kind"), payload.get("tag")) == (kind, tag) and name in payload:
                value, unit = float(payload[name]), str(payload["unit"])
                if not is_within(value, *bounds(limits, unit)):
                    return value, unit
    return None


def _product(view: PhaseView) -> list[Draft]:
    """The product that left the phase, and its yield over what the last weighed phase left."""
    outlet = view.ending.outlet or {}
    if "product" not in outlet:
        return []
    amount = Quantity(*outlet["product"]).magnitude("g")
    came = earlier(view.job.control.recipe, view.step.path)
    before = [
        float(item["value"]) for _, item in view.state.values if item["tag"] == PRODUCT_AMOUNT and item["phase"] in came
    ]
    figures = [(PRODUCT_AMOUNT, amount, "g")]
    if before and before[-1] > 0:
        figures.append((YIELD, 100.0 * amount / before[-1], "%"))
    return [
        view.job.value(
            view.step.path, tag, value, unit, view.ending.time, kind="calculated", origin=view.origin, actor=SYSTEM
        )
        for tag, value, unit in figures
    ]


def hold_time_value(view: PhaseView, waited: float, until: datetime) -> tuple[Draft, Excursion | None]:
    """How long what the phase left has waited, h, against its `hold_time`; recorded when the next phase starts."""
    limit = view.step.phase.hold_time
    assert limit is not None
    limits = Range(None, limit)
    draft = view.job.value(
        view.step.path, "hold_time", waited, "h", until, limits=limits, kind="calculated", origin=view.origin
    )
    if draft.payload["within"]:
        return draft, None
    found = excursion(
        view,
        "hold_time",
        waited,
        "h",
        limits,
        span=(view.hours, view.hours + waited),
        at=until,
        kind="calculated",
    )
    return draft, found


def in_order(drafts: Sequence[Draft]) -> list[Draft]:
    """Drafts by their time on the process clock; equal times keep their order."""

    def when(draft: Draft) -> datetime:
        assert isinstance(draft.occurred_at, datetime)
        return draft.occurred_at

    return sorted(drafts, key=when)
