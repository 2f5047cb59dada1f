"""What a batch will take from the store, against what is there: told before anything moves."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

from seedtrain.automation._materials import ShortOfMaterial, Store, named_materials, split, target
from seedtrain.automation._phase import consumed
from seedtrain.base import SeedtrainError
from seedtrain.quality import Lot
from seedtrain.quantity import Quantity
from seedtrain.recipe import ControlRecipe, MasterRecipe, Phase, PhaseAt
from seedtrain.record import Ledger

Connected = Callable[[PhaseAt], Iterable[str]]
"""The materials that a phase draws by itself."""


@dataclass(frozen=True)
class Shortage:
    """A material that the released lots do not cover.

    - `phase`: the first one that will lack it. `reason`, `remedy`: as the phase itself would say.
    - `waiting`: lots in quarantine that cover it once they are released; empty: nothing that was received does.
    """

    material: str
    phase: str
    reason: str
    remedy: str
    waiting: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """What is short, and where."""
        return f"{self.phase} will lack {self.material}: {self.reason}"

    def error(self, recipe: MasterRecipe) -> SeedtrainError:
        """As a fault of the batch that is to be started, at the phase in the recipe."""
        remedy = f"{self.remedy} Or start without it, where it will come in time: --allow-missing."
        return recipe.error(self.phase, "", self.words, remedy=remedy)

    def to_data(self) -> dict[str, object]:
        """JSON-ready."""
        return {
            "material": self.material,
            "phase": self.phase,
            "reason": self.reason,
            "waiting": list(self.waiting),
        }


def shortages(
    control: ControlRecipe, ledger: Ledger, lots: Sequence[Lot], on: date, connected: Connected = lambda step: ()
) -> tuple[Shortage, ...]:
    """The materials that a batch of `control` would lack if it began on the day `on`, each once, in its order.

    Amounts are those that the recipe states: what is charged, dispensed, or fed for a time that it gives. Where a value
    of the culture decides (a feed until a biomass, the base of a pH) some must be there. A lot counts as long as it is
    in date on that day.
    """
    used, recipe = consumed(ledger), control.recipe
    quarantined = {lot.id for lot in lots if lot.status == "quarantined"}
    hoped = [replace(lot, status="released") if lot.id in quarantined else lot for lot in lots]
    there, then = Store(lots, used), Store(hoped, used)
    found: dict[str, Shortage] = {}
    for step in recipe.phases():
        for need in _needs(recipe, step, connected):
            material, short, still = need.material, _take(there, need, on), _take(then, need, on)
            if short is not None and material not in found:
                waiting = () if still is not None else _waiting(then, material, quarantined, on)
                remedy = short.remedy
                if waiting:
                    remedy = f"Release {', '.join(waiting)} before {step.path} begins."
                found[material] = Shortage(material, step.path, short.message, remedy, waiting)
    return tuple(found.values())


@dataclass(frozen=True)
class _Need:
    """What a phase takes: `amount` None for some of it; `weighed`: by people, who take the very amount."""

    material: str
    amount: float | None = None
    unit: str = ""
    weighed: bool = False


def _needs(recipe: MasterRecipe, step: PhaseAt, connected: Connected) -> Iterator[_Need]:
    """What a phase takes from the store."""
    by_hand = step.phase.manual.dispense
    for name in dict.fromkeys((*named_materials(step.phase), *connected(step))):
        wanted = target(recipe, step, name, _hours(step.phase))
        parts = split(recipe, name, wanted.value, wanted.unit) if wanted is not None else {}
        for material in recipe.materials.get(name, {name: None}):
            if material not in by_hand:
                yield _Need(material, *parts.get(material, (None, "")))
    for material, item in by_hand.items():
        yield _Need(material, item.amount.value, item.amount.unit, weighed=True)


def _hours(phase: Phase) -> float | None:
    """How long a phase lasts for certain, h; None where a value decides."""
    until = phase.until
    if until is not None and until.quantity == "elapsed" and isinstance(until.value, Quantity):
        return until.value.magnitude("h")
    return phase.duration.magnitude("h") if until is None and phase.duration is not None else None


def _take(store: Store, need: _Need, on: date) -> ShortOfMaterial | None:
    """Take it from `store`; what the phase would say where there is too little."""
    try:
        if not need.weighed:
            store.choose(need.material, need.amount, need.unit, on)
        if need.amount:
            for share in store.draw(need.material, need.amount, need.unit, on):
                store.take(share)
    except ShortOfMaterial as error:
        return error
    return None


def _waiting(store: Store, material: str, quarantined: Collection[str], on: date) -> tuple[str, ...]:
    return tuple(lot.id for lot in store.candidates(material, on) if lot.id in quarantined)
