"""A mapping of tags checked against its device and a recipe, before anything moves: all faults at once."""

from __future__ import annotations

from collections.abc import Iterator

from seedtrain.automation._devices import Tag, TagDevice, TagKind
from seedtrain.automation._job import by_people, unit_name
from seedtrain.automation._protocols._mapping import TagMapping, TagUnitEntry
from seedtrain.automation._ramp import INITIAL, ramped
from seedtrain.base import Location, SeedtrainError, collect
from seedtrain.quantity import Quantity, same_dimension
from seedtrain.recipe import CALIBRATE, PROBES, ControlRecipe, PhaseAt, references

Wanted = tuple[Location, str, TagKind, bool, str]
"""Place, tag, kind, whether it is written, and the unit that the mapping gives it ("?": none)."""


def check_tags(mapping: TagMapping, device: TagDevice) -> None:
    """Every tag exists, holds what it is used for, can be written where it is a target, and has the unit that the
    mapping says. What a device calls simulated is not called measured. Raises `InputErrors`."""
    offered = {tag.name: tag for tag in device.tags()}
    errors: list[SeedtrainError] = []
    for place, name, kind, written, unit in wanted(mapping):
        tag = offered.get(name)
        message, remedy = _fault(tag, name, kind, written=written, unit=unit)
        if tag is None:
            remedy = f"See what it has: seedtrain plant browse {mapping.entry.server}"
        if message:
            errors.append(mapping.document.error(place, message, remedy=remedy))
    if device.identify().origin == "simulated":
        for name, entry in mapping.entry.units.items():
            if entry.origin == "measured":
                message = f"the device says that values of {name} are simulated"
                place = ("units", name, "origin")
                errors.append(mapping.document.error(place, message, remedy="Write `origin: simulated`."))
    errors += _safe_program_faults(mapping)
    errors += mapping.safe_faults()
    collect(errors)


def _safe_program_faults(mapping: TagMapping) -> Iterator[SeedtrainError]:
    for name, unit in mapping.entry.units.items():
        if unit.safe.program and unit.program is None:
            message = f"{name} runs no programs, so {unit.safe.program!r} cannot bring it to its safe state"
            place = ("units", name, "safe", "program")
            yield mapping.document.error(place, message, remedy="Map its `program`, or name safe `targets`.")


def _fault(tag: Tag | None, name: str, kind: TagKind, *, written: bool, unit: str) -> tuple[str, str]:
    if tag is None:
        return f"the device has no tag {name}", ""
    if tag.kind != kind:
        return f"{name} holds a {tag.kind}, not a {kind}", f"Name a tag that holds a {kind}."
    if written and not tag.writable:
        return f"{name} can only be read", "Name a tag that can be written, or leave `target` away."
    if unit != "?" and tag.unit and tag.unit != unit:
        return f"{name} is in {tag.unit}, the mapping says {unit or 'no unit'}", f"Write `unit: {tag.unit}`."
    return "", ""


def wanted(mapping: TagMapping) -> Iterator[Wanted]:
    """Every tag that a mapping names, and what it has to be."""
    entry = mapping.entry
    if entry.clock:
        yield ("clock",), entry.clock, "time", False, "?"
    for name, unit in entry.units.items():
        place: Location = ("units", name)
        for tag, function in unit.functions.items():
            yield (*place, "functions", tag, "current"), function.current, "number", False, function.unit
            if function.target:
                yield (*place, "functions", tag, "target"), function.target, "number", True, function.unit
        for key in ("totalisers", "outlets", "samples"):
            for what, amount in getattr(unit, key).items():
                yield (*place, key, what, "tag"), amount.tag, "number", False, amount.unit
        if unit.owner:
            yield (*place, "owner"), unit.owner, "text", True, "?"
        if unit.program is not None:
            for key, kind, written in _PROGRAM:
                text = getattr(unit.program, key)
                if text:
                    yield (*place, "program", key), text, kind, written, "?"


_PROGRAM: tuple[tuple[str, TagKind, bool], ...] = (
    ("name", "text", True),
    ("command", "text", True),
    ("state", "text", False),
    ("refusal", "text", False),
    ("stopped", "time", False),
    ("ended_by", "text", False),
    ("ready", "time", False),
)


def check_phases(control: ControlRecipe, mapping: TagMapping) -> None:
    """Every phase of the recipe finds its unit, functions for its limits and its transition, and somebody who keeps
    its set points. Raises `InputErrors`, each at the recipe's line."""
    errors: list[SeedtrainError] = list(mapping.unit_faults(control))
    for step in control.recipe.phases():
        name = unit_name(step)
        unit = mapping.entry.units.get(name)
        if unit is not None and not by_people(step, mapping.entry.people):
            errors += _phase_faults(control, step, name, unit)
    collect(errors)


def _phase_faults(control: ControlRecipe, step: PhaseAt, name: str, unit: TagUnitEntry) -> Iterator[SeedtrainError]:
    phase, recipe = step.phase, control.recipe
    needed: dict[str, tuple[str, str]] = {tag: (limits.unit, "limit") for tag, limits in phase.watched.items()}
    until = phase.until
    if until is not None and unit.program is None and isinstance(until.value, Quantity) and until.quantity != "elapsed":
        needed[until.quantity] = (until.value.unit, "transition")
    if phase.do == CALIBRATE:
        tag = references(phase)[0]
        needed[tag] = (PROBES[tag], "calibration")
    for tag, (measure, what) in needed.items():
        function = unit.functions.get(tag)
        if function is None:
            message = f"{name} has no function {tag!r}, on which the {what} of this phase rests"
            yield recipe.error(step.path, "until" if what == "transition" else tag, message, remedy=f"Map {tag}.")
        elif not same_dimension(measure, function.unit):
            message = f"{name} gives {tag!r} in {function.unit or 'no unit'}, not in {measure or 'no unit'}"
            yield recipe.error(step.path, tag, message, remedy=f"Write the {what} in that unit.")
    for attribute in phase.sample:
        if attribute not in unit.samples:
            message = f"nothing on {name} finds {attribute!r} in a sample"
            remedy = "Map its tag under `samples`, or let people run the phase."
            yield recipe.error(step.path, attribute, message, remedy=remedy)
    for tag in ramped(phase) if unit.program is not None else ():
        if tag not in unit.functions or not unit.functions[tag].target:
            message = f"{name} has no target of {tag!r} that could be moved"
            yield recipe.error(step.path, tag, message, remedy="Map its target, or set it in one step.")
    if unit.program is None:
        yield from _settings_faults(control, step, name, unit)


def _settings_faults(control: ControlRecipe, step: PhaseAt, name: str, unit: TagUnitEntry) -> Iterator[SeedtrainError]:
    """Set points that nobody would keep: a device without programs keeps those alone that have a target."""
    moved = [f"{INITIAL}{name}" for name in ramped(step.phase)]
    for key, value in step.phase.set.items():
        function = unit.functions.get(key.removeprefix(INITIAL) if key in moved else key)
        if function is None or not function.target:
            message = f"{name} has no controller for {key!r} = {value}, and runs no programs"
            remedy = "Map its target, run the phase by hand, or connect a device that runs programs."
            yield control.recipe.error(step.path, key, message, remedy=remedy)
        elif isinstance(value, Quantity) and not same_dimension(value.unit, function.unit):
            message = f"{name} controls {key!r} in {function.unit or 'no unit'}, not in {value.unit or 'no unit'}"
            yield control.recipe.error(step.path, key, message, remedy="Write the set point in that unit.")
