"""Small models and cultures that the tests share."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from seedtrain.simulation._metabolism import (
    Constant,
    Feed,
    GasSupply,
    GasTransfer,
    Kinetics,
    Monod,
    MovingBound,
    Reactor,
    RegionTable,
    compile_metabolism,
    demand,
    reactor,
    uptake,
)

GLUCOSE, OXYGEN, ACETATE, AMMONIUM, CARBON_DIOXIDE = "EX_glc__D_e", "EX_o2_e", "EX_ac_e", "EX_nh4_e", "EX_co2_e"
THREE = (uptake(GLUCOSE, 12.0), uptake(OXYGEN, 20.0), demand("ATPM", 0.0, 12.0))
GLUCOSE_START = 10.0 / 180.156 * 1000.0


def five(low: float = 0.0, high: float = 12.0) -> tuple[MovingBound, ...]:
    """Glucose, oxygen, acetate, ammonium and ATP maintenance, whose range is given."""
    return (
        uptake(GLUCOSE, 12.0),
        uptake(OXYGEN, 20.0),
        uptake(ACETATE, 8.0),
        uptake(AMMONIUM, 12.0),
        demand("ATPM", low, high),
    )


@cache
def table(model: str = "textbook") -> RegionTable:
    """The certified table with five moving bounds."""
    found = compile_metabolism(model, moving=five())
    assert isinstance(found, RegionTable)
    return found


@cache
def small() -> RegionTable:
    """The core model with three moving bounds."""
    found = compile_metabolism("textbook", moving=THREE)
    assert isinstance(found, RegionTable)
    return found


def batch(model: str = "textbook", maintenance: float = 0.0, k_d: float = 0.0, track: tuple[str, ...] | None = ()):
    """The reference batch: glucose 10 g/L, oxygen at most 15 mmol/gDW/h."""
    kinetics = Kinetics(
        {
            GLUCOSE: Monod(10.0, 0.015),
            OXYGEN: GasSupply(15.0, 1e6, 1.0),  # so much that only the cells limit it
            ACETATE: Monod(5.0, 0.2),
            AMMONIUM: Constant(12.0),
            "ATPM": Constant(maintenance),
        },
        k_d=k_d,
    )
    return reactor(table(model), kinetics, {"X": 0.1, GLUCOSE: GLUCOSE_START}, track=track)


def fed(track: tuple[str, ...] | None = None, **changes: Any) -> Reactor:
    """A fed-batch with dissolved oxygen, inhibited by the acetate that it makes."""
    kinetics = Kinetics(
        {
            GLUCOSE: Monod(10.0, changes.pop("K_S", 0.05), ACETATE, 90.0),
            OXYGEN: Monod(changes.pop("q_O2", 15.0), 0.005),
            "ATPM": Constant(8.39),
        },
        gas={OXYGEN: GasTransfer(200.0, 0.25)},
        k_d=0.004,
    )
    growth = changes.pop("growth", 0.12)
    feed = Feed(changes.pop("rate", 0.012), 1.0, 9.0, {GLUCOSE: 2500.0}, growth=growth)
    assert not changes
    return reactor(small(), kinetics, {"X": 1.0, GLUCOSE: 20.0, OXYGEN: 0.2, "V": 1.0}, feeds=[feed], track=track)


def core_json(folder: Path, change: Any = None) -> Path:
    """The core model as a JSON file, after `change` was made to its data."""
    import json
    import logging

    import cobra

    from seedtrain.simulation._metabolism._read import locate

    logging.getLogger("cobra").setLevel(logging.CRITICAL)
    model = cobra.io.read_sbml_model(str(locate("textbook")))
    data = cobra.io.model_to_dict(model)
    if change is not None:
        change(data)
    path = folder / "core.json"
    path.write_text(json.dumps(data, indent=1), encoding="utf-8")
    return path
