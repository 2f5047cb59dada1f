"""`seedtrain bench fit`: estimation, measured."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from seedtrain.cli._bench_rows import tell_rows
from seedtrain.cli._common import Common, shown_progress


def fit(
    *,
    quick: Annotated[bool, Parameter(negative="", help="Little work: a check that it runs, no measurement.")] = False,
    peer_python: Annotated[str | None, Parameter(help="A Python that has pypesto, amici and fides.")] = None,
    output: Annotated[Path | None, Parameter(name=["--output", "-o"], help="Write the rows as JSON.")] = None,
    common: Common | None = None,
) -> int:
    """A published problem beside pyPESTO with AMICI, twelve parameters of six fed batches, and how intervals cover.

    Example: seedtrain bench fit -o bench.json
    """
    options = common or Common()
    from seedtrain.development import bench_fit

    with shown_progress(as_json=options.json) as progress:
        rows = bench_fit(quick=quick, peer_python=peer_python, progress=progress)
    return tell_rows(rows, options, output)
