"""`seedtrain quality specification` and `method`: approved, versioned documents."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from seedtrain.base import EXIT_DONE
from seedtrain.cli._common import Common, print_json
from seedtrain.cli._quality_shared import plain, signed
from seedtrain.cli._signing import RecordUrl, Signer, open_record

if TYPE_CHECKING:
    from seedtrain.gmp import Standard

specification = App(name="specification", help="Specifications as approved versions.")
method = App(name="method", help="Test methods as approved versions.")
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
    return signed(signer, record, common, _submit("specification", file))


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
    return signed(signer, record, common, _approve("specification", name, version, change))


@method.command(name="submit")
def submit_method(file: Path, *, signer: Signer, record: RecordUrl = None, common: Common | None = None) -> int:
    """Put a version of a test method up for approval.

    Example: seedtrain quality method submit rfc.yaml --as person-6

    Parameters
    ----------
    file
        YAML: method, version, title, procedure, suitability, instrument.
    """
    return signed(signer, record, common, _submit("method", file))


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
    return signed(signer, record, common, _approve("method", name, version, change))


def _submit(kind: str, file: Path) -> Callable[..., Standard]:
    from seedtrain.base import read_text
    from seedtrain.gmp import submit_standard

    text = read_text(file, what=kind)
    return lambda ledger, actor: submit_standard(ledger, kind, text, actor, file=str(file))  # type: ignore[arg-type]


def _approve(kind: str, name: str, version: str, change: str) -> Callable[..., Standard]:
    from seedtrain.gmp import approve_standard

    return lambda ledger, actor: approve_standard(
        ledger,
        kind,  # type: ignore[arg-type]
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
    return _list("specification", record, common or Common())


@method.command(name="list")
def list_methods(*, record: RecordUrl = None, common: Common | None = None) -> int:
    """Every version of every test method.

    Example: seedtrain quality method list --record record.db
    """
    return _list("method", record, common or Common())


def _list(kind: str, record: str | None, options: Common) -> int:
    from seedtrain.gmp import all_standards

    with open_record(record, read_only=True) as ledger:
        rows = [item for item in all_standards(ledger) if item.kind == kind]
    if options.json:
        print_json([plain(item) for item in rows])
        return EXIT_DONE
    for item in rows:
        state = f"approved by {item.approver}" if item.approver else "draft"
        print(f"{item.name:<24} {item.version:<8} {state:<24} {item.digest[:16]}")
    return EXIT_DONE
