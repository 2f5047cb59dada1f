"""`seedtrain recipe submit`, `review`, `approve`, `effective`, `retire`, `list`, `history`: a master recipe's life."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from seedtrain.base import InputError
from seedtrain.base import translate as _
from seedtrain.cli._acted import acted, shown
from seedtrain.cli._common import Common
from seedtrain.cli._quality_words import Names, minute, person_words
from seedtrain.cli._signing import RecordUrl, Signer, open_record

if TYPE_CHECKING:
    from seedtrain.gmp import Approval, RecipeLife
    from seedtrain.recipe import ControlRecipe
    from seedtrain.record import Ledger


def submit(
    recipe: Path,
    *,
    at: Annotated[str | None, Parameter(help="For this unit of the plant; else for the one it is written for.")] = None,
    plant: Annotated[Path | None, Parameter(help="The plant file; plant.yaml beside the recipe by default.")] = None,
    signer: Signer,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Put a recipe into the ledger as a draft, for one unit and volume; its author signs.

    Example: seedtrain recipe submit recipe.yaml --as person-2 --record record.db

    Parameters
    ----------
    recipe
        The recipe file.
    """
    from seedtrain.gmp import submit_recipe

    control = _control(recipe, at, plant)
    return _step(signer, record, common, lambda ledger, actor: submit_recipe(ledger, control, actor))


def _control(path: Path, at: str | None, plant: Path | None) -> ControlRecipe:
    """The recipe for a unit of the plant, as `seedtrain run` derives it, or for the unit that it is written for."""
    from seedtrain.recipe import ControlRecipe, at_scale, read_recipe

    master = read_recipe(path)
    if at is None or at == master.basis_unit:
        return at_scale(master, unit=master.basis_unit, volume=master.basis_volume)
    from seedtrain.program import recipe_in_vessel

    scaled = recipe_in_vessel(path, plant=plant, vessel=at)[2]
    ratio = scaled.basis_volume.magnitude("L") / master.basis_volume.magnitude("L")
    return ControlRecipe(scaled, master.digest, scaled.basis_unit, scaled.basis_volume, ratio)


