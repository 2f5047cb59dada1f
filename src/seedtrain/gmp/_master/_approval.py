"""Approved recipes: the text stands in the ledger, and two persons signed for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Final, TypeVar

from seedtrain.base import InputError, SeedtrainError, digest
from seedtrain.quantity import parse
from seedtrain.recipe import ControlRecipe, MasterRecipe, parse_recipe
from seedtrain.record import ConflictError, Draft, Event, Ledger, append_signed, find_person, sign

AUTHORSHIP: Final = "authorship"
APPROVAL: Final = "approval"
T = TypeVar("T")


@dataclass(frozen=True)
class Approval:
    """A recipe that was put up for approval: who signed, and whether its text still gives its digest.

    - `recipe`: read from the text in the ledger; None where there is none, or `fault` says why it does not count.
    """

    digest: str
    event: Event
    signers: tuple[str, ...]
    recipe: MasterRecipe | None
    fault: str
    retired: bool

    @property
    def effective(self) -> bool:
        """Whether a batch may be made with it (21 CFR 211.186(a): two persons, independently)."""
        return len(self.signers) >= 2 and not self.fault and not self.retired


def approve_recipe(
    ledger: Ledger, control: ControlRecipe, *, author: str, approver: str, at: datetime | None = None
) -> Approval:
    """Put the control recipe's own text into the ledger, signed by its author and then by another person.

    Safe to call again: what is there is not written twice. Raises `InputError` where author and approver are one.
    """
    if author == approver:
        raise InputError(
            f"{author} cannot approve a recipe of their own", remedy="Name another person as approver (21 CFR 211.186)."
        )
    payload = {
        "recipe": control.recipe.name,
        "version": control.recipe.version,
        "master_digest": control.master_digest,
        "digest": control.digest,
        "unit": control.unit,
        "volume": str(control.volume),
        "text": control.recipe.to_yaml(),
    }
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


def approval(ledger: Ledger, recipe_digest: str) -> Approval | None:
    """What the ledger says of the control recipe of this digest; None if it was never put up."""
    events = list(ledger.events(subject=recipe_digest))
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
    return Approval(recipe_digest, event, tuple(signers), recipe, fault, retired)


def _read(event: Event) -> tuple[MasterRecipe | None, str]:
    """The recipe in the event, and what is wrong: its text must give the digest that was signed (21 CFR 211.188(a))."""
    payload = event.payload
    if payload.get("digest") != event.subject:
        return None, f"the approval names the digest {payload.get('digest')}, not that of the recipe"
    if "text" not in payload:
        return None, ""
    try:
        recipe, found = _digest(*(str(payload[name]) for name in ("text", "master_digest", "unit", "volume")))
    except (SeedtrainError, KeyError) as error:
        return None, f"the recipe in the ledger cannot be read: {error}"
    if found != event.subject:
        return None, f"the recipe in the ledger gives the digest {found[:16]}..., not the one approved"
    return recipe, ""


@lru_cache(maxsize=8)
def _digest(text: str, master_digest: str, unit: str, volume: str) -> tuple[MasterRecipe, str]:
    recipe = parse_recipe(text, "the recipe in the ledger")
    ratio = 1.0  # no part of the digest
    return recipe, ControlRecipe(recipe, master_digest, unit, parse(volume), ratio).digest


def at_head(ledger: Ledger, decide: Callable[[int], T]) -> T:
    """`decide(head)` until nobody has written between its reading and its writing (`append(..., at_head=head)`)."""
    while True:
        try:
            return decide(ledger.head.seq)
        except ConflictError:
            continue
