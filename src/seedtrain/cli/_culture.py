"""`seedtrain culture`: the cultures that come with Seedtrain, what is in one, and whether one's own file is sound."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cyclopts import App

from seedtrain.base import EXIT_DONE
from seedtrain.base import translate as _
from seedtrain.cli._common import Common, print_json

if TYPE_CHECKING:
    from seedtrain.simulation import Culture

in_words = _  # of words that a culture file carries; the room of the culture translates them

app = App(name="culture", help="The cultures that come with Seedtrain, what is in one, and checks of one's own.")


@app.command(name="list")
def list_cultures(*, common: Common | None = None) -> int:
    """Every shipped culture with its status: verified, unverified, or a published form kept for reproduction.

    Example: seedtrain culture list
    """
    options = common or Common()
    from seedtrain.base import use_language
    from seedtrain.simulation import read_culture, shipped_cultures

    found = [read_culture(name) for name in shipped_cultures()]
    if options.json:
        keys = ("name", "title", "status", "design", "source")
        print_json([{key: getattr(culture, key) for key in keys} for culture in found])
        return EXIT_DONE
    with use_language(options.lang):
        _print_table([(culture.name, _status(culture), culture.title) for culture in found])
    return EXIT_DONE


@app.command
def show(culture: str, *, common: Common | None = None) -> int:
    """Species, parameters with ranges and sources, expressions and conversions of one culture.

    Example: seedtrain culture show ecoli_balanced

    Parameters
    ----------
    culture
        A shipped culture's name or a culture file.
    """
    options = common or Common()
    from seedtrain.base import use_language
    from seedtrain.simulation import read_culture

    found = read_culture(culture)
    if options.json:
        print_json(found.to_data())
        return EXIT_DONE
    with use_language(options.lang):
        print(f"{found.name}: {found.title}\n{_status(found)}\n{found.source}")
        for heading, rows in _sections(found):
            if rows:
                print(f"\n{heading}")
                _print_table(rows)
    return EXIT_DONE


@app.command
def check(culture: Path, *, common: Common | None = None) -> int:
    """Read a culture file: every fault of names, units, ranges and balances at once, each with file, line and column.

    Example: seedtrain culture check my_strain.yaml

    Parameters
    ----------
    culture
        The culture file.
    """
    options = common or Common()
    from seedtrain.base import use_language
    from seedtrain.simulation import read_culture

    found = read_culture(culture)
    if options.json:
        print_json({"file": str(culture), **found.to_data()})
        return EXIT_DONE
    with use_language(options.lang):
        counts = _("{species} species, {parameters} parameters, {conversions} conversions that close").format(
            species=len(found.species), parameters=len(found.parameters), conversions=len(found.conversions)
        )
        print(f"{culture}: {found.name}, {counts}")
        print(_status(found))
    return EXIT_DONE


def _sections(culture: Culture) -> Iterator[tuple[str, Sequence[tuple[str, ...]]]]:
    parameters = [
        (
            p.name,
            f"{p.value:g} {p.unit}",
            f"{p.low:g} .. {p.high:g}" if p.low < p.high else "",
            in_words(p.status),
            p.source,
        )
        for p in culture.parameters.values()
    ]
    expressions = [(name, culture.units[name], text.text) for name, text in culture.expressions.items()]
    conversions = [
        (item.name, in_words(item.words), ", ".join(f"{a:+.4g} {s}" for s, a in culture.amounts(item).items()))
        for item in culture.conversions
    ]
    yield _("Species"), [(name, item.unit, in_words(item.words)) for name, item in culture.species.items()]
    yield _("Parameters"), parameters
    yield _("Expressions"), expressions
    yield _("Conversions"), conversions
    yield _("Net rates, as published"), [(name, text.text) for name, text in culture.rates.items()]
    trained = [
        (rate, symbol, f"{low:g} .. {high:g} {culture.units[symbol]}".rstrip())
        for rate, ranges in culture.trained.items()
        for symbol, (low, high) in ranges.items()
    ]
    yield _("Learned from data that showed"), trained


def _status(culture: Culture) -> str:
    words = {
        "verified": _("verified by its file: compared with published numbers, see docs/validation.md"),
        "unverified": _("unverified: its original could not be checked, or has no number to reproduce"),
        "reproduction": _("reproduction: as published, closes no balance, designs nothing"),
    }
    return words[culture.status]


def _print_table(rows: Sequence[tuple[str, ...]]) -> None:
    widths = [max(_width(row[i]) for row in rows) for i in range(len(rows[0]) - 1)]
    for row in rows:
        cells = [cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=False)]
        print("  ".join([*cells, row[-1]]).rstrip())


def _width(words: str) -> int:
    """Columns on a terminal: a Chinese character takes two."""
    from unicodedata import east_asian_width

    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in words)
