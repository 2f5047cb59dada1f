"""What the catalogue and the recipe itself say about its phases: every check that needs more than one key.

It walks the raw data and tolerates what the models already refused, so that one reading shows all faults.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from seedtrain.base import Location
from seedtrain.quantity import Quantity, QuantityError, Range, parse_range
from seedtrain.recipe._calibration import CALIBRATE, FIRST, PROBES, SECOND
from seedtrain.recipe._catalogue import OF_STRATEGY, PHASE_KINDS, STRATEGIES
from seedtrain.recipe._check_manual import ManualReader
from seedtrain.recipe._check_order import check_order, items
from seedtrain.recipe._entries import parse_condition
from seedtrain.recipe._faults import Faults
from seedtrain.recipe._kinds import (
    MATERIAL,
    NEAREST,
    SAMPLE_UNITS,
    ParameterKind,
    PhaseKind,
    choose,
    closest,
    outside,
    read_number,
)
from seedtrain.recipe._manual import Manual
from seedtrain.recipe._phase import PRODUCTION, Value


@dataclass
class Settings:
    """What a phase sets and which limits it has, read."""

    kind: PhaseKind
    location: Location
    set: dict[str, Value] = field(default_factory=dict)
    limits: dict[str, Range] = field(default_factory=dict)
    sample: dict[str, Range] = field(default_factory=dict)
    manual: Manual = field(default_factory=Manual)


@dataclass(frozen=True)
class _RawPhase:
    location: Location
    path: str
    data: dict[str, Any]


def check(faults: Faults) -> tuple[dict[Location, Settings], dict[Location, Range]]:
    """Note every fault of the procedure and the strategy; returns phases and strategy ranges by their location."""
    data = faults.document.data
    if not isinstance(data, dict):
        return {}, {}
    known = _material_names(data)
    _check_units(faults, data)
    check_order(faults, data)
    settings: dict[Location, Settings] = {}
    by_path: dict[str, Settings | None] = {}
    people = ManualReader(faults)
    for raw in _phases(faults, data):
        found = _check_phase(faults, raw, known)
        manual = people.read(raw.path, raw.location, raw.data)
        if found:
            found.manual = manual
        by_path.setdefault(raw.path, found)
        if found:
            settings[raw.location] = found
    return settings, _check_strategy(faults, data, by_path)


def repeat_words(unit_class: str) -> str:
    """The one sentence that `repeat` may hold for a unit class."""
    return f"every {unit_class.replace('_', ' ')} of the production vessel"


def _texts(data: dict[str, Any], key: str) -> dict[str, str]:
    found = data.get(key)
    return {name: text for name, text in found.items() if isinstance(text, str)} if isinstance(found, dict) else {}


def _material_names(data: dict[str, Any]) -> set[str]:
    materials = data.get("materials")
    if not isinstance(materials, dict):
        return set()
    names = set(materials)
    for item in materials.values():
        composition = item.get("composition") if isinstance(item, dict) else None
        names.update(composition if isinstance(composition, dict) else ())
    return names


def _check_units(faults: Faults, data: dict[str, Any]) -> None:
    production: list[Location] = []
    for index, procedure in items(data, "procedure"):
        unit_class, words = procedure.get("unit_class"), procedure.get("repeat")
        if unit_class == PRODUCTION:
            production.append(("procedure", index, "unit_class"))
        if isinstance(unit_class, str) and isinstance(words, str) and words.strip() != repeat_words(unit_class):
            faults.add(
                ("procedure", index, "repeat"),
                f"{words!r} does not say over which units it repeats",
                f"Write: {repeat_words(unit_class)}",
            )
        if procedure.get("unit_procedure") == "materials":
            faults.add(("procedure", index, "unit_procedure"), "'materials' names the formula", "Choose another name.")
    for location in production[1:]:
        line = faults.document.position(production[0]).line
        faults.add(location, f"the production vessel stands in line {line} already", "Choose another unit_class.")


def _phases(faults: Faults, data: dict[str, Any]) -> Iterator[_RawPhase]:
    """Every phase with its path; a name that stands twice under one parent is noted."""
    procedures = _named(faults, data, "procedure", "unit_procedure", ())
    for place, procedure, name in procedures:
        for under, operation, middle in _named(faults, procedure, "operations", "operation", place):
            for location, phase, last in _named(faults, operation, "phases", "phase", under):
                yield _RawPhase(location, f"{name}/{middle}/{last}", phase)


def _named(
    faults: Faults, data: Any, key: str, name_key: str, location: Location
) -> list[tuple[Location, dict[str, Any], str]]:
    found = []
    seen: dict[str, int] = {}
    for index, item in items(data, key):
        place: Location = (*location, key, index)
        name = item.get(name_key)
        name = name if isinstance(name, str) else ""
        if name and name in seen:
            words = name_key.replace("_", " ")
            faults.add(
                (*place, name_key), f"the {words} {name!r} stands in line {seen[name]} already", "Give each its name."
            )
        elif name:
            seen[name] = faults.document.position((*place, name_key)).line
        found.append((place, item, name))
    return found


def _check_phase(faults: Faults, raw: _RawPhase, known: set[str]) -> Settings | None:
    do = raw.data.get("do")
    if not isinstance(do, str):
        return None
    kind = PHASE_KINDS.get(do)
    if kind is None:
        faults.add((*raw.location, "do"), f"there is no phase kind {do!r}", choose(do, PHASE_KINDS))
        return None
    settings = Settings(kind, raw.location)
    for name, text in _texts(raw.data, "set").items():
        place = (*raw.location, "set", name)
        parameter = kind.parameters.get(name)
        if parameter is None:
            words = "takes no parameters" if not kind.parameters else f"has no parameter {name!r}"
            faults.add(place, f"a {do} phase {words}", choose(name, kind.parameters), at_key=True)
        else:
            value = _value(faults, place, parameter, text, known)
            if value is not None:
                settings.set[name] = value
    _check_given(faults, raw, kind)
    _check_end(faults, raw, kind)
    _check_limits(faults, raw, settings)
    _check_sample(faults, raw, settings)
    if do == "feed":
        _check_feed(faults, raw, settings)
    if do == CALIBRATE:
        _check_references(faults, raw, settings)
    return settings


def _check_feed(faults: Faults, raw: _RawPhase, settings: Settings) -> None:
    """A strategy has all that it needs, and nothing of another."""
    strategy = str(settings.set.get("strategy", ""))
    needed = OF_STRATEGY.get(strategy, ())
    place = (*raw.location, "set")
    missing = [name for name in needed if name not in settings.set]
    if missing:
        faults.add((*place, "strategy"), f"a {strategy} needs {' and '.join(missing)}", f"Set {', '.join(missing)}.")
    own = {"pulse_rate", "feed_above_dissolved_oxygen", "feed_above_pH"}
    for name in sorted(own & set(settings.set) - set(needed)):
        words = f"{name} belongs to another strategy" if strategy else f"{name} belongs to a strategy"
        faults.add((*place, name), words, f"Set strategy to one of {', '.join(STRATEGIES)}, or remove it.", at_key=True)


def _check_references(faults: Faults, raw: _RawPhase, settings: Settings) -> None:
    """Two references of one probe that differ, and limits for what they give."""
    for tag in PROBES:
        first, second = settings.set.get(f"{tag}{FIRST}"), settings.set.get(f"{tag}{SECOND}")
        place = (*raw.location, "set", f"{tag}{SECOND}")
        if second is not None and first is None:
            words = f"there is no first reference of {tag}"
            faults.add(place, words, f"Set {tag}{FIRST} too, or remove it.", at_key=True)
        same = isinstance(first, Quantity) and isinstance(second, Quantity) and first.value == second.value
        if same:
            faults.add(place, f"both references are {second}", "Give another one, or remove it.")
    two = any(f"{tag}{SECOND}" in settings.set for tag in PROBES)
    for name in ("slope", "offset") if two else ("offset",):
        if name not in _texts(raw.data, "limits"):
            example = {"slope": "95 .. 105 %", "offset": "-0.3 .. 0.3"}[name]
            faults.add(raw.location, f"a calibrate phase has limits of its {name}", f"Add limits: {name}: {example}.")
    offset = settings.limits.get("offset")
    if offset is not None and ("%" in str(offset)) != (f"dissolved_oxygen{FIRST}" in settings.set):
        unit = "%" if f"dissolved_oxygen{FIRST}" in settings.set else "no unit"
        faults.add((*raw.location, "limits", "offset"), f"the offset of this probe is in {unit}", "Write it so.")


def _value(faults: Faults, place: Location, parameter: ParameterKind, text: str, known: set[str]) -> Value | None:
    if not parameter.is_number:
        name = text.strip()
        if not name:
            faults.add(place, "a name is wanted here", "Name a material.")
        elif parameter.choices and name not in parameter.choices:
            faults.add(place, f"{name!r} is no {parameter.name}", choose(name, parameter.choices))
        elif parameter.unit == MATERIAL and name not in known:
            near = closest(name, sorted(known))
            remedy = f"Use one of: {', '.join(near)}." if near else "Describe it under 'materials'."
            faults.add(place, f"there is no material {name!r} in this recipe", remedy)
        return name
    try:
        value = read_number(text, parameter.unit)
    except QuantityError as error:
        faults.add(place, error.message, error.remedy)
        return None
    fault = parameter.fault(value)
    if fault:
        faults.add(place, *fault)
        return None
    return value


def _check_given(faults: Faults, raw: _RawPhase, kind: PhaseKind) -> None:
    given = raw.data.get("set", {})
    if not isinstance(given, dict):
        return
    place: Location = (*raw.location, "set") if "set" in raw.data else raw.location
    for parameter in kind.parameters.values():
        if parameter.required and parameter.name not in given:
            example = "a name" if not parameter.is_number else f"a value in {parameter.unit or 'no unit'}"
            faults.add(place, f"a {kind.name} phase needs {parameter.name!r}", f"Set {parameter.name} to {example}.")
    crowded: set[str] = set()
    for group in kind.one_of:
        count = sum(name in given for name in group)
        if count != 1:
            crowded.update(group)
            words = "one of" if not count else "only one of"
            faults.add(place, f"a {kind.name} phase needs {words} {' and '.join(group)}", "Set exactly one of them.")
    for group in kind.any_of:
        if not any(name in given for name in group):
            faults.add(place, f"a {kind.name} phase needs {' or '.join(group)}", "Set at least one of them.")
    for group in kind.together:
        missing = [name for name in group if name not in given]
        if missing and len(missing) < len(group) and not (crowded & set(group) - set(missing)):
            faults.add(place, f"{' and '.join(group)} belong together", f"Set {', '.join(missing)} too.")


def _check_end(faults: Faults, raw: _RawPhase, kind: PhaseKind) -> None:
    data = raw.data
    if "until" in data and "duration" in data:
        faults.add(
            (*raw.location, "duration"), "a phase with 'until' has no duration", "Remove one of the two.", at_key=True
        )
    if kind.end == "timed" and "duration" not in data and "until" not in data:
        faults.add(raw.location, f"a {kind.name} phase needs 'duration'", "State how long it takes: 30 min.")
    if kind.end == "paced" and "until" in data:
        words = f"a {kind.name} phase takes its whole 'duration', and no 'until'"
        faults.add((*raw.location, "until"), words, "Remove it; wait for a value in a wait phase.", at_key=True)
    elif kind.end == "paced" and "duration" not in data:
        faults.add(raw.location, f"a {kind.name} phase needs 'duration'", "State how long it takes: 30 min.")
    if kind.end == "open" and "duration" not in data and "until" not in data:
        faults.add(
            raw.location, f"a {kind.name} phase needs an end", "Add 'until: biomass >= 4 g/L' or 'duration: 12 h'."
        )
    if "at_most" in data and "until" not in data:
        faults.add((*raw.location, "at_most"), "'at_most' bounds 'until', which is missing", "Add until.", at_key=True)
    try:
        until = parse_condition(data["until"]) if "until" in data else None
        at_most = read_number(data["at_most"], "h") if isinstance(data.get("at_most"), str) else None
    except ValueError:
        return  # the model has noted it
    if until is None or until.is_signature:
        return
    if until.quantity != "elapsed":
        if "at_most" not in data:
            faults.add(
                (*raw.location, "until"),
                f"it may never come true that {until}, and 'at_most' is missing",
                "Add 'at_most: 16 h', the longest time that the phase may take.",
            )
    elif at_most and isinstance(until.value, Quantity) and at_most.magnitude("h") < until.value.magnitude("h"):
        faults.add((*raw.location, "at_most"), f"{at_most} ends the phase before {until}", "Give a longer time.")


def _range(faults: Faults, place: Location, text: str, unit: str | None) -> Range | None:
    try:
        return parse_range(text, like=unit)
    except QuantityError as error:
        faults.add(place, error.message, error.remedy)
        return None


def _check_limits(faults: Faults, raw: _RawPhase, settings: Settings) -> None:
    kind = settings.kind
    allowed = kind.limited()
    for name, text in _texts(raw.data, "limits").items():
        place: Location = (*raw.location, "limits", name)
        if name not in allowed:
            words = f"a {kind.name} phase neither sets nor monitors {name!r}"
            faults.add(place, words, choose(name, allowed), at_key=True)
            continue
        found = _range(faults, place, text, allowed[name])
        if found is None:
            continue
        settings.limits[name] = found
        parameter = kind.parameters.get(name)
        for edge in (found.low, found.high) if parameter else ():
            fault = parameter.fault(edge) if parameter and edge and edge.value else None
            if fault:
                faults.add(place, *fault)
        value = settings.set.get(name)
        if isinstance(value, Quantity) and outside(value, found):
            words = f"the set point {value} lies outside the limits {found}"
            faults.add((*raw.location, "set", name), words, "Change the set point or the limits.")


def _check_sample(faults: Faults, raw: _RawPhase, settings: Settings) -> None:
    for name, text in _texts(raw.data, "sample").items():
        place: Location = (*raw.location, "sample", name)
        unit = SAMPLE_UNITS.get(name)
        near = closest(name, SAMPLE_UNITS)[0]
        if unit is None and _is_slip(name, near):
            faults.add(place, f"there is no attribute {name!r}", f"Write {near}, or a name less like it.", at_key=True)
            continue
        found = _range(faults, place, text, unit)
        if found is not None:
            settings.sample[name] = found


def _is_slip(name: str, near: str) -> bool:
    import difflib

    return difflib.SequenceMatcher(None, name, near).ratio() >= 0.85


def _check_strategy(faults: Faults, data: dict[str, Any], by_path: dict[str, Settings | None]) -> dict[Location, Range]:
    ranges: dict[Location, Range] = {}
    for index, line in items(data, "control_strategy"):
        place: Location = ("control_strategy", index)
        at, name, text = line.get("at"), line.get("parameter"), line.get("range")
        if not isinstance(at, str) or not isinstance(name, str):
            continue
        if at not in by_path:
            faults.add((*place, "at"), f"there is no phase {at!r}", _nearest_phase(at, by_path))
            continue
        settings = by_path[at]
        if settings is None:
            continue
        allowed = settings.kind.limited()
        if name not in allowed:
            words = f"the phase {at} ({settings.kind.name}) neither sets nor monitors {name!r}"
            faults.add((*place, "parameter"), words, choose(name, allowed))
            continue
        found = _range(faults, (*place, "range"), text, allowed[name]) if isinstance(text, str) else None
        if found is None:
            continue
        ranges[place] = found
        value = settings.set.get(name)
        if isinstance(value, Quantity) and outside(value, found):
            line_number = faults.document.position((*settings.location, "set", name)).line
            faults.add(
                (*place, "range"),
                f"the set point {value} of line {line_number} lies outside {found}",
                "Change the range or the set point.",
            )
    return ranges


def _nearest_phase(at: str, paths: dict[str, Settings | None]) -> str:
    near = closest(at, paths)[:NEAREST]
    return f"Name a phase as unit procedure/operation/phase, for instance: {', '.join(near)}." if near else ""
