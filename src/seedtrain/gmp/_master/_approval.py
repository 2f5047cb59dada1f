"""What the ledger says of a recipe: its text, who signed for it, and whether a batch may be made with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Final

from seedtrain.base import InputError, SeedtrainError, digest
from seedtrain.gmp._authority import could, same_person
from seedtrain.gmp._master._change import change_request
from seedtrain.gmp._master._head import at_head as at_head
from seedtrain.gmp._master._life import (
    APPROVAL_SIGNED,
    DUTY,
    MADE_EFFECTIVE,
    RETIRED,
    SUBMITTED,
    RecipeLife,
    fold_life,
    with_successors,
)
from seedtrain.quantity import parse
from seedtrain.recipe import ControlRecipe, MasterRecipe, parse_recipe
from seedtrain.record import Draft, Event, Ledger, append_signed, find_person, sign, timestamp

AUTHORSHIP: Final = "authorship"
APPROVAL: Final = "approval"
_COPIED: Final = ("text", "master_digest", "unit", "volume")


@dataclass(frozen=True)
class Approval:
    """A recipe that was put up for approval: who signed, and whether its text still gives its digest.

    - `recipe`: read from the text in the ledger; None where there is none, or `fault` says why it does not count.
    - `life`: how far it has come; None for a recipe of a simulated program, which two scripts sign at once.
    - `at`: the ledger's time when this was read.
    """

    digest: str
    event: Event
    signers: tuple[str, ...]
    recipe: MasterRecipe | None
    fault: str
    retired: bool
    life: RecipeLife | None = None
    at: str = ""

    @property
    def effective(self) -> bool:
        """Whether a batch may be made with it now (21 CFR 211.186(a): two persons, independently)."""
        return not self.fault and not self.retired and not self.objection(self.at)

    @property
    def control(self) -> ControlRecipe | None:
        """The control recipe as it was signed; None where its text is not in the ledger or does not count."""
        if self.recipe is None or self.fault:
            return None
        payload = self.event.payload
        unit, volume = str(payload["unit"]), parse(str(payload["volume"]))
        return ControlRecipe(self.recipe, str(payload["master_digest"]), unit, volume, 1.0)

    def objection(self, at: str) -> str:
        """Why a batch that was created at this time may not be made with it, in one sentence; empty where it may."""
        if self.life is None:
            if len(self.signers) >= 2:
                return ""
            return (
                f"the recipe is signed by {', '.join(self.signers) or 'nobody'} only; two different persons are needed "
                "(21 CFR 211.186)"
            )
        life, state = self.life, self.life.state(at)
        name = f"the recipe {life.recipe} {life.version}"
        if state == "effective":
            return ""
        if state == "superseded":
            return f"{name} was superseded on {str(life.superseded_from)[:10]}"
        if state == "approved" and life.effective_from is not None:
            return f"{name} is effective only from {life.effective_from}"
        return f"{name} is {state if state != 'draft' else 'a draft'}, not effective"


def approve_recipe(
    ledger: Ledger, control: ControlRecipe, *, author: str, approver: str, at: datetime | None = None
) -> Approval:
    """The short way of a simulated program: two scripts sign the control recipe's own text, and it is effective.

    People go the whole way, by `submit_recipe`. Safe to call again: what is there is not written twice. Raises
    `InputError` where author and approver are one, or one of them is a real person.
    """
    if author == approver:
        raise InputError(
            f"{author} cannot approve a recipe of their own", remedy="Name another person as approver (21 CFR 211.186)."
        )
    for actor in (author, approver):
        person = find_person(ledger, actor)
        if person is not None and not person.scripted:
            raise InputError(
                f"{actor} is a real person: the short approval is for simulated programs",
                remedy="seedtrain recipe submit, review, approve and effective.",
            )
    payload = recipe_payload(control)
    identity = digest(["recipe.approved", control.digest])[:32]
    draft = Draft("recipe.approved", control.digest, payload, author, at, id=identity)
    event, _ = append_signed(ledger, draft, AUTHORSHIP)
    found = approval(ledger, control.digest)
    assert found is not None
    if approver not in found.signers:
        sign(ledger, approver, event.digest, APPROVAL, subject=control.digest, occurred_at=at)
        found = approval(ledger, control.digest)
    assert found is not None
    return found


def recipe_payload(control: ControlRecipe) -> dict[str, str]:
    """A control recipe as an event holds it: its text, and all that its digest covers."""
    return {
        "recipe": control.recipe.name,
        "version": control.recipe.version,
        "master_digest": control.master_digest,
        "digest": control.digest,
        "unit": control.unit,
        "volume": str(control.volume),
        "text": control.recipe.to_yaml(),
    }


def approval(ledger: Ledger, recipe_digest: str) -> Approval | None:
    """What the ledger says of the control recipe of this digest; None if it was never put up."""
    events = list(ledger.events(subject=recipe_digest))
    now = timestamp(ledger.now)
    life = fold_life(events, lambda life, step: _counts(ledger, life, step))
    if life is not None:
        return _of_life(ledger, life, events, now)
    event = next((item for item in events if item.type == "recipe.approved"), None)
    if event is None:
        return None
    signers = dict.fromkeys(
        item.actor
        for item in events
        if item.type == "signature.applied"
        and item.payload["record_digest"] in (event.digest, recipe_digest)
        and find_person(ledger, item.actor) is not None
    )
    recipe, fault = _read(event)
    retired = any(item.type == "recipe.retired" for item in events)
    return Approval(recipe_digest, event, tuple(signers), recipe, fault, retired, at=now)


def _of_life(ledger: Ledger, life: RecipeLife, events: list[Event], now: str) -> Approval:
    event = next(item for item in events if item.type == SUBMITTED and item.seq == life.steps[0].seq)
    if life.effective_from is not None:
        others = _made_effective(ledger, life)
        lives = [recipe_life(ledger, other) for other in sorted(others)]
        life = with_successors([life, *(item for item in lives if item is not None)])[0]
    recipe, fault = _read(event)
    signers = tuple(dict.fromkeys((life.author, *life.approvers)))
    return Approval(life.digest, event, signers, recipe, fault, life.retired_at is not None, life, now)


def recipe_versions(ledger: Ledger, recipe: str | None = None) -> tuple[RecipeLife, ...]:
    """Every version that was ever submitted, or those of one recipe, in order, with what superseded it."""
    submitted = (item for item in ledger.events(type=SUBMITTED) if recipe in (None, item.payload.get("recipe")))
    lives = [recipe_life(ledger, subject) for subject in dict.fromkeys(item.subject for item in submitted)]
    return with_successors(life for life in lives if life is not None)


def _made_effective(ledger: Ledger, life: RecipeLife, before: int | None = None) -> set[str]:
    """Digests of the other versions of this recipe that may have been made effective (before an event)."""
    return {
        item.subject
        for item in ledger.events(type=MADE_EFFECTIVE)
        if item.payload.get("recipe") == life.recipe
        and item.subject != life.digest
        and (before is None or item.seq < before)
    }


def recipe_life(ledger: Ledger, recipe_digest: str) -> RecipeLife | None:
    """The life of one version, with the steps that count; what superseded it is not looked for."""
    return fold_life(ledger.events(subject=recipe_digest), lambda life, step: _counts(ledger, life, step))


def _counts(ledger: Ledger, life: RecipeLife | None, step: Event) -> bool:
    """Whether the step's actor might take it then: by role, as another person, under a change that was approved.

    The commands refuse the same with words; this holds for whatever was written past them.
    """
    if not could(ledger, step, DUTY[step.type]):
        return False
    if life is None or step.type == RETIRED:
        return True
    if step.type == MADE_EFFECTIVE:
        return _change_allows(ledger, life, step)
    if (
        step.type == APPROVAL_SIGNED
        and step.payload.get("unit") == "quality"
        and not could(ledger, step, "quality.approve")
    ):
        return False
    others = (life.author, *life.approvers) if step.type == APPROVAL_SIGNED else (life.author,)
    return not any(same_person(ledger, step.actor, other) for other in others)


def _change_allows(ledger: Ledger, life: RecipeLife, step: Event) -> bool:
    change = step.payload.get("change")
    if change is not None:
        try:
            found = change_request(ledger, str(change), before=step.seq)
        except InputError:
            return False
        return (found.kind, found.about, found.state) == ("recipe", life.recipe, "approved")
    for other in _made_effective(ledger, life, step.seq):
        before = fold_life(item for item in ledger.events(subject=other) if item.seq < step.seq)
        if before is not None and before.recipe == life.recipe and before.effective_from is not None:
            return False  # ICH Q10 3.2.3: what replaces a version needs a change request
    return True


def _read(event: Event) -> tuple[MasterRecipe | None, str]:
    """The recipe in the event, and what is wrong: its text must give the digest that was signed (21 CFR 211.188(a))."""
    payload = event.payload
    if payload.get("digest") != event.subject:
        return None, f"the approval names the digest {payload.get('digest')}, not that of the recipe"
    if "text" not in payload:
        return None, ""
    return read_copy({name: str(payload[name]) for name in _COPIED if name in payload}, event.subject, "approved")


def read_copy(copy: Mapping[str, str], pinned: str, by: str) -> tuple[MasterRecipe | None, str]:
    """A copy of a control recipe, and what is wrong with it: it must give the digest that is pinned (211.188(a)).

    - `copy`: its `text`, `master_digest`, `unit` and `volume`. `by`: what became of that digest, for the words.
    """
    try:
        recipe, found = _digest(*(copy[name] for name in _COPIED))
    except (SeedtrainError, KeyError) as error:
        return None, f"the recipe in the ledger cannot be read: {error}"
    if found != pinned:
        return None, f"the recipe in the ledger gives the digest {found[:16]}..., not the one {by}"
    return recipe, ""


@lru_cache(maxsize=8)
def _digest(text: str, master_digest: str, unit: str, volume: str) -> tuple[MasterRecipe, str]:
    recipe = parse_recipe(text, "the recipe in the ledger")
    ratio = 1.0  # no part of the digest
    return recipe, ControlRecipe(recipe, master_digest, unit, parse(volume), ratio).digest
