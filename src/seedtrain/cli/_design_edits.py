"""`seedtrain design edits`: a strain design in a genome: knock-outs as deletions, fluxes to raise as new promoters."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Parameter

from seedtrain.base import InputError, Position, write_atomic
from seedtrain.base import translate as _
from seedtrain.cli._common import Common, print_json, shown_progress

if TYPE_CHECKING:
    from seedtrain.bioinformatics import Deletion, PromoterReplacement


def add_to(app: App) -> None:
    """Make `edits` a command of `app`."""
    app.command(edits)


def edits(
    genome: Path,
    *,
    strain: Annotated[Path | None, Parameter(help="What `design strain --json` printed.")] = None,
    design: Annotated[int, Parameter(help="Which of its designs; 0 for no knock-out.")] = 1,
    gene: Annotated[list[str] | None, Parameter(negative="", help="A gene to delete; repeat it.")] = None,
    fluxes: Annotated[int, Parameter(name="--raise", help="So many of its fluxes to raise, the first ones.")] = 0,
    raise_gene: Annotated[list[str] | None, Parameter(negative="", help="A gene to raise; repeat it.")] = None,
    promoter: Annotated[
        str, Parameter(help="In front of genes to raise: J23119, J23100, or letters up to the start codon.")
    ] = "J23119",
    arm: Annotated[int, Parameter(help="Homology on either side, bp.")] = 500,
    nuclease: Annotated[str, Parameter(help="SpCas9, SpCas9-NAG or Cas12a.")] = "SpCas9",
    output: Annotated[Path | None, Parameter(name=["--output", "-o"], help="Folder for the files.")] = None,
    common: Common | None = None,
) -> int:
    """Delete the genes of a strain design and raise its fluxes: guide, homology arms, donor and check primers for each.

    Ends with 0 where every edit passes, 1 where one cannot be made so, 3 where one is in doubt.

    Example: seedtrain design edits genome.gb --strain strain.json --design 1 --raise 2 -o edits

    Parameters
    ----------
    genome
        GenBank of one contig, with locus tags as the model names its genes.
    """
    options = common or Common()
    from seedtrain.base import part, use_language
    from seedtrain.bioinformatics import EditQuestion, check_edits, delete_genes, raise_genes, read_dna
    from seedtrain.quality import Verdict, combine

    away, up = _wanted(strain, design, fluxes)
    away, up = [*(gene or []), *away], [*(raise_gene or []), *up]
    if not away and not up:
        raise InputError("no gene is named", remedy="Give --gene, --raise-gene, or --strain with a design.")
    both = sorted(set(away) & set(up))
    if both:
        raise InputError(f"{', '.join(both)} is to be deleted and raised", remedy="Name it once.")
    asked = EditQuestion(arm=arm, nuclease=nuclease)
    with use_language(options.lang), shown_progress(as_json=options.json) as progress:
        whole, middle = read_dna(genome), 0.5 if away and up else float(bool(away))
        check_edits(whole, away, up, promoter)
        made = delete_genes(whole, away, asked, progress=part(progress, 0.0, middle)) if away else ()
        raised = raise_genes(whole, up, promoter, asked, progress=part(progress, middle, 1.0)) if up else ()
        written = _write(made, raised, output) if output else []
    every: tuple[Deletion | PromoterReplacement, ...] = (*made, *raised)
    word = combine(item.verdict.verdict for item in every)
    if options.json:
        data = {"verdict": word, "deletions": [item.to_data() for item in made]}
        print_json({**data, "raised": [item.to_data() for item in raised], "files": [str(path) for path in written]})
    else:
        with use_language(options.lang):
            _tell(made, raised, written)
    return Verdict(word, tuple(one for item in every for one in item.verdict.criteria)).exit_code


def _wanted(path: Path | None, number: int, fluxes: int) -> tuple[list[str], list[str]]:
    """Genes whose loss knocks out every reaction of a design, and genes that raise its first fluxes."""
    if path is None:
        if fluxes:
            raise InputError("--raise counts the fluxes of a strain design", remedy="Give --strain, or --raise-gene.")
        return [], []
    from seedtrain.base import read_text
    from seedtrain.bioinformatics import genes_to_delete, genes_to_raise

    where = Position(str(path))
    try:
        data: Any = json.loads(read_text(path, what="strain design"))
        designs = [list(zip(map(str, item["names"]), map(str, item["rules"]), strict=True)) for item in data["designs"]]
        targets = [(str(item["reaction"]), str(item["rule"])) for item in data.get("targets", [])]
    except (ValueError, KeyError, TypeError, AttributeError):
        raise InputError(
            "this is no strain design", position=where, remedy="Give what `seedtrain design strain --json` printed."
        ) from None
    if not 0 <= number <= len(designs):
        raise InputError(f"there is no design {number}", position=where, remedy=f"Give 0 to {len(designs)}.")
    if not 0 <= fluxes <= len(targets):
        words = f"{fluxes} fluxes to raise, and the design tells {len(targets)}"
        raise InputError(words, position=where, remedy=f"Give 0 to {len(targets)}.")
    lost = designs[number - 1] if number else []
    away = [one for name, rule in lost for one in (genes_to_delete(rule) if rule else (name,))]
    up = [one for name, rule in targets[:fluxes] for one in (genes_to_raise(rule) if rule else (name,))]
    return list(dict.fromkeys(away)), list(dict.fromkeys(up))


def _write(made: tuple[Deletion, ...], raised: tuple[PromoterReplacement, ...], output: Path) -> list[Path]:
    """For each gene the donor and the edited locus; all oligonucleotides in one table."""
    import csv
    import io

    from seedtrain.bioinformatics import dna_genbank, sbol3

    table = io.StringIO()
    rows = csv.writer(table, lineterminator="\n")
    rows.writerow(["gene", "what", "sequence", "melting_C", "wild_type_bp", "edited_bp"])
    files: dict[str, str] = {}
    every: tuple[Deletion | PromoterReplacement, ...] = (*made, *raised)
    for item in every:
        stem = item.gene if item in made else f"{item.gene}_raised"
        if item.guide:
            rows.writerow([item.gene, "guide", item.guide.sequence, "", "", ""])
        for primer in item.check:
            rows.writerow([item.gene, primer.name, primer.sequence, f"{primer.melting:.1f}", item.wild, item.edited])
        files[f"{stem}_donor.gb"] = dna_genbank(item.donor)
        files[f"{stem}_donor.nt"] = sbol3(item.donor)
        files[f"{stem}_edited.gb"] = dna_genbank(item.locus)
    for one in raised:
        primer = one.junction
        rows.writerow([one.gene, primer.name, primer.sequence, f"{primer.melting:.1f}", 0, one.junction_bp])
    files["oligonucleotides.csv"] = table.getvalue()
    for name, text in files.items():
        write_atomic(output / name, text)
    return [output / name for name in files]


def _tell(made: tuple[Deletion, ...], raised: tuple[PromoterReplacement, ...], written: list[Path]) -> None:
    from seedtrain.bioinformatics import deletion_words, raising_words
    from seedtrain.quality import verdict_words

    for item in made:
        head = _("{gene}: bases {first} to {last} go, {verdict}")
        print(
            head.format(gene=item.gene, first=item.first, last=item.last, verdict=verdict_words(item.verdict.verdict))
        )
        _tell_one(item, deletion_words)
    for one in raised:
        head = _("{gene}: {promoter} in place of {count} bases in front of it, {verdict}")
        verdict = verdict_words(one.verdict.verdict)
        print(head.format(gene=one.gene, promoter=one.promoter.name, count=one.replaced, verdict=verdict))
        _tell_one(one, raising_words)
        words = _("with {primer} {sequence}: {size} bp in the edited strain alone")
        print("  " + words.format(primer=one.junction.name, sequence=one.junction.sequence, size=one.junction_bp))
    for path in written:
        print(path)


def _tell_one(item: Deletion | PromoterReplacement, words_of: Callable[[str], str]) -> None:
    """Criteria and check primers of one edit."""
    from seedtrain.bioinformatics import criterion_line

    for one in item.verdict.criteria:
        print(criterion_line(one, words_of(one.name)))
    words = _("check products: {wild} bp before, {edited} bp after")
    print("  " + words.format(wild=item.wild, edited=item.edited))
    for primer in item.check:
        print(f"  {primer.name}  {primer.sequence}  {primer.melting:.1f} °C")
