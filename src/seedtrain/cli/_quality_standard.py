"""`seedtrain quality specification` and `method`: approved, versioned documents."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import App, Parameter

from seedtrain.cli._common import Common
from seedtrain.cli._quality_shared import listed, signed
from seedtrain.cli._quality_words import Names, standard_words
from seedtrain.cli._signing import RecordUrl, Signer

if TYPE_CHECKING:
    from seedtrain.gmp import Standard
    from seedtrain.record import Ledger

specification = App(name="specification", help="Specifications as approved versions.")
method = App(name="method", help="Test methods as approved versions.")
Kind = Literal["specification", "method"]
Change = Annotated[str, Parameter(help="The approved change request, where another version is replaced.")]


@specification.command(name="submit")
def submit_specification(file: Path, *, signer: Signer, record: RecordUrl = None, common: Common | None = None) -> int:
    """Put a version of a specification up for approval.

    Example: seedtrain quality specification submit purity.yaml --as person-6

    Parameters
    ----------
    file
        YAML: specification, version, lines.
    """
    return signed(signer, record, common, _submit("specification", file), _line)


@specification.command(name="approve")
def approve_specification(
    name: str,
    version: str,
    *,
    change: Change = "",
    signer: Signer,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Approve a version of a specification: quality, and not its author.

    Example: seedtrain quality specification approve MEDIUM 2 --change CC-3 --as person-7

    Parameters
    ----------
    name
        Its name.
    version
        The version.
    """
    return signed(signer, record, common, _approve("specification", name, version, change), _line)


@method.command(name="submit")
def submit_method(file: Path, *, signer: Signer, record: RecordUrl = None, common: Common | None = None) -> int:
    """Put a version of a test method up for approval.

    Example: seedtrain quality method submit rfc.yaml --as person-6

    Parameters
    ----------
    file
        YAML: method, version, title, procedure, suitability, instrument.
    """
    return signed(signer, record, common, _submit("method", file), _line)


@method.command(name="approve")
def approve_method(
    name: str,
    version: str,
    *,
    change: Change = "",
    signer: Signer,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Approve a version of a test method: quality, and not its author.

    Example: seedtrain quality method approve rFC 1 --as person-7

    Parameters
    ----------
    name
        Its name.
    version
        The version.
    """
    return signed(signer, record, common, _approve("method", name, version, change), _line)


def _submit(kind: Kind, file: Path) -> Callable[..., Standard]:
    from seedtrain.base import read_text
    from seedtrain.gmp import submit_standard

    text = read_text(file, what=kind)
    return lambda ledger, actor: submit_standard(ledger, kind, text, actor, file=str(file))


def _approve(kind: Kind, name: str, version: str, change: str) -> Callable[..., Standard]:
    from seedtrain.gmp import approve_standard

    return lambda ledger, actor: approve_standard(
        ledger,
        kind,
        name,
        version,
        actor,
        change=change,
    )


@specification.command(name="list")
def list_specifications(*, record: RecordUrl = None, common: Common | None = None) -> int:
    """Every version of every specification.

    Example: seedtrain quality specification list --record record.db
    """
    return _list("specification", record, common)


@method.command(name="list")
def list_methods(*, record: RecordUrl = None, common: Common | None = None) -> int:
    """Every version of every test method.

    Example: seedtrain quality method list --record record.db
    """
    return _list("method", record, common)


def _list(kind: Kind, record: str | None, common: Common | None) -> int:
    from seedtrain.gmp import all_standards

    def read(ledger: Ledger) -> list[Standard]:
        return [item for item in all_standards(ledger) if item.kind == kind]

    def tell(rows: list[Standard], names: Names) -> Iterator[str]:
        return (f"{standard_words(item, names)}  {item.digest[:16]}" for item in rows)

    return listed(record, common, read, tell)


def _line(found: Standard, names: Names) -> list[str]:
    return [standard_words(found, names)]
