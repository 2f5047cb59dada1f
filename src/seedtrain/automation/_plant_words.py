"""What people read of a plant: where it serves, and what a server offers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from seedtrain.automation._opcua import Offered
from seedtrain.automation._scenario import Scenario
from seedtrain.base import translate as _
from seedtrain.simulation import Run

HIDDEN = frozenset(
    (
        *("EngineeringUnits", "EURange", "Origin", "InputArguments", "OutputArguments", "NodeVersion", "Id"),
        *("AvailableStates", "AvailableTransitions"),
    )
)
LONG = 12
"""More entries than these in one set are counted, not listed."""


def served_words(scenario: Scenario, url: str, speed: float | None) -> list[str]:
    """Lines that say what a virtual plant is and where."""
    clock = (
        _("lock-step clock: it moves when a client moves it")
        if speed is None
        else _("clock at {speed} times real time").format(speed=f"{speed:g}")
    )
    lines = [_("simulated plant, not for use: {url}").format(url=url), f"  {clock}"]
    for unit in scenario.units.values():
        lines.append("  " + _("{unit}: {count} phases").format(unit=unit.name, count=len(unit.phases)))
    lines.append(_("It ends with Ctrl-C."))
    return lines


def short_words(scenario: Scenario, runs: Sequence[Run]) -> list[str]:
    """Lines for the integrated units whose own run was short of oxygen: every stage of their cascade is at its end."""
    found = []
    for run in runs:
        unit = scenario.units.get(run.vessel)
        short = next((event for event in run.events if event.kind == "oxygen_limited"), None)
        if unit is None or unit.live is None or short is None:
            continue
        words = _("{unit}: as simulated, oxygen is short from {hours} h on, with every stage of its cascade at its end")
        found.append("  " + words.format(unit=unit.name, hours=f"{short.time:.1f}"))
    return found


def browsed_words(root: Offered) -> Iterator[str]:
    """The tree of what a server offers, a line a node: name, value, unit, and whether it can be written."""
    yield from _below(root, 0)


def _below(node: Offered, depth: int) -> Iterator[str]:
    shown = [child for child in node.children.values() if child.name not in HIDDEN]
    alike = len(shown) > LONG and all(child.kind == "Object" and child.children for child in shown)
    for child in shown[: 3 if alike else None]:
        yield "  " * depth + _line(child)
        yield from _below(child, depth + 1)
    if alike:
        yield "  " * depth + _("... and {count} more").format(count=len(shown) - 3)


def _line(node: Offered) -> str:
    if node.kind == "Method":
        return f"{node.name}()"
    if node.kind != "Variable":
        return f"{node.name}  [{node.lads}]" if node.lads else node.name
    if node.value is not None and not isinstance(node.value, (str, int, float, list, datetime)):
        return node.name  # a structure, which only a program reads
    value = "" if node.value is None else f"{node.value:g}" if isinstance(node.value, float) else str(node.value)
    words = f"{node.name} = {value} {node.unit}".rstrip()
    return f"{words}  [{_('can be written')}]" if node.writable else words
