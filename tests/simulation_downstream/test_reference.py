"""The reference page lists every lever as the code has it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from seedtrain.base import read_text
from seedtrain.simulation._downstream._operation import LARGEST, TrainParameter
from seedtrain.simulation._downstream._rate_column import RATE_LEVERS
from seedtrain.simulation._downstream._train import OPERATIONS

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "downstream.md"


def table(kind: str) -> str:
    """The levers of `kind` as the page shows them."""
    return rows(OPERATIONS[kind].levers)


def rows(levers: Sequence[TrainParameter]) -> str:
    """A table of levers."""
    lines = ["| lever | value | range | unit | status | source |", "| --- | --- | --- | --- | --- | --- |"]
    for lever in levers:
        source = lever.source.removeprefix("assumed: ")
        span = f"{lever.low:g} to {lever.high:g}"
        lines.append(f"| `{lever.name}` | {lever.value:g} | {span} | {lever.unit} | {lever.status} | {source} |")
    return "\n".join(lines)


@pytest.mark.parametrize("kind", [kind for kind, operation in OPERATIONS.items() if operation.levers])
def test_the_page_shows_the_levers_of_the_code(kind: str) -> None:
    assert table(kind) in read_text(PAGE), f"docs/reference/downstream.md should hold\n{table(kind)}"


def test_the_page_names_every_kind_of_phase() -> None:
    headings = [line for line in read_text(PAGE).splitlines() if line.startswith("## ")]
    for kind in OPERATIONS:
        assert any(kind in line for line in headings), kind


def sizes() -> str:
    """The largest machines as the page shows them."""
    lines = ["| size | largest | unit | where it comes from |", "| --- | --- | --- | --- |"]
    lines += [f"| `{name}` | {size:g} | {unit} | {source} |" for name, (size, unit, source) in LARGEST.items()]
    return "\n".join(lines)


def test_the_page_shows_the_levers_of_the_rate_models_and_the_largest_machines() -> None:
    assert rows(RATE_LEVERS) in read_text(PAGE), f"docs/reference/downstream.md should hold\n{rows(RATE_LEVERS)}"
    assert sizes() in read_text(PAGE), f"docs/reference/downstream.md should hold\n{sizes()}"
