"""What is overdue in the quality system."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from seedtrain.gmp._quality._capa import all_capas
from seedtrain.gmp._quality._case import counting, day
from seedtrain.gmp._quality._deviations import all_deviations
from seedtrain.gmp._quality._oos import investigations
from seedtrain.gmp._quality._stability_steps import all_studies, today
from seedtrain.record import Ledger


@dataclass(frozen=True)
class Overdue:
    """Something that should have been done by `due` (year-month-day); `owner`: who, where somebody is named."""

    due: str
    name: str
    words: str
    owner: str = ""


def overdue(ledger: Ledger, on: str = "") -> tuple[Overdue, ...]:
    """Everything whose day has passed, the longest overdue first; `on`: the day to look from, today if empty."""
    last = day(on, "the day") if on else today(ledger)
    found = [item for item in (*_cases(ledger), *_capas(ledger)) if item.due < last]
    for study in all_studies(ledger):
        found += [Overdue(study.due(month), study.name, f"pull at {month} months") for month in study.overdue(last)]
    return tuple(sorted(found, key=lambda item: (item.due, item.name, item.words)))


def _cases(ledger: Ledger) -> Iterator[Overdue]:
    for item in all_deviations(ledger):
        if not item.closed:
            yield Overdue(item.due, item.name, f"deviation: {item.words}")
    for batch in dict.fromkeys(event.subject for event in ledger.events(type="oos.opened")):
        for found in investigations(counting(ledger, ledger.events(subject=batch))):
            if not found.conclusion:
                yield Overdue(found.due, found.name, f"investigation of {found.attribute}", found.assessed_by)


def _capas(ledger: Ledger) -> Iterator[Overdue]:
    for capa in all_capas(ledger):
        if capa.state == "closed":
            continue
        for action in capa.actions:
            if not action.evidence:
                yield Overdue(action.due, capa.name, f"{action.kind} action {action.number}", action.owner)
        if capa.effective is None:
            yield Overdue(capa.check_due, capa.name, "effectiveness check")
