"""One integrated tank with its instruments, its controllers and its pumps, moved on tick by tick."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Final

from seedtrain.automation._control import Actuators, Feeding, VesselControl, gas_balance
from seedtrain.automation._devices import Quality
from seedtrain.automation._faults import Fault
from seedtrain.automation._plant._actuation import Actuation
from seedtrain.automation._plant._instruments import Instruments
from seedtrain.automation._plant._soft import SoftSensors, Told
from seedtrain.automation._plant._tuning import restore_tunings, tunings_data
from seedtrain.simulation import Liquid, LiveTank, StirredTank, TankInputs

TICK: Final = timedelta(seconds=30)
"""Between two actions of the controllers, of process time."""
CONTAMINANT_GROWTH: Final = 1.0  # 1/h, assumed: faster than the culture
Faults = Iterable[tuple[Fault, float]]
"""What goes wrong now, each with the hours since it began."""


@dataclass
class DrivenTank:
    """What happens in one tank: `fed`, `based` L since a phase began; `seen` what the instruments show; `references`
    into which a probe is put, by its tag, in the sensor's unit."""

    tank: LiveTank
    control: VesselControl
    instruments: Instruments
    base_liquid: Liquid
    strong_base: float = 0.0  # mmol/L of hydroxide in it
    feed_liquid: Liquid = field(default_factory=Liquid)
    feeding: Feeding | None = None
    fed: float = 0.0
    based: float = 0.0
    feed_rate: float = 0.0
    references: dict[str, float] = field(default_factory=dict)
    soft: SoftSensors | None = None
    actuation: Actuation = field(default_factory=lambda: Actuation(0.0, {}))
    seen: dict[str, float] = field(default_factory=dict)
    _inputs: TankInputs = field(default_factory=TankInputs)
    _contaminated: set[Fault] = field(default_factory=set)

    @property
    def vessel(self) -> StirredTank:
        """The vessel."""
        return self.tank.vessel

    def truth(self) -> dict[str, float]:
        """What is true now, by symbol and by tag in the sensors' units."""
        inputs, volume = self._inputs, max(self.tank.volume, 1e-9)
        true = self.tank.read(inputs)
        gas = inputs.air + inputs.oxygen + inputs.nitrogen + inputs.carbon_dioxide
        whole = gas / 100.0 if gas > 0 else 1.0
        true |= {
            "stirrer_speed": inputs.speed,
            "aeration": gas / volume,
            "head_pressure": inputs.head_pressure,
            "broth_volume": self.tank.volume,
            "feed_rate": self.feed_rate,
            "base_rate": inputs.base,
            "acid_rate": inputs.acid,
            "oxygen_share": inputs.oxygen / whole,
            "carbon_dioxide_share": inputs.carbon_dioxide / whole,
        }
        if self.tank.empty:
            return true
        masses = self.tank.culture.masses
        inside = [name for name, item in self.tank.culture.species.items() if item.intracellular]
        oxygen, carbon = true["exit_oxygen"], true["exit_carbon_dioxide"]
        return true | {
            "biomass": sum(true[name] * masses[name] for name in inside) + true["contaminant"],
            "glucose": true.get(self.tank.culture.symbol("glucose") or "", 0.0),
            "DO_percent": 100.0 * true["dissolved_oxygen"],
            "dissolved_carbon_dioxide": true["C_CO2"],
            **gas_balance(inputs.air, inputs.oxygen, inputs.nitrogen, inputs.carbon_dioxide, oxygen, carbon, volume),
        }

    def look(self, dt: float, faults: Faults) -> dict[str, float]:
        """What the instruments show after `dt` hours more."""
        true = self.truth()
        scaled = {
            "dissolved_oxygen": 100.0 * true.get("dissolved_oxygen", float("nan")),
            "exit_oxygen": 100.0 * true.get("exit_oxygen", float("nan")),
            "exit_carbon_dioxide": 100.0 * true.get("exit_carbon_dioxide", float("nan")),
            "foam": 100.0 * true.get("foam", 0.0),
        }
        there = {**true, **scaled, **self.references}
        self.seen = self.instruments.show(there, dt, [item for item in faults if item[0].tag])
        self.seen |= {tag: item.value for tag, item in self._told.items()}
        return self.seen

    @property
    def _told(self) -> Mapping[str, Told]:
        return self.soft.told if self.soft is not None else {}

    def quality(self, tag: str) -> Quality:
        """How far to trust what is seen of a tag: an instrument's word is good, an estimate may say otherwise."""
        return self._told[tag].quality if tag in self._told else "good"

    def move(self, hours: float, dt: float, faults: Faults) -> None:
        """Control and integrate `dt` hours, `hours` after the phase began."""
        wrong = {fault.kind: fault for fault, _ in faults if not fault.tag}
        seen = self.seen
        measured = {
            **seen,
            "dissolved_oxygen": seen.get("dissolved_oxygen", float("nan")) / 100.0,
            "foam": seen.get("foam", 0.0) / 100.0,
            "volume": seen.get("broth_volume", float("nan")),
            **dict.fromkeys(self.references, float("nan")),  # the controller does not act on a probe in its buffer
            **{tag: float("nan") for tag, item in self._told.items() if item.quality != "good"},
        }
        told = self.actuation.follow(self.control.step(measured, dt))
        wanted = self.feeding.step(hours, dt, measured) if self.feeding is not None else 0.0
        self._inputs = self._driven(told, wanted, wrong)
        self.feed_rate = self._inputs.feed
        self.fed += self.feed_rate * dt
        self.based += self._inputs.base * dt
        contamination = wrong.get("contamination")
        if contamination is not None and contamination not in self._contaminated:
            self._contaminated.add(contamination)
            self.tank.contaminate(contamination.offset)
        self.tank.advance(dt, self._inputs)
        if self.soft is not None:
            self.soft.follow(self._inputs, dt, seen)
            if self.soft.lost:
                self.soft = None
                self.estimate()

    def _driven(self, told: Actuators, feed: float, wrong: Mapping[str, Fault]) -> TankInputs:
        """What the actuators really do."""
        if "power_dip" in wrong:  # valves of the pressure stay where they are
            broth = self.tank.read(self._inputs)["temperature"]
            told, feed = Actuators(head_pressure=told.head_pressure, jacket_inlet=broth), 0.0
        if "air_lost" in wrong:
            told = replace(told, air=0.0, oxygen=0.0, carbon_dioxide=0.0)
        if "base_blocked" in wrong:
            told = replace(told, base=0.0)
        feed = 0.0 if "feed_blocked" in wrong else feed
        return replace(
            told.inputs(feed, feed_liquid=self.feed_liquid, base_liquid=self.base_liquid, strong_base=self.strong_base),
            foaming=wrong["foaming"].offset if "foaming" in wrong else 1.0,
            contaminant_growth=CONTAMINANT_GROWTH,
        )

    def charge(self, liquid: Liquid, volume: float, *, temperature: float) -> None:
        """Add `volume` (L) by hand; whoever estimates is told."""
        self.tank.charge(liquid, volume, temperature=temperature)
        if self.soft is not None:
            self.soft.charge(liquid, volume, temperature)

    def draw(self, volume: float) -> None:
        """Take `volume` (L) by hand; whoever estimates is told."""
        self.tank.draw(volume)
        if self.soft is not None:
            self.soft.draw(volume)

    def estimate(self) -> None:
        """Let soft sensors follow the culture from now on, where none do."""
        if self.soft is None and not self.tank.empty:
            self.soft = SoftSensors(self.tank, self.instruments.unit, self.instruments.seed)
            self.soft.begin(self._inputs)

    def begin(self) -> None:
        """A phase begins: totalisers start from zero, the feed stops."""
        self.fed = self.based = self.feed_rate = 0.0
        self.seen = {}
        self.feeding = None
        self._inputs = replace(self._inputs, feed=0.0)

    def to_data(self) -> dict[str, Any]:
        """What a restarted plant needs to go on from between two phases, JSON-ready."""
        return {
            "tank": self.tank.to_data(),
            "control": self.control.to_data(),
            "tunings": tunings_data(self.control.loops),
            "places": dict(self.actuation.places),
            "instruments": {tag: item.to_data() for tag, item in self.instruments.all.items()},
            "probes": self.instruments.probes.to_data(),
            "soft": None if self.soft is None else self.soft.to_data(),
        }

    def restore(self, data: Mapping[str, Any]) -> None:
        """The state of `to_data`; what is driven follows at the next tick."""
        self.tank.restore(data["tank"])
        restore_tunings(self.control.loops, data.get("tunings", {}))
        self.control.restore(data["control"])
        self.actuation.places = dict(data.get("places", {}))
        for tag, item in self.instruments.all.items():
            item.restore(data["instruments"][tag])
        self.instruments.probes.restore(data.get("probes", {}))
        self.soft, soft = None, data.get("soft")
        if soft is not None:
            self.soft = SoftSensors(self.tank, self.instruments.unit, self.instruments.seed)
            self.soft.restore(soft)
        self._inputs = self._driven(replace(self.control.actuators, **self.actuation.places), 0.0, {})
