"""The table of symbols and the registry say the same."""

import re
from pathlib import Path

import pytest

from seedtrain.quantity import QuantityError, dimension_words, parse

TEXT = (Path(__file__).parents[2] / "docs" / "symbols.md").read_text("utf-8")
ROWS = re.findall(r"^\| `(\w+)` \| (.+?) \| (.*?) \| (.+?) \|$", TEXT, re.MULTILINE)


def test_every_unit_of_the_table_is_known_in_its_normal_spelling():
    assert len(ROWS) > 40
    for symbol, _meaning, unit, _source in ROWS:
        assert parse(f"1 {unit.strip()}").unit == unit.strip(), symbol
        assert dimension_words(unit.strip())


def test_every_symbol_stands_once_and_every_cited_source_is_listed():
    symbols = [row[0] for row in ROWS]
    assert len(symbols) == len(set(symbols))
    listed = TEXT.split("## Sources")[1]
    for *_rest, source in ROWS:
        author = re.match(r"(?:IUPAC: )?((?:van 't )?\w[\w-]+).*\b(\d{4})", source)
        if author and not source.startswith("ISO"):
            assert re.search(rf"{author[1]}\b.*{author[2]}", listed), source


def test_what_the_table_says_is_refused_is_refused():
    refused = re.search(r"Refused, with what to write instead: (.*?)money", TEXT, re.DOTALL)
    assert refused is not None
    for unit in re.findall(r"`([^`]+)`", refused[1]):
        with pytest.raises(QuantityError, match="ambiguous"):
            parse(f"1 {unit}")
