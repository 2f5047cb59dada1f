"""The culture files on the reference page are sound files."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.simulation.cases import build_culture

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "culture.md"
FILES = [
    text for text in re.findall(r"^```yaml\n(.*?)^```$", PAGE.read_text("utf-8"), re.M | re.S) if "culture: " in text
]


@pytest.mark.parametrize("text", FILES, ids=lambda text: text.split("\n")[0].removeprefix("culture: "))
def test_an_example_file_is_read_and_closes(text):
    culture = build_culture(text)
    assert culture.design
    for conversion in culture.conversions:
        amounts = culture.amounts(conversion)
        mass = sum(amount * culture.masses[name] for name, amount in amounts.items())
        assert mass + culture.exchange(conversion).mass == pytest.approx(0, abs=1e-12)


def test_the_page_has_both_examples():
    assert len(FILES) == 2
