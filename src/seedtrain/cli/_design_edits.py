"""`seedtrain design edits`: the knock-outs of a strain design as deletions in a genome."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Parameter

from seedtrain.base import InputError, Position, write_atomic
from seedtrain.base import translate as _
from seedtrain.cli._common import Common, print_json, shown_progress

if TYPE_CHECKING:
    from seedtrain.bioinformatics import Deletion


def add_to(app: App) -> None:
    """Make `edits` a command of `app`."""
    app.command(edits)


def edits(
    genome: Path,
    *,
    strain: Annotated[Path | None, Parameter(help="What `design strain --json` printed.")] = None,
    design: Annotated[int, Parameter(help="Which of its designs.")] = 1,
    gene: Annotated[list[str] | None, Parameter(negative="", help="A gene to delete; repeat it.")] = None,
    arm: Annotated[int, Parameter(help="Homology on either side, bp.")] = 500,
    nuclease: Annotated[str, Parameter(help="SpCas9, SpCas9-NAG or Cas12a.")] = "SpCas9",
    output: Annotated[Path | None, Parameter(name=["--output", "-o"], help="Folder for the files.")] = None,
    common: Common | None = None,
) -> int:
    """Delete the genes of a strain design: guide, homology arms, donor and check primers for each.

    Ends with 0 where every deletion passes, 1 where one cannot be made so, 3 where one is in doubt.

    Example: seedtrain design edits genome.gb --strain strain.json --design 1 -o edits

    Parameters
    ----------
    genome
        GenBank of one contig, with locus tags as the model names its genes.
    """
    options = common or Common()
    from seedtrain.base import use_language
    from seedtrain.bioinformatics import DeletionQuestion, delete_genes, read_dna
    from seedtrain.quality import Verdict, combine

    wanted = [*(gene or []), *(_genes_of(strain, design) if strain else [])]
    if not wanted:
        raise InputError("no gene is named", remedy="Give --gene, or --strain with a design.")
    with use_language(options.lang), shown_progress(as_json=options.json) as progress:
        asked = DeletionQuestion(arm=arm, nuclease=nuclease)
        made = delete_genes(read_dna(genome), wanted, asked, progress=progress)
        written = _write(made, output) if output else []
    word = combine(item.verdict.verdict for item in made)
    if options.json:
        data = {"verdict": word, "deletions": [item.to_data() for item in made], "files": [str(x) for x in written]}
        print_json(data)
    else:
        with use_language(options.lang):
            _tell(made, written)
    return Verdict(word, tuple(one for item in made for one in item.verdict.criteria)).exit_code


def _genes_of(path: Path, number: int) -> list[str]:
    """The genes whose loss knocks out every reaction of a design."""
    from seedtrain.base import read_text
    from seedtrain.bioinformatics import genes_to_delete

    where = Position(str(path))
    try:
        data: Any = json.loads(read_text(path, what="strain design"))
        designs = [list(zip(map(str, item["names"]), map(str, item["rules"]), strict=True)) for item in data["designs"]]
    except (ValueError, KeyError, TypeError):
        raise InputError(
            "this is no strain design", position=where, remedy="Give what `seedtrain design strain --json` printed."
        ) from None
    if not 1 <= number <= len(designs):
        raise InputError(f"there is no design {number}", position=where, remedy=f"Give 1 to {len(designs)}.")
    return list(
        dict.fromkeys(one for name, rule in designs[number - 1] for one in (genes_to_delete(rule) if rule else (name,)))
    )


def _write(made: tuple[Deletion, ...], output: Path) -> list[Path]:
    """For each gene the donor and the edited locus; all oligonucleotides in one table."""
    import csv
    import io

    from seedtrain.bioinformatics import dna_genbank, sbol3

    table = io.StringIO()
    rows = csv.writer(table, lineterminator="\n")
    rows.writerow(["gene", "what", "sequence", "melting_C", "wild_type_bp", "edited_bp"])
    files: dict[str, str] = {}
    for item in made:
        if item.guide:
            rows.writerow([item.gene, "guide", item.guide.sequence, "", "", ""])
        for primer in item.check:
            rows.writerow([item.gene, primer.name, primer.sequence, f"{primer.melting:.1f}", item.wild, item.edited])
        files[f"{item.gene}_donor.gb"] = dna_genbank(item.donor)
        files[f"{item.gene}_donor.nt"] = sbol3(item.donor)
        files[f"{item.gene}_edited.gb"] = dna_genbank(item.locus)
    files["oligonucleotides.csv"] = table.getvalue()
    for name, text in files.items():
        write_atomic(output / name, text)
    return [output / name for name in files]


def _tell(made: tuple[Deletion, ...], written: list[Path]) -> None:
    from seedtrain.bioinformatics import deletion_words
    from seedtrain.quality import verdict_words

    for item in made:
        head = _("{gene}: bases {first} to {last} go, {verdict}")
        verdict = verdict_words(item.verdict.verdict)
        print(head.format(gene=item.gene, first=item.first, last=item.last, verdict=verdict))
        for one in item.verdict.criteria:
            print(f"  {verdict_words(one.verdict):<12} {deletion_words(one.name)}: {one.value} ({one.limit})")
        words = _("check products: {wild} bp before, {edited} bp after")
        print("  " + words.format(wild=item.wild, edited=item.edited))
        for primer in item.check:
            print(f"  {primer.name}  {primer.sequence}  {primer.melting:.1f} °C")
    for path in written:
        print(path)
