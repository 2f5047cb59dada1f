"""Arithmetic of streams: every gram is in exactly one of the streams that leave."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Final

from seedtrain.simulation._downstream._operation import Settings
from seedtrain.simulation._stream import COMPONENTS, Stream

ENDOTOXIN: Final = "endotoxin"
PARTICLES: Final = ("cells", "debris")
HEAT_CAPACITY: Final = 4.18 / 3600.0
"""Of water, kWh/(L K)."""

Amounts = dict[str, float]
Share = Callable[[str], float]


def amounts(stream: Stream) -> Amounts:
    """g by component, and EU under `endotoxin`."""
    found = {name: stream.masses.get(name, 0.0) for name in COMPONENTS}
    found[ENDOTOXIN] = stream.endotoxin
    return found


def solids(stream: Stream) -> Amounts:
    """The part of `amounts` in or on particles; without a statement the product of a stream with cells is in them."""
    whole = amounts(stream)
    stated = dict(stream.in_solids)
    if not stated and whole["cells"] > 0:
        stated = {"product": whole["product"], "denatured_product": whole["denatured_product"]}
        stated[ENDOTOXIN] = whole[ENDOTOXIN]
    found = {name: min(stated.get(name, 0.0), whole[name]) for name in whole}
    for name in PARTICLES:
        found[name] = whole[name]
    return found


def build(name: str, volume: float, content: Mapping[str, float], bound: Mapping[str, float], like: Stream) -> Stream:
    """A stream of `content` (g, EU), `bound` of it on particles, warm and acid as `like`."""
    return dataclasses.replace(
        like,
        name=name,
        volume=max(volume, 0.0),
        masses={key: value for key, value in content.items() if key != ENDOTOXIN and value > 0.0},
        endotoxin=content.get(ENDOTOXIN, 0.0),
        in_solids={key: value for key, value in bound.items() if value > 0.0},
    )


def split(
    stream: Stream, names: tuple[str, str], volume: float, dissolved: Share, solid: Share
) -> tuple[Stream, Stream]:
    """`stream` in two: the first of `volume` L takes the share `dissolved(c)` of what is dissolved, `solid(c)` of what
    sits on particles; the second is the rest to the last bit that floating point holds."""
    whole, bound = amounts(stream), solids(stream)
    first_bound = {key: bound[key] * solid(key) for key in whole}
    first = {key: min(whole[key], first_bound[key] + (whole[key] - bound[key]) * dissolved(key)) for key in whole}
    rest = {key: whole[key] - first[key] for key in whole}
    rest_bound = {key: min(rest[key], bound[key] - first_bound[key]) for key in whole}
    return (
        build(names[0], volume, first, first_bound, stream),
        build(names[1], stream.volume - volume, rest, rest_bound, stream),
    )


def part(stream: Stream, names: tuple[str, str], fraction: float) -> tuple[Stream, Stream]:
    """`stream` in two of the same composition."""
    return split(stream, names, stream.volume * fraction, lambda _: fraction, lambda _: fraction)


def solution(settings: Settings, material: str, volume: float, like: Stream) -> Stream:
    """`volume` L of a material that the recipe prepares."""
    composition = settings.materials.get(material)
    if composition is None:
        known = ", ".join(settings.materials) or "none"
        raise settings.error(f"the recipe prepares no material {material!r}", f"Use one of: {known}.")
    content = {name: concentration * volume for name, concentration in composition.items()}
    return Stream(material, volume, content, 0.0, like.temperature, 7.0)


def add(name: str, stream: Stream, addition: Stream, pH: float | None = None) -> Stream:
    """Both together; volumes add up, the temperature by volume."""
    whole, extra, bound = amounts(stream), amounts(addition), solids(stream)
    volume = stream.volume + addition.volume
    heat = stream.volume * stream.temperature + addition.volume * addition.temperature
    mixed = build(name, volume, {key: whole[key] + extra[key] for key in whole}, bound, stream)
    warmth = heat / volume if volume > 0 else stream.temperature
    return dataclasses.replace(mixed, temperature=warmth, pH=stream.pH if pH is None else pH)


def empty(name: str, like: Stream) -> Stream:
    """Nothing."""
    return build(name, 0.0, {}, {}, like)


def chill(stream: Stream, temperature: float) -> tuple[Stream, float]:
    """`stream` at `temperature` (degC), and the heat taken out (kWh, 0 where it was colder)."""
    heat = stream.volume * HEAT_CAPACITY * max(0.0, stream.temperature - temperature)
    return dataclasses.replace(stream, temperature=temperature), heat
