"""One criterion of a comparison: judged once, put into words whenever somebody asks, in the language in use then."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from seedtrain.base import translate as _
from seedtrain.comparison._reason import here
from seedtrain.quality import Criterion, VerdictWord

Words = Callable[[], str]


@dataclass(frozen=True)
class Judged:
    """What was judged: `name`, `value` and `limit` are made when they are asked for, so that one judgement reads in
    any language and the machine's copy always in one.

    - `why`: the reason where there is no value to judge. - `note`: what stands beside a value as evidence.
    """

    name: Words
    limit: Words
    verdict: VerdictWord
    value: Words | None = None
    interval: tuple[str, str] | None = None
    why: str = ""
    note: str = ""

    def criterion(self) -> Criterion:
        """The criterion in the language in use; without its value where there is a reason why."""
        value = None if self.why or self.value is None else self.value()
        return Criterion(self.name(), value, None if self.why else self.interval, self.limit(), None, self.verdict)

    def evidence(self) -> str:
        """The reason or the note after the criterion's name; empty where there is none."""
        told = here(self.why or self.note)
        return f"{self.name()}: {told}" if told else ""


def within(margin: str) -> str:
    """A limit on both sides, in words."""
    return _("within {margin}").format(margin=margin.rstrip())
