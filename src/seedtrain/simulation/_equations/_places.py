"""The names that the equations of a culture in a vessel share: states, numbers, what is observed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal

from seedtrain.simulation._culture import Culture

Kind = Literal["stirred", "airlift", "still"]
"""How gas comes in: by a stirrer's cascade, by bubbles alone, or at a transfer coefficient that is known."""

LIQUID: Final = ("n_I", "n_O", "n_C", "n_N", "m_W", "m_Z")
"""States of every zone after its species, per litre at the start of the run: inducer, O2, inorganic carbon, ammonia
(mmol), water, minerals (g)."""
WHOLE: Final = ("v", "T")
"""Volume over that at the start; temperature, degC."""
PASSED: Final = ("x_O", "x_C", "x_B", "x_E", "x_U", "x_P", "x_S", "x_Q")
"""What has passed a boundary, per litre at the start: O2 in and CO2 out mmol, base L, water evaporated g, O2 used mmol,
product formed g, shaft work and heat removed J."""
GASES: Final = ("x_G", "x_R")
"""Where a cascade moves the gas: what came in, all of it and pure oxygen, normal L per litre at the start."""
LEFT: Final = ("l_V", "l_I", "l_O", "l_C", "l_N", "l_W", "l_Z")
"""What harvest and bleed took, as `LIQUID` with L of broth first; each species adds `l_{species}`."""

SEGMENT: Final = (
    "V_0",  # L at the start of the run
    "F_0",  # L/h of feed at the start of the stretch
    "F_mu",  # 1/h, growth of the feed
    "dilution",  # 1/h, more feed, per volume at the start of the stretch
    "F_I",  # mmol/L of inducer in the feed
    "F_N",  # mmol/L of ammonia in the feed
    "F_W",  # g/L of water in the feed
    "F_Z",  # g/L of minerals in the feed
    "B_N",  # mmol/L of ammonia in the base; 0: no pH control
    "B_W",  # g/L of water in the base
    "T_set",  # degC
    "pH",
    "DO_share",  # of saturation; below 0: dissolved oxygen is not controlled
    "vvm",  # normal volumes of air per volume at the start of the stretch and minute
    "p_head",  # bar, gauge
    "soluble",  # O2 solubility of the medium over that of water
    "T_condenser",  # degC
    "pK",  # of carbonic acid
    "V_most",  # L that the vessel may hold
    "aim",  # what the phase waits for, in the reading's unit
    "aim_sign",  # 1: rises to it; -1: falls to it
)
OUTFLOW: Final = (
    "H_0",  # L/h of harvest; below 0: what keeps the volume
    "D_0",  # L/h of bleed
    "keep",  # fraction of what is inside cells that the harvest leaves behind
    "keep_product",  # fraction of the product in solution that it leaves behind
)
STIRRED: Final = (
    "coalescence",
    "speed_low",  # 1/min, ends of the cascade
    "speed_high",
    "D_T",  # m, tank
    "D_i",  # m, impeller
    "impellers",
    "P_number",  # power number of one impeller
    "P_motor",  # W
)
GAS_HIGH: Final = "vvm_high"  # where the cascade's stage of gas ends, as `vvm`
SHARE_HIGH: Final = "share_high"  # the most of the gas that may be pure oxygen
JACKET: Final = ("U_jacket", "A_jacket", "T_cool", "T_heat")  # W/m2/K, m2, degC, degC
STILL: Final = (
    "k_ref",  # 1/h, kLa at `V_ref`
    "V_ref",  # L
    "k_exponent",  # how kLa changes with the volume
    "w_still",  # g/h of water that evaporates
)
AIRLIFT: Final = ("D_T", "k_gas", "n_gas")  # m; kLa (1/h) = k_gas * (superficial velocity, m/s) ** n_gas

OBSERVED: Final = (
    "mu",
    "q_S",
    "q_P",
    "q_O2",
    "kLa",
    "OTR",
    "OUR",
    "CER",
    "F",
    "B",
    "H",
    "D",
    "power",
    "heat",
    "cooling",
    "capacity",
    "C_CO2",
    "DO",
    "x_O2_out",
    "x_CO2_out",
    "kLa_high",
    "star",
    "saturation",
    "gas",
    "velocity",
    "flow",
    "speed_first",
    "gas_cut",
)
"""Lines that a run reads; `gas` normal L/min, `velocity` m/s, `flow` m3/s at vessel conditions, `speed_first` the
lowest speed of the cascade, `gas_cut` the part of the wanted gas that the impeller disperses."""
SHARE: Final = "share"
"""Of the gas that is pure oxygen, read where the layout has that stage."""


