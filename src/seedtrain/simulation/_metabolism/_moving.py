"""Which bounds of a metabolic model move while a culture runs, and how far."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from seedtrain.base import InputError, SeedtrainError, collect
from seedtrain.simulation._metabolism._network import LARGEST_FLUX, Network

Kind = Literal["uptake", "demand"]

MAINTENANCE: Final = "ATPM"
COMMON_UPTAKES: Final = {"EX_glc__D_e": 12.0, "EX_o2_e": 20.0, "EX_ac_e": 8.0, "EX_nh4_e": 12.0}
"""BiGG exchanges that move in most cultures, each with the largest uptake of its default box, mmol/gDW/h."""
COMMON_PRODUCTS: Final = ("EX_co2_e", "EX_ac_e", "EX_etoh_e", "EX_for_e", "EX_lac__D_e", "EX_succ_e")

# The tie-break decides among flux distributions of equal growth, so its weights must be in no simple ratio.
_UPTAKE_WEIGHTS: Final = (1.0, 0.3137, 0.2291, 0.1713)
_PRODUCT_WEIGHTS: Final = (-0.0931, -0.0712, -0.0573, -0.0419)
CARBON_DIOXIDE: Final = "EX_co2_e"


@dataclass(frozen=True)
class MovingBound:
    """One bound that moves inside `low` .. `high`, mmol/gDW/h (for a drain in grams: g/gDW/h).

    - `kind`: `uptake`, the largest rate at which an exchange may run backwards; `demand`, the least flux that is
      required of a reaction, such as ATP maintenance or a product's formation.
    - `weight`: how strongly an uptake is spared among fluxes of equal growth (a generic number where left out).
    - `penalty`: growth given up, 1/h, rather than leave one unit of a demand unmet.
    """

    reaction: str
    kind: Kind
    low: float
    high: float
    weight: float | None = None
    penalty: float = 1.0

    @property
    def sign(self) -> float:
        """The reaction's lower bound is `sign` times the bound."""
        return -1.0 if self.kind == "uptake" else 1.0

    def to_data(self) -> dict[str, Any]:
        """The bound as data with a canonical form."""
        weight = None if self.weight is None else float(self.weight)
        return {
            "reaction": self.reaction,
            "kind": self.kind,
            "low": float(self.low),
            "high": float(self.high),
            "weight": weight,
            "penalty": float(self.penalty),
        }

    @staticmethod
    def from_data(data: Mapping[str, Any]) -> MovingBound:
        """The bound that `to_data` wrote."""
        return MovingBound(**data)


def uptake(reaction: str, high: float, low: float = 0.0, *, weight: float | None = None) -> MovingBound:
    """The uptake through an exchange may move from `low` to `high`, mmol/gDW/h."""
    return MovingBound(reaction, "uptake", low, high, weight)


def demand(reaction: str, low: float, high: float, *, penalty: float = 1.0) -> MovingBound:
    """The flux that is required of `reaction` may move from `low` to `high`, mmol/gDW/h.

    What cannot be met is a deficit; `penalty` is the growth (1/h) that is given up rather than one unit of it. One is
    ample for ATP, a unit of which is worth some hundredths of growth; take more for a product counted in grams.
    """
    return MovingBound(reaction, "demand", low, high, None, penalty)


_BOUND: Final = re.compile(
    r"\s*(?P<reaction>[^\s<>=]+)\s*(?P<sign>>=|=)\s*(?P<low>[0-9.eE+-]+?)\s*\.\.\s*(?P<high>[0-9.eE+-]+)"
    r"\s*(?P<unit>[^@]*?)\s*(?:@\s*(?P<penalty>[0-9.eE+-]+)\s*)?"
)
UNITS: Final = ("", "mmol/gDW/h", "mmol/g/h", "mmol/(gDW h)", "mmol/(g h)")
"""How the unit of a flux may be written; all are the same."""


def parse_bound(text: str) -> MovingBound:
    """A moving bound as the command line writes it: `EX_glc__D_e=0..12` is an uptake, `ATPM>=1..8` a demand.

    A demand may end in its penalty: `product_out>=0..6@5`. A unit may be written, and is refused if it is another.
    """
    example = "Write EX_glc__D_e=0..12 for an uptake, ATPM>=1..8 for a demand, with its penalty as ATPM>=1..8@2."
    match = _BOUND.fullmatch(text)
    try:
        if match is None:
            raise ValueError
        low, high, penalty = float(match["low"]), float(match["high"]), float(match["penalty"] or 1.0)
        is_demand = match["sign"] == ">="
        if not is_demand and match["penalty"]:
            raise ValueError
    except ValueError:
        raise InputError(f"{text!r} is no moving bound", remedy=example) from None
    if match["unit"] not in UNITS:
        remedy = "Give a flux in mmol/gDW/h, the unit of the model; grams divide by the molar mass."
        raise InputError(f"{text!r}: a flux is not given in {match['unit']!r}", remedy=remedy)
    reaction = match["reaction"]
    return demand(reaction, low, high, penalty=penalty) if is_demand else uptake(reaction, high, low)


