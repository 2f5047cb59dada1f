"""Vessels as frozen data: what a culture's surroundings are made of, from a well to a tank of several zones."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Final

POWER_NUMBERS: Final = {"rushton": 5.0, "pitched_blade": 1.5, "hydrofoil": 0.75}
"""Turbulent power number of one impeller. Nienow 1998, Appl. Mech. Rev. 51:3, in round figures."""

OXYGEN_ACTUATORS: Final = ("stirrer_speed", "aeration", "oxygen_share")
"""What can raise dissolved oxygen, in the order in which it is used where nothing else is said."""

FLASK_EXCHANGE: Final = 5.0
"""vvm by which the head space of a flask exchanges with the room, assumed: its plug hardly limits a thin culture."""


@dataclass(frozen=True)
class Transfer:
    """Gas transfer through the surface of a shaken or rocked vessel, as numbers.

    - `kLa`: 1/h at `reference_volume` (L); at another filling kLa (V / reference_volume)^volume_exponent.
    - `gas_exchange`: fresh air in the head space, normal volumes per volume of liquid and minute (vvm).
    - `evaporation`: water that leaves besides what that air carries, g/h.
    - `in_range`, `source`, `status`, `spread`: of kLa, as in `Estimate`.
    """

    kLa: float
    reference_volume: float = 1.0
    volume_exponent: float = 0.0
    gas_exchange: float = FLASK_EXCHANGE
    evaporation: float = 0.0
    in_range: bool = True
    source: str = "the vessel's own figure"
    status: str = "sourced"
    spread: float = 0.0

    def kLa_at(self, volume: float) -> float:
        """kLa with `volume` (L) of liquid, 1/h."""
        return float(self.kLa * (volume / self.reference_volume) ** self.volume_exponent)


@dataclass(frozen=True)
class Shaking:
    """How a flask or a plate is shaken, where its kLa follows from that and not from a measurement.

    - `frequency`: (lowest, highest) 1/min that the shaker is used at. - `orbit`: its diameter, m. - `diameter`: of the
      vessel at its widest, m.
    """

    frequency: tuple[float, float]
    orbit: float
    diameter: float

    def at(self, wanted: float | None) -> float:
        """The frequency nearest to `wanted`, 1/min; the highest where nothing is wanted."""
        low, high = self.frequency
        return high if wanted is None else min(max(wanted, low), high)


@dataclass(frozen=True)
class Retention:
    """What holds cells back while liquid is harvested: a filter, an acoustic or gravity settler.

    - `cells`, `product`: part of it that stays, 0 .. 1. - `harvest_rate`: (lowest, highest) L/h of harvest.
    """

    cells: float
    product: float
    harvest_rate: tuple[float, float]


@dataclass(frozen=True)
class SideCompartment:
    """A second vessel or tube of `volume` L beside a tank, through which `flow` L/h of broth is pumped and back.

    It takes the feed: a scale-down rig, whose cells meet the feed as those of a large vessel do. `aerated`: gas and
    stirring reach it as they reach the tank; else it has none.
    """

    volume: float
    flow: float
    aerated: bool = False


@dataclass(frozen=True)
class StirredTank:
    """A baffled, sparged tank with a jacket.

    Volumes L; `diameter`, `impeller_diameter` m; `stirrer_speed` 1/min; `motor_power` W at the shaft; `aeration` vvm;
    `head_pressure` bar gauge; `cooling_area` m2; `heat_transfer_coefficient` W/m2/K; `coolant_temperature` degC.
    Pairs are (lowest, highest). `zones`: into how many equal layers the liquid is divided, numbered from the bottom
    (1); feed enters zone `feed_zone` (0: the top one), the probe sits in `probe_zone`. `retention`: its cell
    retention device, if it has one; `side_compartment`: of a scale-down rig, whose broth counts as the tank's.
    `oxygen_share`: the most of its gas that may be pure oxygen; `oxygen_cascade`: what holds dissolved oxygen, of
    `OXYGEN_ACTUATORS`, the first one first.
    """

    name: str
    scale: str
    nominal_volume: float
    working_volume: tuple[float, float]
    diameter: float
    impellers: int
    impeller: str
    impeller_diameter: float
    stirrer_speed: tuple[float, float]
    motor_power: float
    aeration: tuple[float, float]
    head_pressure: tuple[float, float]
    cooling_area: float
    heat_transfer_coefficient: float
    coolant_temperature: float
    seeds: tuple[str, ...] = ()
    zones: int = 1
    feed_zone: int = 0
    probe_zone: int = 1
    retention: Retention | None = None
    side_compartment: SideCompartment | None = None
    oxygen_share: float = 0.0
    oxygen_cascade: tuple[str, ...] = OXYGEN_ACTUATORS

    kind: ClassVar[str] = "stirred_tank"

    @property
    def power_number(self) -> float:
        """Power number of one impeller, without gas."""
        return POWER_NUMBERS[self.impeller]

    @property
    def pure_oxygen(self) -> float:
        """The most of its gas that its cascade makes pure oxygen."""
        return self.oxygen_share if "oxygen_share" in self.oxygen_cascade else 0.0

    @property
    def area(self) -> float:
        """Cross section, m2."""
        return math.pi * self.diameter**2 / 4

    def height(self, volume: float) -> float:
        """Height of `volume` (L) of liquid without gas, m; the bottom counts as flat."""
        return volume / 1000.0 / self.area


@dataclass(frozen=True)
class Airlift:
    """A sparged column with a draft tube, no stirrer: gas rises inside the tube, liquid returns outside it.

    Units as `StirredTank`; `draft_tube_diameter` m; `clearance`: height of the gap under the draft tube, m, 0 for one
    as wide as the annulus.
    """

    name: str
    scale: str
    nominal_volume: float
    working_volume: tuple[float, float]
    diameter: float
    draft_tube_diameter: float
    aeration: tuple[float, float]
    head_pressure: tuple[float, float]
    cooling_area: float
    heat_transfer_coefficient: float
    coolant_temperature: float
    clearance: float = 0.0
    seeds: tuple[str, ...] = ()

    kind: ClassVar[str] = "airlift"

    @property
    def area(self) -> float:
        """Cross section of the whole column, m2."""
        return math.pi * self.diameter**2 / 4

    @property
    def riser_area(self) -> float:
        """Cross section of the draft tube, m2."""
        return math.pi * self.draft_tube_diameter**2 / 4

    @property
    def downcomer_area(self) -> float:
        """Cross section of the annulus, m2; the tube's wall counts as thin."""
        return self.area - self.riser_area

    @property
    def gap_area(self) -> float:
        """Area through which liquid passes under the draft tube, m2."""
        return math.pi * self.draft_tube_diameter * self.clearance if self.clearance > 0 else self.downcomer_area

    def height(self, volume: float) -> float:
        """Height of `volume` (L) of liquid without gas, m; the bottom counts as flat."""
        return volume / 1000.0 / self.area


