"""The steps of a master recipe's life: submit, review, approve, effective, retire; each by somebody who may, and signs.

Every step is safe to repeat: a command that was answered by a broken line may be given again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from seedtrain.base import InputError, digest
from seedtrain.gmp._authority import another_person, authorise, may
from seedtrain.gmp._master._approval import Approval, approval, recipe_payload, recipe_versions
from seedtrain.gmp._master._change import change_request
from seedtrain.gmp._master._head import at_head
from seedtrain.gmp._master._life import (
    APPROVAL_SIGNED,
    APPROVALS,
    MADE_EFFECTIVE,
    MEANINGS,
    RETIRED,
    REVIEWED,
    SUBMITTED,
    RecipeLife,
)
from seedtrain.recipe import ControlRecipe
from seedtrain.record import Draft, Ledger, append_signed, timestamp

SHORTEST_REFERENCE: Final = 8


def submit_recipe(ledger: Ledger, control: ControlRecipe, author: str) -> Approval:
    """Put a version into the ledger as a draft, signed by its author.

    Raises `InputError` where another text has this name and version.
    """
    authorise(ledger, author, "recipe.author")

    def decide(head: int) -> Approval:
        for life in recipe_versions(ledger, control.recipe.name):
            if life.digest == control.digest and life.author != author:
                raise InputError(f"{_name(life)} was submitted by {life.author}", remedy="Review it.")
            if life.digest != control.digest and _place(life) == _place(control):
                raise InputError(
                    f"{_name(life)} is in the ledger with another content ({life.digest[:16]}...)",
                    remedy="Give the changed recipe a new version.",
                )
        return _taken(ledger, control.digest, SUBMITTED, recipe_payload(control), author, head)

    return at_head(ledger, decide)


def review_recipe(ledger: Ledger, recipe_digest: str, reviewer: str, *, comment: str, accept: bool = True) -> Approval:
    """Another person than the author has read the draft: it goes on to approval, or back with what is wrong."""
    authorise(ledger, reviewer, "recipe.review")

    def decide(head: int) -> Approval:
        life = _life(ledger, recipe_digest)
        another_person(ledger, reviewer, [life.author], f"the review of {_name(life)}")
        if not comment.strip():
            raise InputError("a review has no words", remedy="Say what was looked at, or what is wrong.")
        state = life.state(timestamp(ledger.now))
        if accept and life.reviewer == reviewer:
            return _approval(ledger, recipe_digest)
        if state != "draft":
            raise InputError(f"{_name(life)} is {state}, not a draft", remedy="Review a draft.")
        payload = {"outcome": "accepted" if accept else "returned", "comment": comment.strip()}
        return _taken(ledger, recipe_digest, REVIEWED, payload, reviewer, head)

    return at_head(ledger, decide)


def sign_approval(ledger: Ledger, recipe_digest: str, approver: str) -> Approval:
    """One of the two approvals: by different people, neither of them the author, one of them of the quality unit."""
    authorise(ledger, approver, "recipe.approve")
    unit = "quality" if may(ledger, approver, "quality.approve") else "production"

    def decide(head: int) -> Approval:
        life = _life(ledger, recipe_digest)
        if approver in life.approvers:
            return _approval(ledger, recipe_digest)
        another_person(ledger, approver, [life.author, *life.approvers], f"the approval of {_name(life)}")
        state = life.state(timestamp(ledger.now))
        if state in ("draft", "returned", "retired"):
            raise InputError(f"{_name(life)} is {state}", remedy="A recipe is approved after its review.")
        if unit != "quality" and not life.quality and len(life.approvers) == APPROVALS - 1:
            raise InputError(
                f"nobody of the quality unit has approved {_name(life)}",
                remedy="The second approval must be quality assurance's (21 CFR 211.22(c)).",
            )
        return _taken(ledger, recipe_digest, APPROVAL_SIGNED, {"unit": unit}, approver, head)

    return at_head(ledger, decide)


def make_effective(
    ledger: Ledger, recipe_digest: str, actor: str, *, start: datetime | None = None, change: str | None = None
) -> Approval:
    """An approved version becomes effective at `start` (now), and supersedes the one before it then.

    - `change`: the approved change request; needed once any version of the recipe has been effective (ICH Q10 3.2.3).
    """
    authorise(ledger, actor, "quality.approve")

    def decide(head: int) -> Approval:
        found, life, now = _approval(ledger, recipe_digest), _life(ledger, recipe_digest), timestamp(ledger.now)
        if life.effective_from is not None and life.change == change:
            return found
        if found.fault:
            raise InputError(found.fault, remedy="Submit the recipe anew.")
        if life.state(now) != "approved" or life.effective_from is not None:
            raise InputError(
                f"{_name(life)} is {life.state(now)}, with {len(life.approvers)} of {APPROVALS} approvals",
                remedy="A version becomes effective once, after its review and the approval of two persons.",
            )
        begun = now if start is None else timestamp(start)
        if begun < now[:10]:
            raise InputError(f"{begun} is in the past", remedy="A recipe becomes effective today or later.")
        earlier = _earlier(ledger, life)
        _check_change(ledger, life, change, earlier)
        payload = {"recipe": life.recipe, "from": begun, "replaces": earlier, "change": change}
        more = () if change is None else (_link(change, recipe_digest, actor),)
        return _taken(ledger, recipe_digest, MADE_EFFECTIVE, payload, actor, head, more)

    return at_head(ledger, decide)


def retire_recipe(ledger: Ledger, recipe_digest: str, actor: str, reason: str) -> Approval:
    """Withdraw a version: no batch is begun with it, and one that runs stops before its next phase."""
    authorise(ledger, actor, "quality.approve")
    if not reason.strip():
        raise InputError("a retirement has no reason", remedy="Say why.")

    def decide(head: int) -> Approval:
        life = _life(ledger, recipe_digest)
        if life.retired_at is not None:
            return _approval(ledger, recipe_digest)
        return _taken(ledger, recipe_digest, RETIRED, {}, actor, head, reason=reason.strip())

    return at_head(ledger, decide)


def find_recipe(ledger: Ledger, reference: str) -> RecipeLife:
    """The version that a reference names: `NAME` (the effective one), `NAME@VERSION`, or a digest's beginning.

    Raises `InputError` for none, or more than one.
    """
    lives, now = recipe_versions(ledger), timestamp(ledger.now)
    name, _, version = reference.partition("@")
    if version:
        found = [life for life in lives if (life.recipe, life.version) == (name, version)]
    else:
        found = [life for life in lives if life.recipe == name and life.state(now) == "effective"]
        if not found and len(reference) >= SHORTEST_REFERENCE:
            found = [life for life in lives if life.digest.startswith(reference)]
    if len(found) == 1:
        return found[0]
    many = ", ".join(f"{life.recipe}@{life.version} for {life.volume} in {life.unit}" for life in found)
    raise InputError(
        f"{reference!r} names {'several versions: ' + many if found else 'no version of a recipe in this ledger'}",
        remedy=f"Give NAME@VERSION, or {SHORTEST_REFERENCE} or more digits of a digest: seedtrain recipe list.",
    )


def _earlier(ledger: Ledger, life: RecipeLife) -> list[str]:
    """The versions of this recipe that were made effective before, for whatever batch size."""
    return [
        other.digest
        for other in recipe_versions(ledger, life.recipe)
        if other.effective_from is not None and other.digest != life.digest
    ]


def _check_change(ledger: Ledger, life: RecipeLife, change: str | None, earlier: Sequence[str]) -> None:
    if change is None:
        if earlier:
            raise InputError(
                f"{_name(life)} replaces {len(earlier)} earlier version(s) and names no change request",
                remedy="Have a change approved (seedtrain change open), then give --change (ICH Q10 3.2.3).",
            )
        return
    found = change_request(ledger, change)
    if found.kind != "recipe" or found.about != life.recipe:
        raise InputError(
            f"{change} is about the {found.kind} {found.about}, not about the recipe {life.recipe}",
            remedy="Give the change request of this recipe.",
        )
    if found.state not in ("approved", "implemented") or (
        found.state == "implemented" and life.digest not in found.made
    ):
        raise InputError(f"{change} is {found.state}, not approved", remedy="Have it assessed and approved first.")


def _link(change: str, recipe_digest: str, actor: str) -> Draft:
    identity = digest(["change.linked", change, recipe_digest])[:32]
    return Draft("change.linked", change, {"digest": recipe_digest}, actor, id=identity)


def _taken(
    ledger: Ledger,
    recipe_digest: str,
    type: str,
    payload: Mapping[str, object],
    actor: str,
    head: int,
    more: Sequence[Draft] = (),
    reason: str | None = None,
) -> Approval:
    identity = digest([type, recipe_digest, actor])[:32]
    draft = Draft(type, recipe_digest, payload, actor, reason=reason, id=identity)
    append_signed(ledger, draft, MEANINGS[type], more=more, at_head=head)
    return _approval(ledger, recipe_digest)


def _approval(ledger: Ledger, recipe_digest: str) -> Approval:
    found = approval(ledger, recipe_digest)
    if found is None:
        raise InputError(
            f"the recipe {recipe_digest[:16]}... was never submitted", remedy="seedtrain recipe submit FILE"
        )
    return found


def _life(ledger: Ledger, recipe_digest: str) -> RecipeLife:
    life = _approval(ledger, recipe_digest).life
    if life is None:
        raise InputError(
            f"the recipe {recipe_digest[:16]}... was approved by a simulated program",
            remedy="Submit it: seedtrain recipe submit FILE.",
        )
    return life


def _place(version: RecipeLife | ControlRecipe) -> tuple[str, str, str, str]:
    """What one version is of: a name and version, for a batch size."""
    if isinstance(version, RecipeLife):
        return version.recipe, version.version, version.unit, version.volume
    return version.recipe.name, version.recipe.version, version.unit, str(version.volume)


def _name(life: RecipeLife) -> str:
    return f"{life.recipe} {life.version}"
