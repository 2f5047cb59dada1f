"""One shape for every command on the ledger: sign in, act, and say what came of it, to people or to machines."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from seedtrain.base import EXIT_DONE
from seedtrain.cli._common import Common, print_json
from seedtrain.cli._signing import Secrets, Signer, open_record, signing

if TYPE_CHECKING:
    from seedtrain.quality import Verdict
    from seedtrain.record import Ledger

Found = TypeVar("Found")


def acted(
    signer: Signer,
    record: str | None,
    common: Common | None,
    act: Callable[[Ledger, str], Found],
    tell: Callable[[Found], Iterable[str]],
    *,
    data: Callable[[Found], Any] | None = None,
    code: Callable[[Found], int] = lambda _: EXIT_DONE,
    secrets: Secrets | None = None,
) -> int:
    """Sign in, act, print what came of it, and end with `code` of that.

    - `act`: with the ledger and the identity. `tell`: lines for people, in their language.
    - `data`: for machines, JSON-ready; all fields of what came of it if not given.
    - `secrets`: where the command asks for more than the signature does.
    """
    from seedtrain.base import use_language

    options = common or Common()
    with open_record(record) as ledger, use_language(options.lang):
        with signing(ledger, signer, secrets) as actor:
            found = act(ledger, actor)
        _said(options, found, tell, data)
        return code(found)


def shown(
    record: str | None,
    common: Common | None,
    read: Callable[[Ledger], Found],
    tell: Callable[[Found], Iterable[str]],
    *,
    data: Callable[[Found], Any] | None = None,
    code: Callable[[Found], int] = lambda _: EXIT_DONE,
) -> int:
    """The same for a command that only reads: nobody signs, and the ledger is opened for reading."""
    from seedtrain.base import use_language

    options = common or Common()
    with open_record(record, read_only=True) as ledger, use_language(options.lang):
        found = read(ledger)
        _said(options, found, tell, data)
        return code(found)


def exit_code(verdict: Verdict) -> int:
    """The exit code of a verdict."""
    return verdict.exit_code


def _said(
    options: Common, found: Found, tell: Callable[[Found], Iterable[str]], data: Callable[[Found], Any] | None
) -> None:
    if options.json:
        print_json(plain(found) if data is None else data(found))
    else:
        for line in tell(found):
            print(line)


def plain(value: Any) -> Any:
    """Data of JSON from frozen dataclasses and models."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {item.name: plain(getattr(value, item.name)) for item in dataclasses.fields(value)} | _told(value)
    if hasattr(value, "model_dump"):
        return plain({name: getattr(value, name) for name in type(value).model_fields})
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        rows = [plain(item) for item in value]
        return sorted(rows) if isinstance(value, (set, frozenset)) else rows
    return value if value is None or isinstance(value, (str, int, float, bool)) else str(value)


def _told(value: Any) -> dict[str, Any]:
    """What a case says of itself beside its fields."""
    return {name: plain(getattr(value, name)) for name in ("state", "closed", "lacks", "phase") if hasattr(value, name)}
