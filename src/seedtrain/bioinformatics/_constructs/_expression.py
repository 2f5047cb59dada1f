"""A designed gene in a shipped vector: the plan of the plasmid that expresses it, for hosts that have one."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from seedtrain.base import load
from seedtrain.bioinformatics._constructs._plan import AssemblyPlan, Part
from seedtrain.bioinformatics._constructs._record import DnaRecord, Strand, join, stretch
from seedtrain.bioinformatics._constructs._record import Feature as Annotation
from seedtrain.bioinformatics._gene import Gene
from seedtrain.bioinformatics._hosts import read_host

LONGEST_NAME: Final = 60


def _joined(value: Any) -> Any:
    """Letters over several lines as one word."""
    return "".join(value.split()) if isinstance(value, str) else value


Letters = Annotated[str, BeforeValidator(_joined), Field(pattern="^[ACGT]+$")]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Place(_Entry):
    key: str
    first: int
    last: int
    strand: Strand
    label: str
    product: str = ""
    note: str = ""


class _Piece(_Entry):
    key: str
    label: str
    sequence: Letters


class ExpressionVector(_Entry):
    """A backbone and what stands around a gene in it.

    - `first`, `last`: bases of the backbone that stay, from 1, going round its origin. `front`, `behind`: pieces
      before and after the gene, in order. `needs`: what the strain must bring.
    """

    host: str
    name: str
    backbone: str
    source: str
    first: int
    last: int
    needs: str
    sequence: Letters
    features: tuple[_Place, ...]
    front: tuple[_Piece, ...]
    behind: tuple[_Piece, ...]
    parts_source: str

    @property
    def record(self) -> DnaRecord:
        """The backbone as it is bought, a circle."""
        found = []
        for item in self.features:
            words = {"label": item.label, "product": item.product, "note": item.note}
            qualifiers = {name: (text,) for name, text in words.items() if text}
            found.append(Annotation(item.key, ((item.first, item.last),), item.strand, qualifiers))
        return DnaRecord(self.backbone, self.sequence, True, tuple(found), self.source)


class _File(_Entry):
    vectors: tuple[ExpressionVector, ...]


@cache
def _shipped() -> tuple[ExpressionVector, ...]:
    found, _document = load(Path(__file__).parent / "vectors.yaml", _File, what="list of vectors")
    return found.vectors


def expression_vector(host: str) -> ExpressionVector | None:
    """The shipped vector of a host; none where Seedtrain ships none."""
    return next((item for item in _shipped() if item.host == host), None)


def expression_plan(gene: Gene) -> AssemblyPlan | None:
    """The plan that puts a gene into its host's shipped vector: the cassette synthesised, the backbone by PCR, Gibson.

    None where the host has no shipped vector: write a plan of your own (`design construct`).
    """
    vector = expression_vector(gene.host)
    if vector is None:
        return None
    backbone, cassette = vector.record, _cassette(gene, vector)
    kept = (vector.last - vector.first) % len(backbone) + 1
    return AssemblyPlan(
        name=f"p{gene.name}"[:LONGEST_NAME],
        method="gibson",
        parts=(
            Part(vector.backbone, backbone, vector.first - 1, kept, "+", "pcr", None, ("parts", 0)),
            Part("cassette", cassette, 0, len(cassette), "+", "synthesis", None, ("parts", 1)),
        ),
        description=f"{gene.name} for {gene.organism} in {vector.name}; the strain must bring {vector.needs}",
    )


def _cassette(gene: Gene, vector: ExpressionVector) -> DnaRecord:
    """Promoter to terminator with the gene between, each piece a feature."""
    coding = {
        "label": (gene.name,),
        "product": (f"{gene.name} {gene.product.title}".strip(),),
        "codon_start": ("1",),
        "transl_table": (str(read_host(gene.host).genetic_code),),
        "translation": (gene.encoded,),
    }
    pieces = [stretch(item.key, item.sequence, {"label": (item.label,)}) for item in vector.front]
    pieces.append(stretch("CDS", gene.dna, coding))
    pieces += [stretch(item.key, item.sequence, {"label": (item.label,)}) for item in vector.behind]
    return join("cassette", pieces, circular=False, description=vector.parts_source)
