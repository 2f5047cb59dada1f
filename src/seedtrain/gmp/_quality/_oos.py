"""Out-of-specification results: laboratory assessment, full-scale investigation, retest by a plan approved before.

Source: FDA, Investigating Out-of-Specification (OOS) Test Results for Pharmaceutical Production (2006, revision 1 of
2022): phase I and phase II, the number of retests fixed in advance and not adjusted to what is found, a second
analyst; 21 CFR 211.192. An original result never leaves the record, and nothing is averaged.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from seedtrain.gmp._quality._case import later_day, signed_pairs
from seedtrain.record import Event

DAYS: Final = 30  # from the result to the end of the investigation; assumed
LABORATORY_ERROR: Final = "laboratory error"
CONFIRMED: Final = "confirmed"
NOT_CONFIRMED: Final = "not confirmed"
CONCLUSIONS: Final = (LABORATORY_ERROR, CONFIRMED, NOT_CONFIRMED)


@dataclass(frozen=True)
class RetestPlan:
    """A plan of retests: how many, fixed in advance; `approved_seq` is 0 while nobody approved it."""

    retests: int
    why: str
    planned_by: str
    approved_by: str = ""
    approved_seq: int = 0


@dataclass(frozen=True)
class Retest:
    """A result recorded under a plan."""

    seq: int
    id: str
    number: int
    state: str
    reported: str
    analyst: str


@dataclass(frozen=True)
class Investigation:
    """The investigation of one result, as the ledger has it.

    - `result`: id of the event of the result. `analyst`: who recorded it.
    - `assignable`: whether the laboratory assessment found an error of the test; None before it.
    - `invalidated_by`: who took the original test as invalid; `corrected_by`: who corrected the result instead, the
      last one; they neither assess it nor conclude on it.
    - `findings`: of the full-scale investigation. `faults`: retests past their plan; they block every conclusion.
    - `conclusion`: one of `CONCLUSIONS` and signed, or empty.
    """

    name: str
    batch: str
    result: str
    sample: str
    attribute: str
    method: str
    reported: str
    limit: str
    analyst: str
    seq: int
    opened_at: str
    due: str
    assessed_by: str = ""
    laboratory: str = ""
    assignable: bool | None = None
    invalidated_by: str = ""
    corrected_by: str = ""
    findings: str = ""
    cause: str = ""
    investigated_by: str = ""
    plan: RetestPlan | None = None
    retests: tuple[Retest, ...] = ()
    faults: tuple[str, ...] = ()
    conclusion: str = ""
    words: str = ""
    closed_by: str = ""

    @property
    def phase(self) -> str:
        """laboratory, full scale, retest or closed."""
        if self.conclusion:
            return "closed"
        if self.plan is not None:
            return "retest"
        return "laboratory" if self.assignable is None or self.assignable else "full scale"

    @property
    def barred(self) -> frozenset[str]:
        """Who does not approve or conclude: the analysts, and who planned the retests."""
        planned = {self.plan.planned_by} if self.plan else set()
        return self.testers | {item.analyst for item in self.retests} | planned

    @property
    def testers(self) -> frozenset[str]:
        """Whose test and figures are in question: the analyst, and who corrected the result."""
        return frozenset({self.analyst, self.corrected_by} - {""})

    def against(self, conclusion: str) -> tuple[str, ...]:
        """What speaks against a conclusion; nothing where it may be drawn."""
        missing = list(self.faults)
        if self.assignable is None:
            missing.append("the laboratory assessment is missing")
        if conclusion == LABORATORY_ERROR:
            missing += [] if self.assignable else ["no assignable error of the laboratory was found"]
            missing += (
                [] if self.invalidated_by or self.corrected_by else ["the result was neither invalidated nor corrected"]
            )
            return tuple(missing)
        missing += [] if self.findings else ["the full-scale investigation is missing"]
        if conclusion == NOT_CONFIRMED:
            missing += self._retests()
        return tuple(missing)

    def _retests(self) -> list[str]:
        if self.plan is None or not self.plan.approved_seq:
            return ["there is no approved plan of retests"]
        found = (
            []
            if len(self.retests) == self.plan.retests
            else [f"{len(self.retests)} of {self.plan.retests} retests are recorded"]
        )
        return found + [f"retest {item.number} is {item.state}" for item in self.retests if item.state != "conforms"]


def investigations(events: Iterable[Event]) -> tuple[Investigation, ...]:
    """Fold the investigations out of the events of a batch.

    A step that is not signed does not count, nor one by somebody who may not take it, nor a conclusion against which
    something speaks: there is no closed investigation without its signatures.
    """
    kept = [item for item in events if item.type.startswith(("oos.", "result.", "retest.", "signature.", "value."))]
    signed = signed_pairs(kept)
    found: dict[str, Investigation] = {}
    analysts: dict[str, str] = {}
    for event in kept:
        payload = event.payload
        if event.type == "result.recorded":
            analysts[event.id] = str(payload.get("analyst") or event.actor)
            _retested(found, event)
        elif event.type == "value.corrected":
            for name, item in found.items():
                if item.result == event.corrects and (event.digest, event.actor) in signed:
                    found[name] = _corrected(item, event)
        elif event.type == "oos.opened":
            found.setdefault(str(payload["oos"]), _opened(event, analysts.get(str(payload["result"]), event.actor)))
        elif str(payload.get("oos")) in found and (event.digest, event.actor) in signed:
            name = str(payload["oos"])
            found[name] = _then(found[name], event)
    return tuple(found.values())


def _opened(event: Event, analyst: str) -> Investigation:
    payload = event.payload
    texts: dict[str, Any] = {
        name: str(payload[name]) for name in ("result", "sample", "attribute", "method", "reported", "limit")
    }
    return Investigation(
        name=str(payload["oos"]),
        batch=event.subject,
        **texts,
        analyst=analyst,
        seq=event.seq,
        opened_at=event.occurred_at,
        due=later_day(event.occurred_at, DAYS),
    )


def _corrected(item: Investigation, event: Event) -> Investigation:
    """Another figure is another case: an assessment by who corrects it, and a conclusion before, count no more."""
    item = replace(item, corrected_by=event.actor, conclusion="", words="", closed_by="")
    return replace(item, assessed_by="", assignable=None) if item.assessed_by == event.actor else item


def _then(item: Investigation, event: Event) -> Investigation:
    payload: Any = event.payload
    if item.conclusion:
        return item
    if event.type == "oos.assessed" and event.actor not in item.testers:
        laboratory, assignable = str(payload["findings"]), payload["assignable"] is True
        return replace(item, assessed_by=event.actor, laboratory=laboratory, assignable=assignable)
    if event.type == "result.invalidated" and item.assignable and payload["result"] == item.result:
        return item if event.actor in item.testers | {item.assessed_by} else replace(item, invalidated_by=event.actor)
    if event.type == "oos.investigated":
        findings, cause = str(payload["findings"]), str(payload["cause"])
        return replace(item, investigated_by=event.actor, findings=findings, cause=cause)
    if event.type == "retest.planned" and item.plan is None and item.findings:
        return replace(item, plan=RetestPlan(int(payload["retests"]), str(payload["why"]), event.actor))
    if event.type == "retest.approved" and item.plan is not None and not item.retests:
        if event.actor in item.barred:
            return item
        return replace(item, plan=replace(item.plan, approved_by=event.actor, approved_seq=event.seq))
    if event.type == "oos.closed":
        return _concluded(item, event)
    return item


def _concluded(item: Investigation, event: Event) -> Investigation:
    conclusion = str(event.payload["conclusion"])
    barred = item.barred | ({item.assessed_by} if conclusion == LABORATORY_ERROR else set())
    if conclusion not in CONCLUSIONS or event.actor in barred or item.against(conclusion):
        return item
    return replace(item, conclusion=conclusion, words=str(event.payload["words"]), closed_by=event.actor)


def _retested(found: dict[str, Investigation], event: Event) -> None:
    """A result that names a plan belongs to its investigation; another of the same attribute is a fault of it."""
    payload = event.payload
    name = str(payload.get("retest", ""))
    if name not in found:
        for other, item in found.items():
            if payload["attribute"] == item.attribute and not item.conclusion and not item.invalidated_by:
                words = f"event {event.seq}: {item.attribute} was tested again outside a plan"
                found[other] = replace(item, faults=(*item.faults, words))
        return
    item = found[name]
    analyst = str(payload.get("analyst") or event.actor)
    retest = Retest(
        event.seq, event.id, int(payload["number"]), str(payload["state"]), str(payload["reported"]), analyst
    )
    faults = list(item.faults)
    if item.plan is None or not item.plan.approved_seq:
        faults.append(f"event {event.seq}: a retest before its plan was approved")
    elif retest.number != len(item.retests) + 1 or retest.number > item.plan.retests:
        faults.append(f"event {event.seq}: a retest past the plan of {item.plan.retests}")
    if analyst == item.analyst:
        faults.append(f"event {event.seq}: a retest by the first analyst")
    if item.conclusion:  # it was drawn without this one
        item = replace(item, conclusion="", closed_by="")
    found[name] = replace(item, retests=(*item.retests, retest), faults=tuple(faults))


def of_attribute(found: Sequence[Investigation], result: str) -> Investigation | None:
    """The investigation of the result of this event."""
    return next((item for item in found if item.result == result), None)
