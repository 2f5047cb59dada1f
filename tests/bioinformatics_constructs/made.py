"""Plasmids and parts drawn for the tests; nothing in them is real."""

from __future__ import annotations

import random
from pathlib import Path

from seedtrain.bioinformatics import DnaRecord, Feature, dna_genbank

SITES = ("GAATTC", "CTCGAG", "GGTCTC", "GAGACC", "CATATG")


def drawn(size: int, seed: int) -> str:
    """Random DNA without the enzyme sites that the tests use."""
    source = random.Random(seed)
    while True:
        text = "".join(source.choice("ACGT") for _ in range(size))
        if not any(site in text for site in SITES):
            return text


def vector() -> DnaRecord:
    """A circle with an EcoRI and a XhoI site, one feature across its origin and one on the other strand."""
    text = drawn(300, 1) + "GAATTC" + drawn(60, 2) + "CTCGAG" + drawn(1400, 3)
    size = len(text)
    features = (
        Feature("CDS", ((600, 1199),), "-", {"label": ("AmpR",)}),
        Feature("rep_origin", ((1300, 1600),), "+", {"label": ("ori",)}),
        Feature("promoter", ((size - 40, size), (1, 25)), "+", {"label": ("across",)}),
    )
    return DnaRecord("pVec", text, True, features)


INSERT = "ATG" + drawn(240, 4) + "TAA"


def folder_with(tmp_path: Path, plan: str) -> Path:
    """The plan beside its files."""
    (tmp_path / "vector.gb").write_text(dna_genbank(vector()))
    (tmp_path / "insert.fasta").write_text(f">insert\n{INSERT.lower()}\n")
    path = tmp_path / "plan.yaml"
    path.write_text(plan)
    return path


GIBSON = """construct: pGib
method: gibson
parts:
  - {name: backbone, file: vector.gb, from: 373, to: 300}
  - {name: insert, file: insert.fasta}
"""
GOLDEN = f"""construct: pGold
method: golden_gate
enzymes: [BsaI]
parts:
  - {{name: backbone, file: vector.gb, from: 373, to: 300}}
  - {{name: insert, file: insert.fasta, supply: synthesis, strand: '-'}}
  - {{name: third, sequence: {drawn(90, 6)}}}
"""
RESTRICTION = """construct: pRes
method: restriction
enzymes: [EcoRI, XhoI]
parts:
  - {name: backbone, file: vector.gb, supply: digest}
  - {name: insert, file: insert.fasta}
"""
PLANS = {"gibson": GIBSON, "golden_gate": GOLDEN, "restriction": RESTRICTION}
