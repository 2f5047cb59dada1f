"""The life of one version of a master recipe, folded from its events: only what somebody signed who might counts.

draft -> reviewed -> approved (two persons, neither the author) -> effective (from a date) -> superseded or retired; a
review may return it instead. Sources: 21 CFR 211.186(a) two persons, independently; 211.22(c), 211.100(a) the quality
unit approves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Final, Literal

from seedtrain.base import translate as _
from seedtrain.record import Event

APPROVALS: Final = 2
SUBMITTED: Final = "recipe.submitted"
REVIEWED: Final = "recipe.reviewed"
APPROVAL_SIGNED: Final = "recipe.approval_signed"
MADE_EFFECTIVE: Final = "recipe.made_effective"
RETIRED: Final = "recipe.retired"
MEANINGS: Final = {
    SUBMITTED: "authorship",
    REVIEWED: "review",
    APPROVAL_SIGNED: "approval",
    MADE_EFFECTIVE: "effective",
    RETIRED: "retirement",
}
DUTY: Final = {
    SUBMITTED: "recipe.author",
    REVIEWED: "recipe.review",
    APPROVAL_SIGNED: "recipe.approve",
    MADE_EFFECTIVE: "quality.approve",
    RETIRED: "quality.approve",
}
RecipeState = Literal["draft", "returned", "reviewed", "approved", "effective", "superseded", "retired"]


@dataclass(frozen=True)
class RecipeStep:
    """One signed step. `at`: when the ledger recorded it; `words`: the comment or reason that was given."""

    type: str
    actor: str
    at: str
    seq: int
    words: str


@dataclass(frozen=True)
class RecipeLife:
    """How far a version has come. Times are those of the ledger.

    - `digest`: of the control recipe, which a batch pins; `unit`, `volume`: the batch size that it is for.
    - `approvers`: in order, each another person than the author; `quality`: one of them signed for the quality unit.
    - `effective_from`: may lie ahead. `superseded_from`: set by `with_successors`.
    - `change`: the change request under which it replaced another version.
    """

    digest: str
    recipe: str
    version: str
    unit: str
    volume: str
    author: str
    steps: tuple[RecipeStep, ...]
    reviewer: str | None = None
    returned: str | None = None
    approvers: tuple[str, ...] = ()
    quality: bool = False
    effective_from: str | None = None
    superseded_from: str | None = None
    retired_at: str | None = None
    change: str | None = None

    @property
    def approved(self) -> bool:
        """Whether it has all the signatures that it needs."""
        return self.reviewer is not None and len(self.approvers) >= APPROVALS and self.quality

    def state(self, at: str) -> RecipeState:
        """The state at a time of the ledger (ISO 8601 in UTC)."""
        if self.retired_at is not None and self.retired_at <= at:
            return "retired"
        if self.returned is not None:
            return "returned"
        if self.effective_from is not None and self.effective_from <= at:
            return "superseded" if self.superseded_from is not None and self.superseded_from <= at else "effective"
        if self.approved:
            return "approved"
        return "draft" if self.reviewer is None else "reviewed"


def state_words(state: RecipeState) -> str:
    """The state in the reader's language."""
    return {
        "draft": _("draft"),
        "returned": _("returned"),
        "reviewed": _("reviewed"),
        "approved": _("approved"),
        "effective": _("effective"),
        "superseded": _("superseded"),
        "retired": _("retired"),
    }[state]


def step_words(type: str) -> str:
    """A step of the life in the reader's language."""
    return {
        SUBMITTED: _("submitted"),
        REVIEWED: _("reviewed"),
        APPROVAL_SIGNED: _("approval signed"),
        MADE_EFFECTIVE: _("made effective"),
        RETIRED: _("retired"),
    }.get(type, type)


def _anybody(life: RecipeLife | None, event: Event) -> bool:
    return True


def fold_life(events: Iterable[Event], may: Callable[[RecipeLife | None, Event], bool] = _anybody) -> RecipeLife | None:
    """The life of a version from the events filed under its digest; None where nobody signed a submission.

    A step counts from its actor's signature on, and only where it may follow what has happened so far: anything else
    in the ledger changes nothing.

    - `may`: whether the step's actor might take it, after what has happened so far; roles and names are not in these
      events. `approval` and `recipe_versions` ask the ledger.
    """
    life: RecipeLife | None = None
    waiting: dict[str, Event] = {}
    for event in events:
        if event.type in MEANINGS:
            waiting[event.digest] = event
        elif event.type == "signature.applied":
            step = waiting.get(str(event.payload["record_digest"]))
            if step is not None and step.actor == event.actor and event.payload["meaning"] == MEANINGS[step.type]:
                life = _after(life, step) if may(life, step) else life
                del waiting[step.digest]
    return life


def _after(life: RecipeLife | None, event: Event) -> RecipeLife | None:
    """The life after a signed step; unchanged where the step may not follow."""
    if life is None:
        return _begun(event) if event.type == SUBMITTED and event.payload.get("digest") == event.subject else None
    change = _changed(life, event)
    if change is None or life.retired_at is not None:
        return life
    words = event.reason or str(event.payload.get("comment", ""))
    step = RecipeStep(event.type, event.actor, event.recorded_at, event.seq, words)
    return replace(change, steps=(*life.steps, step))


def _changed(life: RecipeLife, event: Event) -> RecipeLife | None:
    payload, other = event.payload, event.actor != life.author
    if event.type == RETIRED:
        return replace(life, retired_at=event.recorded_at)
    if life.returned is not None:
        return None
    if event.type == REVIEWED and other and life.reviewer is None:
        if payload.get("outcome") == "accepted":
            return replace(life, reviewer=event.actor)
        return replace(life, returned=event.recorded_at)
    if event.type == APPROVAL_SIGNED and other and life.reviewer is not None and event.actor not in life.approvers:
        quality = life.quality or payload.get("unit") == "quality"
        return replace(life, approvers=(*life.approvers, event.actor), quality=quality)
    if event.type == MADE_EFFECTIVE and life.approved and life.effective_from is None:
        if payload.get("recipe") != life.recipe:
            return None  # successors are looked for by this name
        if payload.get("replaces") and not payload.get("change"):
            return None  # ICH Q10 3.2.3: a version that replaces another needs a change request
        start = max(str(payload["from"]), event.recorded_at)
        return replace(life, effective_from=start, change=payload.get("change"))
    return None


def _begun(event: Event) -> RecipeLife:
    payload = event.payload
    step = RecipeStep(SUBMITTED, event.actor, event.recorded_at, event.seq, event.reason or "")
    recipe, version, unit, volume = (str(payload[name]) for name in ("recipe", "version", "unit", "volume"))
    return RecipeLife(event.subject, recipe, version, unit, volume, event.actor, (step,))


def with_successors(lives: Iterable[RecipeLife]) -> tuple[RecipeLife, ...]:
    """The versions with `superseded_from` filled in: one of a recipe for one unit and volume is effective at a time."""
    found = list(lives)
    for place, life in enumerate(found):
        if life.effective_from is None:
            continue
        later = [
            other.effective_from
            for other in found
            if (other.recipe, other.unit, other.volume) == (life.recipe, life.unit, life.volume)
            and other.effective_from is not None
            and not (other.retired_at is not None and other.retired_at <= other.effective_from)
            and _order(other) > _order(life)
        ]
        found[place] = replace(life, superseded_from=min(later, default=None))
    return tuple(found)


def _order(life: RecipeLife) -> tuple[str, int]:
    """Of two that start on the same day the one signed later is the successor."""
    return life.effective_from or "", max((step.seq for step in life.steps if step.type == MADE_EFFECTIVE), default=0)
