"""Files that a command of the quality side reads: cut short, of other types, or foreign; never anything but an error
that says where and what to do."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import seedtrain
from seedtrain.base import SeedtrainError, load, parse_document, validate
from seedtrain.gmp import read_plan, read_rules, read_verdict
from seedtrain.gmp._assurance._composition import CompositionEntry
from seedtrain.gmp._custody._excursions import read_logger
from seedtrain.gmp._lots._csv import read_bytes, read_csv
from seedtrain.gmp._lots._import import read_goods
from seedtrain.gmp._quality._stability import read_protocol
from seedtrain.gmp._quality._standards import _FILES
from seedtrain.recipe import read_recipe
from tests.recipe.examples import ROOT

SOURCE = Path(seedtrain.__file__).parent / "gmp"
COMPOSITION = """material: capsule
supplier: Supplier
contains:
  - name: shell
    contains:
      - {name: gelatine, origin: bovine, allergens: []}
  - {name: colour, origin: mineral}
"""
SPECIFICATION = """specification: MEDIUM
version: 1
lines:
  - {attribute: pH, method: potentiometry, limit: 7.2 .. 7.6}
"""
METHOD = """method: rFC
version: 1
title: endotoxin
procedure: SOP-7
suitability: spike recovery 50 .. 200 %
"""
PROTOCOL = """protocol: STAB-1
version: 1
product: PBS
storage: long term
condition: 5 degC
months: [0, 3, 6]
window_days: 7
tests:
  - {attribute: purity, method: HPLC, limit: ">= 95 %", direction: falling}
"""
LOTS = "lot,material,quantity,unit,supplier,expiry\nS-1,sugar,25,kg,Acme,2028-01-31\nS-2,salt,1,kg,Acme,2028-01-31\n"
LOG = "time,temperature\n2026-03-02T09:00:00Z,-150\n2026-03-02T10:00:00Z,-100\n2026-03-02T11:00:00Z,-150\n"
VERDICT = json.dumps(
    {
        "verdict": "pass",
        "criteria": [
            {"name": "a", "value": 1.5, "interval": [1, 2], "limit": None, "limit_of_detection": "x", "verdict": "pass"}
        ],
        "evidence": ["e"],
        "versions": {"v": "1"},
        "seed": 1,
    }
)


def composition(path: Path) -> object:
    return load(path, CompositionEntry, what="composition")


def goods(path: Path) -> object:
    return read_goods(read_csv(read_bytes(path), str(path)))


def standard(kind: str) -> Callable[[Path], object]:
    return lambda path: validate(parse_document(path.read_text("utf-8"), str(path)), _FILES[kind])


def protocol(path: Path) -> object:
    return read_protocol(path.read_text("utf-8"), str(path))


def verdict(path: Path) -> object:
    try:
        document = json.loads(path.read_text("utf-8"))
    except json.JSONDecodeError:
        return None  # told with its place by the command itself
    return read_verdict(document, str(path))


READERS: dict[str, tuple[str, Callable[[Path], object]]] = {
    "rules": (
        (SOURCE / "_assurance" / "rules" / "allergen.yaml").read_text("utf-8"),
        lambda path: read_rules(str(path)),
    ),
    "plan": ((SOURCE / "_custody" / "plans" / "microbial.yaml").read_text("utf-8"), lambda path: read_plan(str(path))),
    "composition": (COMPOSITION, composition),
    "specification": (SPECIFICATION, standard("specification")),
    "method": (METHOD, standard("method")),
    "protocol": (PROTOCOL, protocol),
    "lots": (LOTS, goods),
    "log": (LOG, read_logger),
    "verdict": (VERDICT, verdict),
    "recipe": ((ROOT / "examples" / "buffer" / "recipe.yaml").read_text("utf-8"), read_recipe),
}
BITS = (
    "",
    "x",
    "0",
    "-1",
    "[]",
    "{}",
    "null",
    "[a, b]",
    "{a: b}",
    "true",
    "1e999",
    "\u6c34",
    "\n",
    ":",
    '"',
    "\t",
    "- ",
)


def test_the_files_themselves_are_read(tmp_path):
    for name, (text, read) in READERS.items():
        path = tmp_path / f"{name}.txt"
        path.write_text(text, encoding="utf-8")
        read(path)


@pytest.mark.parametrize("name", READERS)
@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_a_file_that_is_not_one_is_told_where_and_what_to_do(name, data):
    text, read = READERS[name]
    start = data.draw(st.integers(0, len(text) - 1), label="from")
    length = data.draw(st.one_of(st.integers(0, 30), st.just(len(text))), label="cut")
    bit = data.draw(st.sampled_from(BITS), label="put")
    other = data.draw(st.sampled_from([*READERS]), label="foreign")
    changed = text[:start] + bit + text[start + length :] if other == name else READERS[other][0]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "given.txt"
        path.write_text(changed, encoding="utf-8")
        parts = faults_of(read, path)
    for part in parts:
        assert part.position is not None, part.message
        assert part.position.file.endswith("given.txt")
        assert part.message
        assert "Error(" not in part.message
        assert "object at 0x" not in part.message


@pytest.mark.parametrize("name", READERS)
def test_each_value_replaced_by_another_type_is_told(name, tmp_path):
    """Each scalar after a colon or in a cell, one after the other, becomes a list, a mapping, and nothing."""
    text, read = READERS[name]
    lines = text.splitlines()
    path = tmp_path / "given.txt"
    for at, line in list(enumerate(lines))[:60]:
        for bit in ("[1, [2]]", "{a: {b: c}}", ""):
            head, sign, _value = line.partition(": ")
            changed = f"{head}{sign}{bit}" if sign else bit
            path.write_text("\n".join([*lines[:at], changed, *lines[at + 1 :]]) + "\n", encoding="utf-8")
            assert all(part.position is not None for part in faults_of(read, path)), (at, bit)


def faults_of(read: Callable[[Path], object], path: Path) -> tuple[SeedtrainError, ...]:
    """What a reader has against a file; anything but an error of ours is let through."""
    try:
        read(path)
    except SeedtrainError as error:
        return error.parts
    return ()


def test_text_that_no_ledger_can_hold_is_no_verdict(tmp_path):
    path = tmp_path / "given.txt"
    path.write_text(VERDICT.replace('"e"', '"\\ud800"'), encoding="utf-8")
    (fault,) = faults_of(verdict, path)
    assert "no text" in fault.message
