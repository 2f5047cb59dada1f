"""A user at the command line: one ledger, people with passwords, commands in this process and what they answer."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

from seedtrain.record import _credentials, _ledger
from tests.worked import called

PASSWORD = "{} four quick brown foxes"  # noqa: S105  # filled with the identity's name


class Answer(NamedTuple):
    """Exit code and the JSON document; `words` is everything that was said, for a look at messages."""

    code: int
    data: Any
    words: str


@dataclass
class Journey:
    """`Journey(tmp_path)`. The ledger is `record.db` in that folder, named by SEEDTRAIN_RECORD.

    - `clock`: what the ledger takes for the wall clock; None: the real one. `later(days=1)` moves it.
    """

    folder: Path
    clock: datetime | None = None
    passwords: dict[str, str] = field(default_factory=dict)

    @property
    def record(self) -> Path:
        """The ledger's file."""
        return self.folder / "record.db"

    def later(self, **span: float) -> None:
        """Let time pass on the ledger's clock."""
        self.clock = (self.clock or datetime.now(UTC)) + timedelta(**span)

    def run(self, *words: object, secrets: tuple[str, ...] = ()) -> Answer:
        """`seedtrain WORDS --json`, with secrets through a pipe and never as arguments."""
        with self.surroundings(), _pipe(secrets) as descriptor:
            more = ("--password-fd", descriptor) if secrets else ()
            said = called(*words, *more, "--json")
        document = said.document if said.out.strip() else None
        return Answer(said.code, document, said.out + said.err)

    def said(self, *words: object) -> str:
        """What a command that must end with 0 prints for people."""
        with self.surroundings():
            said = called(*words)
        assert said.code == 0, said.out + said.err
        return said.out

    def signed(self, actor: str, *words: object, code: str | None = None, more: tuple[str, ...] = ()) -> Answer:
        """The same, signed by `actor` with their password (and a one-time code); `more`: secrets after these."""
        secrets = (self.passwords[actor], *((code,) if code else ()), *more)
        return self.run(*words, "--as", actor, secrets=secrets)

    def done(self, actor: str | None, *words: object) -> Any:
        """The document of a command that must end with 0; signed unless `actor` is None."""
        answer = self.run(*words) if actor is None else self.signed(actor, *words)
        assert answer.code == 0, answer.words
        return answer.data

    def enrol(self, name: str, *roles: str, by: str = "person-1", totp: bool = False) -> str:
        """Enrol a person by the command line, the first one as administrator; returns the identity."""
        password = PASSWORD.format(name)
        words = ["person", "enrol", name, *(item for role in roles for item in ("--role", role))]
        words += ["--totp"] if totp else []
        if self.passwords:
            answer = self.signed(by, *words, more=(password, password))
        else:
            answer = self.run(*words, secrets=(password, password))
        assert answer.code == 0, answer.words
        actor = str(answer.data["person"])
        self.passwords[actor] = password
        return actor

    def crew(self, **roles: str) -> dict[str, str]:
        """An administrator, and one person for each word: `crew(author="author", checker="operator")`."""
        people = {} if self.passwords else {"admin": self.enrol("The admin", "administrator")}
        return people | {word: self.enrol(f"The {word}", role) for word, role in roles.items()}

    @contextmanager
    def surroundings(self):
        """Argon2id with little memory: what is tested does not depend on its price."""
        with (
            patch.dict(os.environ, {"SEEDTRAIN_RECORD": str(self.record)}),
            patch.object(_credentials, "MEMORY_KIB", 64),
            patch.object(_ledger, "wall_clock", lambda: self.clock or datetime.now(UTC)),
        ):
            yield


@contextmanager
def _pipe(lines: tuple[str, ...]):
    read, write = os.pipe()
    try:
        os.write(write, "".join(f"{line}\n" for line in lines).encode())
        os.close(write)
        yield read
    finally:
        os.close(read)
