"""How a recipe runs its own vessel, and its agitation set points carried to another one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from seedtrain.base import InputError
from seedtrain.development._agitation import Operating
from seedtrain.development._scalable import Scalable
from seedtrain.development._upstream_use import phases
from seedtrain.quantity import Quantity
from seedtrain.recipe import MasterRecipe, Phase
from seedtrain.simulation import ShakeFlask, StirredTank, Well

_CULTURES: Final = ("grow", "feed")
_STIRRED: Final = (("stirrer_speed", "1/min"), ("aeration", "vvm"), ("head_pressure", "bar"))
_SHAKEN: Final = "shaking_frequency"

SetPoints = dict[tuple[str, str], Quantity | None]
"""(path, parameter) -> its value in the new vessel; None: it means nothing there and is left out."""


def reference(master: MasterRecipe, basis: Scalable) -> Operating:
    """How the recipe runs its basis vessel: the first culture phase of production, at its stirrer's highest speed."""
    cultures = [phase for _, phase in phases(master.production) if phase.do in _CULTURES]
    if not cultures:
        raise InputError(
            f"the recipe {master.name} grows nothing in production",
            position=master.position(master.production.name),
            remedy="Add a grow or feed phase.",
        )
    volume = master.basis_volume.magnitude("L")
    if not isinstance(basis, StirredTank):
        phase = next((phase for phase in cultures if _SHAKEN in phase.set), cultures[0])
        _check_shaker(master, basis)
        speed = phase.number(_SHAKEN, "1/min", basis.shaking.frequency[1]) if basis.shaking else 0.0
        return Operating(volume, speed, basis.transfer.gas_exchange, 0.0, phase.number("temperature", "degC", 37.0))
    phase = next((phase for phase in cultures if "stirrer_speed" in phase.set), cultures[0])
    return Operating(
        volume=volume,
        speed=phase.number("stirrer_speed", "1/min", basis.stirrer_speed[1]),
        aeration=phase.number("aeration", "vvm", basis.aeration[0]),
        head_pressure=phase.number("head_pressure", "bar", 0.0),
        temperature=phase.number("temperature", "degC", 37.0),
    )


def _check_shaker(master: MasterRecipe, basis: ShakeFlask | Well) -> None:
    """Refuse a frequency that the recipe's own shaker does not reach, at its place."""
    for path, phase in phases(master.production):
        wanted = phase.number(_SHAKEN, "1/min") if _SHAKEN in phase.set else None
        if wanted is None or basis.shaking is None or abs(basis.shaking.at(wanted) / wanted - 1.0) < 1e-9:
            continue
        low, high = basis.shaking.frequency
        words = f"{wanted:g} 1/min is outside the {low:g} .. {high:g} 1/min of {basis.name}"
        raise master.error(path, _SHAKEN, words, remedy="Change it, or the vessel's shaking_frequency.")


def agitation_set_points(master: MasterRecipe, basis: Scalable, tank: Scalable, new: Operating) -> SetPoints:
    """Stirring or shaking, aeration and pressure of every phase of production in `tank`, which `match` runs as `new`.

    Between stirred tanks each set point moves by the same factor. From a stirred tank to a shaken vessel, or back, what
    means nothing there is left out, and what it needs is set in every culture phase, in proportion to that phase's own
    speed.
    """
    old = reference(master, basis)
    if isinstance(basis, StirredTank) and isinstance(tank, StirredTank):
        return _moved(master, old, new)
    found: SetPoints = {}
    for path, phase in phases(master.production):
        if isinstance(tank, StirredTank):
            found |= {(path, _SHAKEN): None} if _SHAKEN in phase.set else {}
        else:
            dropped = [name for name, _ in _STIRRED if name in phase.set]
            found |= {(path, name): None for name in dropped}
            found |= {(path, f"initial_{name}"): None for name in dropped if f"initial_{name}" in phase.set}
        if phase.do in _CULTURES:
            found |= {(path, name): value for name, value in _set(phase, basis, tank, old, new)}
    return found


def _moved(master: MasterRecipe, old: Operating, new: Operating) -> SetPoints:
    moves = (
        ("stirrer_speed", "1/min", old.speed, new.speed),
        ("aeration", "vvm", old.aeration, new.aeration),
        ("head_pressure", "bar", old.head_pressure, new.head_pressure),
    )
    found: SetPoints = {}
    for path, phase in phases(master.production):
        for name, unit, before, after in moves:
            if name in phase.set and before > 0 and abs(after / before - 1.0) > 1e-9:
                found[path, name] = _rounded(phase.number(name, unit) * after / before, unit)
    return found


def _set(
    phase: Phase, basis: Scalable, tank: Scalable, old: Operating, new: Operating
) -> Iterator[tuple[str, Quantity | None]]:
    """What a culture phase needs set in `tank`, where stirring becomes shaking or shaking becomes stirring."""
    own = phase.number("stirrer_speed" if isinstance(basis, StirredTank) else _SHAKEN, "1/min", old.speed)
    speed = new.speed * (own / old.speed if old.speed > 0 else 1.0)
    if isinstance(tank, StirredTank):
        low, high = tank.stirrer_speed
        yield "stirrer_speed", _rounded(min(max(speed, low), high), "1/min")
        yield "aeration", _rounded(new.aeration, "vvm")
        if new.head_pressure > 0:
            yield "head_pressure", _rounded(new.head_pressure, "bar")
    elif tank.shaking is not None:
        low, high = tank.shaking.frequency
        yield _SHAKEN, _rounded(min(max(speed, low), high), "1/min")
    elif _SHAKEN in phase.set:
        yield _SHAKEN, None


def _rounded(value: float, unit: str) -> Quantity:
    return Quantity(float(f"{value:.4g}"), unit)
