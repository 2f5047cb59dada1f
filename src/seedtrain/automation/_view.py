"""A phase that ended, as its record is made from it, and what is found in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from seedtrain.automation._devices import Ending, FunctionalUnit
from seedtrain.automation._excursion import Excursion, bounds
from seedtrain.automation._fold import BatchState
from seedtrain.automation._job import Job, unit_name
from seedtrain.quantity import Range
from seedtrain.recipe import PhaseAt
from seedtrain.record import Draft


@dataclass
class Findings:
    """What a phase gave: events to append, and the excursions among them."""

    drafts: list[Draft] = field(default_factory=list)
    excursions: list[Excursion] = field(default_factory=list)


@dataclass(frozen=True)
class PhaseView:
    """A phase that ended, with all that its record is made from."""

    job: Job
    state: BatchState
    step: PhaseAt
    unit: FunctionalUnit
    ending: Ending
    origin: str

    @property
    def began(self) -> datetime:
        """When it started, on the process clock."""
        return self.state.started[self.step.path].time

    @property
    def hours(self) -> float:
        """How long it took, h."""
        return (self.ending.time - self.began).total_seconds() / 3600.0

    @property
    def batch_start(self) -> datetime:
        """When the batch began, on the process clock."""
        assert self.state.begun is not None
        return self.state.begun


def excursion(
    view: PhaseView,
    tag: str,
    value: float,
    unit: str,
    limits: Range | None,
    *,
    span: tuple[float, float],
    at: datetime,
    kind: str,
    device: str | None = None,
    count: int = 1,
) -> Excursion:
    """An excursion of this phase; `span` in h of the phase."""
    low, high = bounds(limits, unit)
    return Excursion(
        batch=view.job.batch,
        phase=view.step.path,
        unit_name=unit_name(view.step),
        tag=tag,
        value=value,
        unit=unit,
        low=low,
        high=high,
        start_h=span[0],
        end_h=span[1],
        occurred_at=at,
        kind=kind,
        device=device,
        count=count,
        origin=view.origin,
    )


def one_value(view: PhaseView, found: Findings, draft: Draft, limits: Range | None) -> None:
    """Append a single value, and its excursion where it is out of limits."""
    found.drafts.append(draft)
    payload = draft.payload
    if not payload["within"]:
        found.excursions.append(
            excursion(
                view,
                payload["tag"],
                float(payload["value"]),
                payload["unit"],
                limits,
                span=(view.hours, view.hours),
                at=view.ending.time,
                kind=payload["kind"],
                device=draft.device,
            )
        )
