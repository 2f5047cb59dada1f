"""The stage after the gene: reads of the program's own gene, simulated, and whether they verify it.

It shows that what was designed can be verified by the reads that a laboratory will get; it measures nothing real, and
everything that it writes says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any, Final

from seedtrain.base import Progress
from seedtrain.bioinformatics import Gene, Reference, clone_page, simulate_reads, verify_clone
from seedtrain.program._engine import Stage, StageOutput, StageResult
from seedtrain.quality import Criterion, Verdict
from seedtrain.report import render_html

Results = Mapping[str, StageResult]
READS: Final = 1200
SEED: Final = 1
PACKAGES: Final = ("mappy", "pyabpoa")


def verify_stage() -> Stage:
    """The stage; without the packages of the group `reads` its verdict is inconclusive, and says why."""
    return Stage("verify", _inputs, _work)


def _inputs(results: Results) -> dict[str, Any]:
    return {"gene": _gene(results).dna, "reads": READS, "seed": SEED, "missing": _missing()}


def _gene(results: Results) -> Gene:
    return Gene.from_data(results["gene"].data["gene"])


def _missing() -> list[str]:
    return [name for name in PACKAGES if find_spec(name) is None]


def _work(results: Results, progress: Progress) -> StageOutput:
    gene, missing = _gene(results), _missing()
    if missing:
        words = f"not installed: {', '.join(missing)} (make reads)"
        verdict = Verdict.of([Criterion("reads of the clone", None, None, None, None, "inconclusive")], [words])
        return StageOutput({"verdict": verdict.to_data(), "reads": 0, "simulated": True})
    reads = simulate_reads(gene.dna, READS, seed=SEED, circular=False)
    report = verify_clone(reads, Reference(gene.product.name, gene.dna, circular=False), progress=progress)
    page = render_html(clone_page(report)).encode()
    data = {"verdict": report.verdict.to_data(), "reads": READS, "simulated": report.simulated}
    return StageOutput(data, {"verify.html": page})