def usual_bounds(network: Network) -> tuple[MovingBound, ...]:
    """Glucose, oxygen, acetate and ammonium uptake and ATP maintenance, as far as a BiGG model has them.

    Raises `InputError` where it has none of them: then the caller names the bounds.
    """
    found = [uptake(name, high) for name, high in COMMON_UPTAKES.items() if name in network.reactions]
    if not found:
        raise InputError(
            f"{network.name} has none of the usual exchanges ({', '.join(COMMON_UPTAKES)})",
            position=network.place(),
            remedy="Name the bounds that move, such as --bound EX_glc__D_e=0..12.",
        )
    if MAINTENANCE in network.reactions:
        found.append(demand(MAINTENANCE, 0.0, 12.0))
    return tuple(found)


def usual_outputs(network: Network) -> tuple[str, ...]:
    """The by-products that a table reports beside the moving exchanges where the caller names none."""
    return tuple(name for name in COMMON_PRODUCTS if name in network.reactions)


def check_choice(network: Network, moving: Sequence[MovingBound], outputs: Iterable[str]) -> None:
    """Refuse bounds and outputs that the model cannot move or report, with every fault at once."""
    errors: list[SeedtrainError] = []
    names = [item.reaction for item in moving]
    if not any(item.kind == "uptake" for item in moving):
        errors.append(InputError("no uptake moves", remedy="Name at least one exchange whose uptake moves."))
    for name in sorted({name for name in names if names.count(name) > 1}):
        errors.append(InputError(f"the bound of {name!r} is given twice", remedy="Give it once."))
    for item in moving:
        errors += _faults(network, item)
    for name in outputs:
        if name not in network.reactions:
            errors.append(network.unknown(name))
    collect(errors)


def _faults(network: Network, item: MovingBound) -> list[SeedtrainError]:
    if item.reaction not in network.reactions:
        return [network.unknown(item.reaction)]
    column, place = network.column(item.reaction), network.place()
    found: list[SeedtrainError] = []
    if not 0 <= item.low < item.high <= LARGEST_FLUX:
        message = f"the range {item.low:g} .. {item.high:g} of {item.reaction!r} must rise, from 0 to {LARGEST_FLUX:g}"
        found.append(InputError(message, remedy="Give the lowest and the highest rate in mmol/gDW/h."))
    if not 0 < item.penalty < math.inf:
        message = f"the penalty {item.penalty:g} of {item.reaction!r} must be above zero"
        found.append(InputError(message, remedy="Give the growth that is given up for one unit of it, 1/h."))
    if item.kind == "uptake" and not network.exchanges[column]:
        count = len(network.takes(item.reaction))
        message = f"{item.reaction!r} is no exchange: it has {count} metabolites instead of one"
        found.append(InputError(message, position=place, remedy="Name the reaction that lets the substrate in."))
    elif item.kind == "uptake" and float(next(iter(network.takes(item.reaction).values()))) > 0:
        message = f"{item.reaction!r} runs backwards: its forward direction is uptake"
        found.append(InputError(message, position=place, remedy="Write the exchange as `metabolite -->`."))
    if item.kind == "demand" and item.reaction == network.growth:
        message = f"{item.reaction!r} is the growth reaction, which is maximised and cannot be demanded"
        found.append(InputError(message, position=place, remedy="Demand another reaction."))
    fixed = network.lower[column] == network.upper[column]  # a maintenance written as one number is lifted
    if item.kind == "demand" and network.upper[column] < item.high and not fixed:
        message = f"{item.reaction!r} may carry at most {network.upper[column]:g}, and up to {item.high:g} is demanded"
        found.append(InputError(message, position=place, remedy="Raise its upper bound or lower the demand."))
    return found


def tie_break(moving: Sequence[MovingBound], outputs: Sequence[str]) -> dict[str, float]:
    """Weight of each exchange in the tie-break: substrates are spared (+), by-products avoided (-), CO2 left free."""
    found: dict[str, float] = {}
    uptakes = [item for item in moving if item.kind == "uptake"]
    for number, item in enumerate(uptakes):
        generic = _UPTAKE_WEIGHTS[number] if number < len(_UPTAKE_WEIGHTS) else 0.2 + 0.0371 * (number - 3)
        found[item.reaction] = generic if item.weight is None else item.weight
    products = [name for name in outputs if name not in found and name != CARBON_DIOXIDE]
    demanded = {item.reaction for item in moving if item.kind == "demand"}
    for number, name in enumerate(name for name in products if name not in demanded):
        generic = _PRODUCT_WEIGHTS[number] if number < len(_PRODUCT_WEIGHTS) else -0.0307 - 0.0113 * (number - 3)
        found[name] = generic
    return found
