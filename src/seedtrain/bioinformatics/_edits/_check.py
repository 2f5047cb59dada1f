"""Every fault of a wish for edits at once, before the genome is indexed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from seedtrain.base import SeedtrainError, collect
from seedtrain.bioinformatics._constructs import DnaRecord
from seedtrain.bioinformatics._edits._deletion import SHORTEST_GENE
from seedtrain.bioinformatics._edits._locus import genes_of
from seedtrain.bioinformatics._edits._promoter import promoter


def check_edits(genome: DnaRecord, deleted: Sequence[str], raised: Sequence[str], with_promoter: str) -> None:
    """Raises `InputErrors` with every gene that is not there or too short to delete, and a promoter that is none."""
    wishes: list[Callable[[], object]] = [
        lambda: genes_of(genome, deleted, SHORTEST_GENE),
        lambda: genes_of(genome, raised),
        lambda: promoter(with_promoter),
    ]
    faults: list[SeedtrainError] = []
    for wish in wishes:
        try:
            wish()
        except SeedtrainError as error:
            faults += error.parts
    collect(faults)
