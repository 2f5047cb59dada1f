"""What people read, in two languages: English in the code, Simplified Chinese in each room's `locale/zh.po`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import Final

from seedtrain.base._errors import InputError

LANGUAGES: Final = ("en", "zh")
_language: ContextVar[str] = ContextVar("seedtrain_language", default="en")


def language() -> str:
    """The language in which `translate` answers now."""
    return _language.get()


@contextmanager
def use_language(code: str) -> Iterator[None]:
    """Answer in `code` (`en` or `zh`) inside the block; raises `InputError` for another."""
    if code not in LANGUAGES:
        raise InputError(f"there is no language {code!r}", remedy=f"Use one of: {', '.join(LANGUAGES)}.")
    token = _language.set(code)
    try:
        yield
    finally:
        _language.reset(token)


def translate(message: str) -> str:
    """`message` in the language in use; English stands where a catalogue lacks it."""
    if _language.get() == "en":
        return message
    return _catalogue(_language.get()).get(message, message)


@cache
def _catalogue(code: str) -> dict[str, str]:
    from babel.messages.pofile import read_po

    messages: dict[str, str] = {}
    for path in sorted(Path(__file__).parents[1].glob(f"*/locale/{code}.po")):
        with path.open("rb") as stream:
            for entry in read_po(stream, locale=code):
                if entry.id and entry.string:
                    messages[str(entry.id)] = str(entry.string)
    return messages
