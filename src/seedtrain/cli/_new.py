"""`seedtrain new`: a program directory for one's own product."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from seedtrain.base import InputError
from seedtrain.base import translate as _
from seedtrain.cli._common import Common, print_json


def new(
    directory: Path,
    *,
    product: Annotated[Path | None, Parameter(help="FASTA file of the product's protein.")] = None,
    sequence: Annotated[str | None, Parameter(help="The protein sequence itself, instead of a file.")] = None,
    bench: Annotated[str | None, Parameter(help="Bench vessel, for instance '1 L'.")] = None,
    pilot: Annotated[str | None, Parameter(help="Pilot vessel, for instance '200 L'.")] = None,
    plant: Annotated[str | None, Parameter(help="Production vessel, for instance '20 m3'.")] = None,
    common: Common | None = None,
) -> int:
    """Make a program directory for one's own product: need, recipe, plant and sequence, ready for `seedtrain run`.

    What is not given as an option is asked for on a terminal. The host is E. coli.

    Example: seedtrain new my-product --product my.fasta --bench '2 L' --pilot '100 L' --plant '5 m3'

    Parameters
    ----------
    directory
        A folder that does not exist yet, or is empty.
    """
    options = common or Common()
    from seedtrain.base import use_language
    from seedtrain.program import new_program

    source = _source(product, sequence, ask=not options.json)
    sizes = {
        "bench": bench or _ask("bench vessel, nominal volume", "1 L", ask=not options.json),
        "pilot": pilot or _ask("pilot vessel, nominal volume", "200 L", ask=not options.json),
        "plant": plant or _ask("production vessel, nominal volume", "20 m3", ask=not options.json),
    }
    files = new_program(directory, source, sizes)
    if options.json:
        print_json({"directory": str(directory), "files": files})
    else:
        with use_language(options.lang):
            print(_("{directory}: wrote {files}").format(directory=directory, files=", ".join(files)))
            print(_("next: edit need.yaml, then: {command}").format(command=f"seedtrain run {directory}"))
            print(_("your own bench runs: campaign.yaml in that folder says how"))
    return 0


def _source(product: Path | None, sequence: str | None, *, ask: bool) -> Path | str:
    if product and sequence:
        raise InputError("--product and --sequence were both given", remedy="Give one of them.")
    if product:
        return product
    if sequence:
        return sequence
    if ask and sys.stdin.isatty():
        answer = input("FASTA file of the product's protein, or its sequence: ").strip()
        if answer:
            return Path(answer) if Path(answer).exists() else answer
    raise InputError("there is no product sequence", remedy="Give --product FILE.fasta or --sequence LETTERS.")


def _ask(what: str, default: str, *, ask: bool) -> str:
    if not (ask and sys.stdin.isatty()):
        return default
    return input(f"{what} [{default}]: ").strip() or default