def review(
    recipe: str,
    *,
    comment: str,
    back: Annotated[bool, Parameter(name="--return", negative="", help="It goes back; the comment says why.")] = False,
    signer: Signer,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Say that a draft was read, by another person than its author: it goes on to approval, or back.

    Example: seedtrain recipe review collagen@2 --comment "limits as in report 12" --as person-3 --record record.db

    Parameters
    ----------
    recipe
        The version: NAME@VERSION, or the beginning of its digest.
    comment
        What was looked at, or what is wrong.
    """
    from seedtrain.gmp import review_recipe

    return _step_of(
        recipe,
        signer,
        record,
        common,
        lambda ledger, digest, actor: review_recipe(ledger, digest, actor, comment=comment, accept=not back),
    )


def approve(recipe: str, *, signer: Signer, record: RecordUrl = None, common: Common | None = None) -> int:
    """Sign one of the two approvals of a reviewed recipe: different people, not the author, one of them of quality.

    Example: seedtrain recipe approve collagen@2 --as person-4 --record record.db

    Parameters
    ----------
    recipe
        The version: NAME@VERSION, or the beginning of its digest.
    """
    from seedtrain.gmp import sign_approval

    return _step_of(recipe, signer, record, common, sign_approval)


def effective(
    recipe: str,
    *,
    start: Annotated[str | None, Parameter(name="--from", help="From this day on (2027-01-31), else from now.")] = None,
    change: Annotated[str | None, Parameter(help="The approved change request, such as CC-1.")] = None,
    signer: Signer,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Make an approved version effective; it supersedes the one before it, which needs an approved change.

    Example: seedtrain recipe effective collagen@2 --from 2027-01-31 --change CC-1 --as person-4 --record record.db

    Parameters
    ----------
    recipe
        The version: NAME@VERSION, or the beginning of its digest.
    """
    from seedtrain.gmp import make_effective

    begin = None if start is None else _day(start)
    return _step_of(
        recipe,
        signer,
        record,
        common,
        lambda ledger, digest, actor: make_effective(ledger, digest, actor, start=begin, change=change),
    )


def retire(recipe: str, *, reason: str, signer: Signer, record: RecordUrl = None, common: Common | None = None) -> int:
    """Withdraw a version: no batch is begun with it, and a running one stops before its next phase.

    Example: seedtrain recipe retire collagen@1 --reason "wrong feed limit" --as person-4 --record record.db

    Parameters
    ----------
    recipe
        The version: NAME@VERSION, or the beginning of its digest.
    reason
        Why.
    """
    from seedtrain.gmp import retire_recipe

    return _step_of(
        recipe, signer, record, common, lambda ledger, digest, actor: retire_recipe(ledger, digest, actor, reason)
    )


def list_recipes(*, record: RecordUrl = None, common: Common | None = None) -> int:
    """Every version in the ledger, with its state and since when.

    Example: seedtrain recipe list --record record.db
    """
    from seedtrain.gmp import recipe_versions

    return shown(
        *(record, common, lambda ledger: (recipe_versions(ledger), _now(ledger))),
        lambda found: (_line(life, found[1]) for life in found[0]),
        data=lambda found: [_data(life, found[1]) for life in found[0]],
    )


def history(recipe: str, *, record: RecordUrl = None, common: Common | None = None) -> int:
    """Who did what to the versions of a recipe, and when, with the changes under which they became effective.

    Example: seedtrain recipe history collagen --record record.db

    Parameters
    ----------
    recipe
        The recipe's name; or one version: NAME@VERSION, or the beginning of its digest.
    """
    from seedtrain.gmp import find_recipe, names_of, recipe_versions, step_words

    def read(ledger: Ledger) -> tuple[Sequence[RecipeLife], str, Names]:
        lives = [life for life in recipe_versions(ledger) if life.recipe == recipe]
        return lives or [find_recipe(ledger, recipe)], _now(ledger), names_of(ledger)

    def tell(found: tuple[Sequence[RecipeLife], str, Names]) -> Iterator[str]:
        for life in found[0]:
            yield _line(life, found[1])
            for step in life.steps:
                who = person_words(step.actor, found[2])
                yield f"  {minute(step.at)}  {step_words(step.type)}  {who}  {step.words}".rstrip()
            if life.change:
                yield "  " + _("under the change request {change}").format(change=life.change)

    return shown(record, common, read, tell, data=lambda found: [_data(life, found[1]) for life in found[0]])


def stored_recipe(record: str | None, reference: str) -> Any:
    """The recipe of a version in the ledger (`seedtrain recipe diff`)."""
    from seedtrain.gmp import approval, find_recipe

    with open_record(record, read_only=True) as ledger:
        found = approval(ledger, find_recipe(ledger, reference).digest)
    if found is None or found.recipe is None:
        raise InputError(f"the text of {reference} does not stand in the ledger as it was signed", remedy="Verify it.")
    return found.recipe


def _step(signer: Signer, record: str | None, common: Common | None, take: Callable[[Ledger, str], Approval]) -> int:
    def act(ledger: Ledger, actor: str) -> tuple[RecipeLife, str]:
        found = take(ledger, actor).life
        assert found is not None
        return found, _now(ledger)

    return acted(
        *(signer, record, common, act),
        lambda pair: [_line(*pair)],
        data=lambda pair: _data(*pair),
    )


def _step_of(
    reference: str,
    signer: Signer,
    record: str | None,
    common: Common | None,
    take: Callable[[Ledger, str, str], Approval],
) -> int:
    from seedtrain.gmp import find_recipe

    return _step(
        signer, record, common, lambda ledger, actor: take(ledger, find_recipe(ledger, reference).digest, actor)
    )


def _now(ledger: Ledger) -> str:
    from seedtrain.record import timestamp

    return timestamp(ledger.now)


def _day(text: str) -> Any:
    from datetime import UTC, date, datetime

    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise InputError(f"--from: {text!r} is not a day", remedy="Write it as 2027-01-31.") from None
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _data(life: RecipeLife, now: str) -> dict[str, Any]:
    names = ("digest", "recipe", "version", "unit", "volume", "author", "reviewer", "approvers", "effective_from")
    data = {name: getattr(life, name) for name in (*names, "superseded_from", "retired_at", "change")}
    steps = [{"type": s.type, "actor": s.actor, "at": s.at, "seq": s.seq, "words": s.words} for s in life.steps]
    return {**data, "state": life.state(now), "steps": steps}


def _line(life: RecipeLife, now: str) -> str:
    from seedtrain.gmp import state_words

    state = life.state(now)
    since = {"effective": life.effective_from, "superseded": life.superseded_from, "retired": life.retired_at}
    words = f"{state_words(state)} {(since.get(state) or '')[:10]}".rstrip()
    if state == "approved" and life.effective_from:
        words += ", " + _("effective from {day}").format(day=life.effective_from[:10])
    return f"{life.recipe}@{life.version}  {life.volume} {life.unit}  {life.digest[:16]}  {words}"
