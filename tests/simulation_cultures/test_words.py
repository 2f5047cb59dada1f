"""What a culture calls its species and conversions exists in Chinese, as both are shown to people."""

from __future__ import annotations

import pytest

from seedtrain.base import translate, use_language
from seedtrain.simulation import read_culture, shipped_cultures


@pytest.mark.parametrize("name", shipped_cultures())
def test_words_of_a_shipped_culture_are_translated(name):
    culture = read_culture(name)
    words = {item.words for item in culture.species.values()} | {item.words for item in culture.conversions}
    with use_language("zh"):
        missing = sorted(item for item in words if item and not item.isupper() and translate(item) == item)
    assert not missing
