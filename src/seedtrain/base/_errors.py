"""The one small tree of expected failures, and the exit codes of the command line's contract."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

EXIT_DONE: Final = 0
EXIT_FAIL: Final = 1
EXIT_BAD_INPUT: Final = 2
EXIT_INCONCLUSIVE: Final = 3
EXIT_UNAVAILABLE: Final = 4


@dataclass(frozen=True)
class Position:
    """A place in a text file; `line` and `column` count from 1, 0 means unknown."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        if not self.line:
            return self.file
        return f"{self.file}:{self.line}:{self.column}"


class SeedtrainError(Exception):
    """An expected failure that a user can act on; anything else is a bug and is let through.

    - `message`: what was wrong, with the value and its limit where there is one.
    - `position`: where the value came from.
    - `remedy`: what to do next, one imperative sentence.
    - `excerpt`: the offending line with a caret, where there is one.
    """

    exit_code: ClassVar[int] = EXIT_BAD_INPUT

    def __init__(self, message: str, *, position: Position | None = None, remedy: str = "", excerpt: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.position = position
        self.remedy = remedy
        self.excerpt = excerpt

    def __str__(self) -> str:
        text = f"{self.position}: {self.message}" if self.position else self.message
        if self.remedy:
            text += f"\n  remedy: {self.remedy}"
        if self.excerpt:
            text += f"\n{self.excerpt}"
        return text

    @property
    def in_one_line(self) -> str:
        """The message and, where there is one, what to do about it."""
        return f"{self.message}. {self.remedy}" if self.remedy else self.message

    @property
    def parts(self) -> tuple[SeedtrainError, ...]:
        """The single failures of this one."""
        return (self,)


class InputError(SeedtrainError):
    """A file, an option or a value that the user gave cannot be used."""


class InputErrors(InputError):
    """Several failures of one input, all found in one reading."""

    def __init__(self, errors: tuple[SeedtrainError, ...]) -> None:
        assert errors
        super().__init__(errors[0].message, position=errors[0].position, remedy=errors[0].remedy)
        self._errors = errors

    def __str__(self) -> str:
        return "\n".join(str(error) for error in self._errors)

    @property
    def parts(self) -> tuple[SeedtrainError, ...]:
        return self._errors


class UnavailableError(SeedtrainError):
    """A disk, network or server failed; the same command may work later."""

    exit_code: ClassVar[int] = EXIT_UNAVAILABLE


class IntegrityError(SeedtrainError):
    """Stored data is not what was written: a digest, a chain or a signature does not hold."""

    exit_code: ClassVar[int] = EXIT_FAIL
