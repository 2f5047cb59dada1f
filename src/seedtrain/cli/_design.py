"""`seedtrain design`: constructs of DNA and strains, with the checks that they pass."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter

from seedtrain.base import EXIT_DONE, EXIT_FAIL, EXIT_INCONCLUSIVE, InputError, write_atomic
from seedtrain.cli import _design_construct, _design_edits, _design_mrna, _design_strain
from seedtrain.cli._common import Common, print_json, shown_progress

app = App(name="design", help="Design genes, messengers, constructs, guides with their off-targets, and strains.")
_design_mrna.add_to(app)
_design_construct.add_to(app)
_design_strain.add_to(app)
_design_edits.add_to(app)
EXIT_OF = {"pass": EXIT_DONE, "fail": EXIT_FAIL, "inconclusive": EXIT_INCONCLUSIVE}


@app.command
def guides(
    genome: Path,
    target: str,
    *,
    nuclease: Literal["SpCas9", "SpCas9-NAG", "Cas12a"] = "SpCas9",
    count: Annotated[int, Parameter(help="Guides to show, the best.")] = 10,
    mismatches: Annotated[int, Parameter(help="Search other sites up to here, exactly.")] = 4,
    bulge: Annotated[bool, Parameter(help="Search sites beside one bulge as well.")] = True,
    circular: Annotated[bool, Parameter(negative="", help="Every contig is a circle.")] = False,
    promoter: Annotated[Literal["pol_iii", "bacterial"], Parameter(help="What transcribes the guide.")] = "pol_iii",
    index: Annotated[Path | None, Parameter(help="Folder of the index; by default in the cache.")] = None,
    gff3: Annotated[Path | None, Parameter(help="Write GFF3 of the guides.")] = None,
    genbank: Annotated[Path | None, Parameter(help="Write the target with its guides.")] = None,
    common: Common | None = None,
) -> int:
    """Guides that cut in a target, ranked, each with its off-targets in the whole genome and a verdict.

    Ends with 0 where a guide passes, 3 where none does but one is inconclusive, 1 where all fail.

    Example: seedtrain design guides genome.fa chr1:10468-10968 --nuclease Cas12a --gff3 guides.gff3

    Parameters
    ----------
    genome
        FASTA, gzipped or not; indexed at the first use.
    target
        A region such as chr1:10468-10968, or a FASTA file of one sequence.
    """
    options = common or Common()
    from seedtrain.base import part, use_language
    from seedtrain.bioinformatics import (
        GuideRequirements,
        design_guides,
        genome_index,
        guides_genbank,
        guides_gff3,
        guides_table,
        target_file,
        target_region,
    )

    if count < 1:
        raise InputError(f"--count {count}", remedy="Ask for one guide or more.")
    wanted = GuideRequirements(mismatches=mismatches, bulge=bulge, promoter=promoter)
    with use_language(options.lang), shown_progress(as_json=options.json) as progress:
        opened = genome_index(genome, (nuclease,), circular=circular, folder=index, progress=part(progress, 0.0, 0.5))
        place = target_file(opened, Path(target)) if Path(target).is_file() else target_region(opened, target)
        design = design_guides(
            opened, place, nuclease, requirements=wanted, count=count, progress=part(progress, 0.5, 1.0)
        )
    if gff3:
        write_atomic(gff3, guides_gff3(design))
    if genbank:
        write_atomic(genbank, guides_genbank(design))
    if options.json:
        print_json(design.to_data())
    else:
        with use_language(options.lang):
            print(guides_table(design), end="")
    return EXIT_OF[design.verdict]
