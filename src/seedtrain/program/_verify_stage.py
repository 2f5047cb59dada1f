"""The plasmid of the program's gene, and the stage after it: simulated reads of that plasmid, and their verdict.

The stage shows that what was designed can be verified by the reads that a laboratory will get; it measures nothing
real, and everything that it writes says so. Where the host has no shipped vector, the gene itself is read, as a line.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any, Final

from seedtrain.base import Progress
from seedtrain.bioinformatics import (
    Gene,
    Reference,
    clone_page,
    construct_page,
    design_construct,
    dna_genbank,
    expression_plan,
    plasmid_map,
    sbol3,
    simulate_reads,
    verify_clone,
)
from seedtrain.program._engine import Stage, StageOutput, StageResult
from seedtrain.quality import Criterion, Verdict
from seedtrain.report import render_html

Results = Mapping[str, StageResult]
READS: Final = 1000
SEED: Final = 1
PACKAGES: Final = ("mappy", "pyabpoa")


def can_clone() -> bool:
    """Whether cloning can be simulated here."""
    return find_spec("pydna") is not None


def construct_files(gene: Gene, name: str, progress: Progress) -> tuple[dict[str, Any] | None, dict[str, bytes | str]]:
    """The plasmid of a gene as data, and its files by name; nothing for a host without a shipped vector."""
    plan = expression_plan(gene)
    if plan is None:
        return None, {}
    made = design_construct(plan, simulated=can_clone(), progress=progress)
    told = {
        "name": plan.name,
        "description": plan.description,
        "sequence": made.product.sequence,
        "verdict": made.verdict.to_data(),
    }
    return told, {
        f"{name}.gb": dna_genbank(made.product, f"Planned by Seedtrain; cloning: {made.verdict.verdict}."),
        f"{name}.nt": sbol3(made.product),
        f"{name}.svg": plasmid_map(made.product).svg,
        f"{name}.html": render_html(construct_page(made)),
    }


def verify_stage() -> Stage:
    """The stage; without the packages of the group `reads` its verdict is inconclusive, and says why."""
    return Stage("verify", _inputs, _work)


def _inputs(results: Results) -> dict[str, Any]:
    reference = _reference(results)
    told = {"name": reference.name, "digest": reference.digest}
    return {"reference": told, "reads": READS, "seed": SEED, "missing": _missing()}


def _reference(results: Results) -> Reference:
    """The plasmid that the gene stage planned, a circle; the gene where it planned none."""
    data = results["gene"].data
    construct = data.get("construct")
    if construct:
        return Reference(construct["name"], construct["sequence"])
    gene = Gene.from_data(data["gene"])
    return Reference(gene.product.name, gene.dna, circular=False)


def _missing() -> list[str]:
    return [name for name in PACKAGES if find_spec(name) is None]


def _work(results: Results, progress: Progress) -> StageOutput:
    reference, missing = _reference(results), _missing()
    told = {"reference": reference.name, "length": len(reference), "circular": reference.circular, "simulated": True}
    if missing:
        words = f"not installed: {', '.join(missing)} (make reads)"
        verdict = Verdict.of([Criterion("reads of the clone", None, None, None, None, "inconclusive")], [words])
        return StageOutput({"verdict": verdict.to_data(), "reads": 0, **told})
    reads = simulate_reads(reference.sequence, READS, seed=SEED, circular=reference.circular)
    report = verify_clone(reads, reference, progress=progress)
    page = render_html(clone_page(report)).encode()
    return StageOutput({"verdict": report.verdict.to_data(), "reads": READS, **told}, {"verify.html": page})