@dataclass(frozen=True)
class Layout:
    """What decides the text of a system: the culture's structure, how gas comes in, zones, and whether broth leaves."""

    culture: Culture
    kind: Kind
    zones: int = 1
    outflow: bool = False
    feed_zone: int = 0  # where feed and base enter, from the top
    probe_zone: int = 0  # where dissolved oxygen is read, from the top
    side: bool = False  # two zones: a side compartment of fixed volume, which the feed enters, and the tank
    side_gas: bool = False  # whether gas and stirring reach the side compartment as they reach the tank
    cascade: tuple[str, ...] = ()  # what holds oxygen, in its order, where gas or pure oxygen help the stirrer

    @property
    def key(self) -> tuple[str, Kind, int, bool, int, int, tuple[bool, bool], tuple[str, ...]]:
        """Equal for layouts with the same text."""
        places = (self.feed_zone, self.probe_zone)
        sides = (self.side, self.side_gas)
        return (self.culture.structure, self.kind, self.zones, self.outflow, *places, sides, self.cascade)

    @property
    def gas_follows(self) -> bool:
        """Whether the gas flow is a stage of the cascade; else it stays as it is set."""
        return "aeration" in self.cascade

    @property
    def oxygen_follows(self) -> bool:
        """Whether pure oxygen is a stage of the cascade; else the gas is air."""
        return "oxygen_share" in self.cascade

    def precedes(self, one: str, other: str) -> bool:
        """Whether stage `one` is at its end before `other` leaves its start; what is no stage stands at its end."""
        if one not in self.cascade:
            return True
        return other in self.cascade and self.cascade.index(one) < self.cascade.index(other)

    @property
    def suffixes(self) -> tuple[str, ...]:
        """Of each zone's states, top first; one zone has none."""
        return ("",) if self.zones == 1 else tuple(f"_{zone}" for zone in range(1, self.zones + 1))

    def size(self, zone: int) -> str:
        """The volume of a zone over the volume at the start, as text."""
        if self.side:
            return "side" if zone == 0 else "main"
        return "v" if self.zones == 1 else f"v / {float(self.zones)!r}"

    def per(self, zone: int) -> str:
        """The inverse of `size`, as text."""
        if self.side:
            return f"z_inverse_{zone}"
        return "v_inverse" if self.zones == 1 else "z_inverse"

    def content(self, name: str, zone: int) -> str:
        """What a zone holds of the state `name` per volume, as text over states and numbers alone."""
        state = f"{name}{self.suffixes[zone]}"
        if self.side:
            return f"{state} * V_0 / V_side" if zone == 0 else f"{state} / (v - V_side / V_0)"
        return f"{state} * {float(self.zones)!r} / v"

    @property
    def stirred_size(self) -> str:
        """The volume that gas and stirrer reach, as text; `stirred_per` its inverse."""
        return "main" if self.side and not self.side_gas else "v"

    @property
    def stirred_per(self) -> str:
        """The inverse of `stirred_size`, as text."""
        return "v_inverse" if self.stirred_size == "v" else "z_inverse_1"

    @cached_property
    def states(self) -> tuple[str, ...]:
        """Every state."""
        names = (*(f"m_{name}" for name in self.culture.species), *LIQUID)
        left = (*LEFT, *(f"l_{name}" for name in self.culture.species)) if self.outflow else ()
        gases = GASES if self.cascade else ()
        return (*(f"{name}{suffix}" for suffix in self.suffixes for name in names), *WHOLE, *PASSED, *left, *gases)

    @cached_property
    def numbers(self) -> tuple[str, ...]:
        """Every number: the culture's parameters, the segment's settings, the feed's species, the vessel's figures."""
        fed = (f"F_{name}_" for name in self.culture.species)
        vessel = {"stirred": (*STIRRED, *JACKET), "airlift": (*AIRLIFT, *JACKET), "still": STILL}[self.kind]
        zoned = ("Q_zone",) if self.zones > 1 else ()  # L/h between neighbouring zones, each way
        zoned = (*zoned, "V_side") if self.side else zoned  # L of the side compartment
        outflow = OUTFLOW if self.outflow else ()
        ends = (*((GAS_HIGH,) if self.gas_follows else ()), *((SHARE_HIGH,) if self.oxygen_follows else ()))
        return (*(f"u_{name}" for name in self.culture.parameters), *SEGMENT, *fed, *vessel, *zoned, *outflow, *ends)
