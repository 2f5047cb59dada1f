"""Texts with fields, known again where they stand filled in, so that what is stored in English is told in Chinese."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Final

from seedtrain.base._messages import language, use_language

_FIELD: Final = re.compile(r"{(\w+)}")
COUNTS: Final = ("count", "total")
"""Fields that hold whole numbers alone."""
Texts = Callable[[], tuple[str, ...]]


def retold(text: str, texts: Texts, inner: Callable[[str], str]) -> str:
    """English `text` in the language in use; as it stands where none of `texts` fits it.

    - `texts`: gives the translated templates, the more special before the more general; a function at a module's top.
    - `inner`: what a field's own words are in the language in use.
    """
    if language() == "en":
        return text
    for pattern, words in _pairs(language(), texts):
        found = pattern.fullmatch(text)
        if found:
            return words.format(**{field: inner(item) for field, item in found.groupdict().items()})
    return text


@cache
def _pairs(code: str, texts: Texts) -> tuple[tuple[re.Pattern[str], str], ...]:
    """Patterns of the English texts beside those of the language, whose code is part of the cache's key."""
    with use_language("en"):
        english = texts()
    with use_language(code):
        return tuple((_pattern(one), other) for one, other in zip(english, texts(), strict=True))


def _pattern(template: str) -> re.Pattern[str]:
    pieces = _FIELD.split(template)
    parts = [re.escape(piece) if index % 2 == 0 else _field(piece) for index, piece in enumerate(pieces)]
    return re.compile("".join(parts))


def _field(name: str) -> str:
    return f"(?P<{name}>[0-9]+)" if name in COUNTS else f"(?P<{name}>.+?)"
