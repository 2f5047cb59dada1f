"""How long work tells where it is, without knowing who listens."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[float, str], None]
"""Called with the part done, 0 to 1, and a few words."""


def silent(done: float, words: str) -> None:
    """A `Progress` that tells nobody."""


def part(progress: Progress, start: float, end: float) -> Progress:
    """A `Progress` for one part of a longer piece of work, from `start` to `end` of it."""

    def report(done: float, words: str) -> None:
        progress(start + (end - start) * min(max(done, 0.0), 1.0), words)

    return report