@dataclass(frozen=True)
class ShakeFlask:
    """A flask on a shaker in an incubator, whose air keeps the set temperature; volumes in L.

    `transfer` at the highest shaking; `feed_rate`: (lowest, highest) L/h that a line to it feeds, None without a line.
    """

    name: str
    scale: str
    nominal_volume: float
    working_volume: tuple[float, float]
    transfer: Transfer
    seeds: tuple[str, ...] = ()
    shaking: Shaking | None = None
    feed_rate: tuple[float, float] | None = None

    kind: ClassVar[str] = "shake_flask"

    @property
    def kLa(self) -> float:
        """kLa at the reference volume of its transfer, 1/h."""
        return self.transfer.kLa


@dataclass(frozen=True)
class Well:
    """One well of a shaken plate in an incubator, whose air keeps the set temperature; fields as `ShakeFlask`."""

    name: str
    scale: str
    nominal_volume: float
    working_volume: tuple[float, float]
    transfer: Transfer
    seeds: tuple[str, ...] = ()
    shaking: Shaking | None = None
    feed_rate: tuple[float, float] | None = None

    kind: ClassVar[str] = "well"


@dataclass(frozen=True)
class WaveBag:
    """A bag on a rocking platform, heated from below to the set temperature; air passes over the liquid.

    Volumes L; `aeration` vvm, (lowest, highest): its lowest is `transfer.gas_exchange`.
    """

    name: str
    scale: str
    nominal_volume: float
    working_volume: tuple[float, float]
    transfer: Transfer
    aeration: tuple[float, float]
    seeds: tuple[str, ...] = ()
    retention: Retention | None = None

    kind: ClassVar[str] = "wave_bag"


Shaken = ShakeFlask | Well
"""Vessels on a shaker: without a stirrer, a gas line, or anything that holds the pH."""
SurfaceAerated = ShakeFlask | Well | WaveBag
"""Vessels whose gas passes the liquid's surface: `transfer` says all of it."""
Sparged = StirredTank | Airlift
"""Vessels with gas from below, head pressure and a jacket."""
Vessel = StirredTank | Airlift | ShakeFlask | Well | WaveBag
