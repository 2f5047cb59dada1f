"""Why nothing can be said, in the language of whoever reads it."""

from __future__ import annotations

from collections.abc import Callable

from seedtrain.base import use_language


class Reason(str):
    """English, as data and verdicts hold it; it keeps `say`, which puts it into the language in use."""

    say: Callable[[], str]

    def __new__(cls, say: Callable[[], str]) -> Reason:
        with use_language("en"):
            found = super().__new__(cls, say())
        found.say = say
        return found


def here(reason: str) -> str:
    """The reason in the language in use."""
    return reason.say() if isinstance(reason, Reason) else reason
