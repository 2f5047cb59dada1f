"""The catalogue of phase kinds as the Markdown that stands in docs/reference/recipe.md.

After a change of the catalogue: `python -m tests.recipe.reference`.
"""

from __future__ import annotations

from collections.abc import Iterable

from seedtrain.recipe import (
    CHOICE,
    CONDITION_UNITS,
    MATERIAL,
    PHASE_KINDS,
    SAMPLE_UNITS,
    WORD,
    ParameterKind,
    PhaseKind,
)
from tests.recipe.examples import ROOT

PAGE = ROOT / "docs" / "reference" / "recipe.md"
START, END = "<!-- catalogue: generated -->\n", "<!-- catalogue: end -->\n"


def catalogue() -> str:
    """The tables of every phase kind, then the units of conditions and samples."""
    parts = [_kind(kind) for kind in PHASE_KINDS.values()]
    parts.append(_units("`until` may compare", CONDITION_UNITS))
    parts.append(_units("Samples whose dimension is known", SAMPLE_UNITS))
    return "\n".join(parts)


def page(text: str) -> str:
    """The page `text` with the catalogue of now between its marks."""
    before, _, rest = text.partition(START)
    return before + START + "\n" + catalogue() + "\n" + END + rest.partition(END)[2]


def _kind(kind: PhaseKind) -> str:
    lines = [f"### {kind.name}", "", kind.words]
    lines += [f"{words}." for words in _rules(kind)]
    if kind.parameters:
        lines += ["", "| parameter | value | needed | from .. to | scaling | meaning |", "|---|---|---|---|---|---|"]
        lines += [_row(item) for item in kind.parameters.values()]
    if kind.monitored:
        lines += [
            "",
            "`limits` may also name: " + _names(f"{name} ({unit or '1'})" for name, unit in kind.monitored.items()),
        ]
    return "\n".join(lines) + "\n"


def _rules(kind: PhaseKind) -> Iterable[str]:
    if kind.end == "timed":
        yield "It needs `duration` (or `until`)"
    if kind.end == "paced":
        yield "It needs `duration`, and has no `until`"
    if kind.end == "open":
        yield "It needs `until` or `duration`"
    for group in kind.one_of:
        yield f"Exactly one of {_names(group, ' and ')}"
    for group in kind.any_of:
        yield f"At least one of {_names(group, ' and ')}"
    for group in kind.together:
        yield f"{_names(group, ' and ')} belong together"


def _row(item: ParameterKind) -> str:
    needed = "yes" if item.required else ""
    if not item.is_number:
        choices = " or ".join(f"`{choice}`" for choice in item.choices)
        value = {MATERIAL: "a prepared material", WORD: "a material of the store", CHOICE: choices}[item.unit]
        return f"| `{item.name}` | {value} | {needed} | | | {item.words} |"
    low = f"above {item.lowest:g}" if item.above else f"{item.lowest:g}"
    return (
        f"| `{item.name}` | {item.unit or 'a number'} | {needed} | {low} .. {item.highest:g} "
        f"| {item.scaling} | {item.words} |"
    )


def _names(names: Iterable[str], between: str = ", ") -> str:
    return between.join(f"`{name}`" if " " not in name else name for name in names)


def _units(title: str, units: object) -> str:
    assert isinstance(units, dict)
    return f"### {title}\n\n" + ", ".join(f"`{name}` ({unit or 'a number'})" for name, unit in units.items()) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
