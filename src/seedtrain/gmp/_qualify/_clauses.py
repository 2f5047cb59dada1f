"""The clauses and what shows each, the words of the checks, and the user's duties: data, in both languages."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final, Literal

from seedtrain.base import language, parse_document
from seedtrain.gmp._documents._places import places

Kind = Literal["tested", "procedural", "user"]
KINDS: Final = ("tested", "procedural", "user")


@dataclass(frozen=True)
class Clause:
    """One clause, abridged.

    - `kind`: tested (the checks show it), procedural (the software helps, a procedure of the user decides), user (the
      user's duty alone). `place`: the section of the printed batch record that shows it, where it asks for one.
    - `checked`: whether the wording was compared with a published text of the rule.
    """

    rule: str
    clause: str
    words: str
    kind: Kind
    tests: tuple[str, ...]
    note: str
    checked: bool
    place: str = ""


@dataclass(frozen=True)
class Rule:
    """A regulation or guideline, and its clauses."""

    name: str
    title: str
    clauses: tuple[Clause, ...]


def rules() -> tuple[Rule, ...]:
    """Every rule, in the language in use."""
    return _rules(language())


def clauses() -> tuple[Clause, ...]:
    """Every clause of every rule."""
    return tuple(clause for rule in rules() for clause in rule.clauses)


def check_words(name: str, tongue: str = "") -> str:
    """What a check shows."""
    return _checks()[name]["zh" if (tongue or language()) == "zh" else "words"]


def duties() -> tuple[str, ...]:
    """What no check of ours can show."""
    key = "zh" if language() == "zh" else "words"
    return tuple(row[key] for row in _read("duties.yaml"))


@cache
def _rules(tongue: str) -> tuple[Rule, ...]:
    return tuple(_rule(row, tongue) for row in _read("clauses.yaml"))


def _rule(row: dict[str, Any], tongue: str) -> Rule:
    chinese = tongue == "zh"
    name, title = row["rule"], row["zh" if chinese else "title"]
    if row.get("places") == "true":
        found = tuple(
            Clause(name, item.clause, item.words, "tested", tuple(row["tests"]), item.note, True, item.section)
            for item in places()
        )
        return Rule(name, title, found)
    return Rule(name, title, tuple(_clause(name, item, chinese) for item in row["clauses"]))


def _clause(rule: str, row: dict[str, Any], chinese: bool) -> Clause:
    assert row["kind"] in KINDS, row
    return Clause(
        rule,
        row["clause"],
        row["zh" if chinese else "words"],
        row["kind"],
        tuple(row.get("tests", ())),
        row.get("note_zh" if chinese else "note", ""),
        row.get("checked", "true") == "true",
    )


@cache
def _checks() -> dict[str, dict[str, str]]:
    return {row["id"]: row for row in _read("checks.yaml")}


@cache
def _read(name: str) -> Any:
    text = files("seedtrain.gmp").joinpath(f"_qualify/{name}").read_text("utf-8")
    return parse_document(text, name).data
