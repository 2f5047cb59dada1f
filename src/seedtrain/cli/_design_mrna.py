"""`seedtrain design gene` and `seedtrain design mrna`: a protein to a coding sequence, and to a messenger."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from seedtrain.base import InputError, write_atomic
from seedtrain.base import translate as _
from seedtrain.cli._common import Common, print_json, shown_progress
from seedtrain.cli._design_construct import construct_files, tell_construct, write_files

if TYPE_CHECKING:
    from seedtrain.bioinformatics import Construct, Gene, Messenger


def add_to(app: App) -> None:
    """Make `gene` and `mrna` commands of `app`."""
    app.command(gene)
    app.command(mrna)


def gene(
    protein: Path,
    *,
    host: Annotated[str, Parameter(help="e_coli, b_subtilis, s_cerevisiae, k_phaffii, cho or human.")] = "e_coli",
    site: Annotated[
        list[str] | None, Parameter(negative="", help="An enzyme without a site in the gene; repeat it.")
    ] = None,
    pattern: Annotated[
        list[str] | None, Parameter(negative="", help="An IUPAC pattern to leave out; repeat it.")
    ] = None,
    seed: Annotated[int, Parameter(help="Another seed, another gene of nearly the same worth.")] = 1,
    genbank: Annotated[Path | None, Parameter(help="Write the gene as GenBank.")] = None,
    plasmid: Annotated[
        Path | None, Parameter(help="Folder for the gene in the host's shipped vector: GenBank, map, what to order.")
    ] = None,
    common: Common | None = None,
) -> int:
    """A gene for a protein in a host, with the checks that it passes; with --plasmid also the plasmid to express it.

    Ends with 0 where it passes, 1 where a limit could not be kept or the cloning fails, 3 where it is in doubt.

    Example: seedtrain design gene product.fasta --host k_phaffii --genbank gene.gb

    Parameters
    ----------
    protein
        A FASTA file of one protein.
    """
    options = common or Common()
    from seedtrain.base import use_language
    from seedtrain.bioinformatics import DEFAULT_SITES, GeneRequirements, design_gene, read_protein
    from seedtrain.bioinformatics import genbank as as_genbank
    from seedtrain.quality import Verdict, combine

    wanted = GeneRequirements(sites=tuple(site) if site else DEFAULT_SITES, patterns=tuple(pattern or ()))
    with use_language(options.lang), shown_progress(as_json=options.json) as progress:
        made = design_gene(read_protein(protein), host, seed=seed, requirements=wanted, progress=progress)
        built = _plasmid(made) if plasmid else None
        files = construct_files(built) if built else {}
    if genbank:
        write_atomic(genbank, as_genbank(made))
    written = write_files(plasmid, files) if plasmid else []
    if options.json:
        more = {"plasmid": built.to_data(), "files": [str(path) for path in written]} if built else {}
        print_json({**made.to_data(), **more})
    else:
        with use_language(options.lang):
            _tell_gene(made)
            if built:
                print(built.plan.description)
                tell_construct(built)
            for path in written:
                print(path)
    word = combine([made.checks.verdict, *([built.verdict.verdict] if built else [])])
    return Verdict(word, made.checks.criteria).exit_code


def _plasmid(made: Gene) -> Construct:
    """The gene in its host's vector; `InputError` where none ships."""
    from seedtrain.bioinformatics import design_construct, expression_plan

    plan = expression_plan(made)
    if plan is None:
        remedy = "Write a plan with your own vector: seedtrain design construct."
        raise InputError(f"no vector ships for {made.host}", remedy=remedy)
    return design_construct(plan)


def _tell_gene(made: Gene) -> None:
    from seedtrain.bioinformatics import criterion_line, limit_words
    from seedtrain.quality import verdict_words

    print(f"{made.name}: {made.organism}, {len(made.dna)} nt, {verdict_words(made.checks.verdict)}")
    for item in made.checks.criteria:
        print(criterion_line(item, limit_words(item.name)))
    for note in made.notes:
        print(f"  {note}")
    print(made.dna)


def mrna(
    protein: Path,
    *,
    host: Annotated[str, Parameter(help="Whose codons: human, cho, s_cerevisiae ...")] = "human",
    utr5: Annotated[str, Parameter(help="A name, or letters as DNA.")] = "human_alpha_globin",
    utr3: Annotated[str, Parameter(help="A name, or letters as DNA.")] = "human_beta_globin",
    poly_a: Annotated[str, Parameter(help="Length of the tail, or of its stretches.")] = "30+70",
    deplete_uridine: Annotated[bool, Parameter(negative="", help="Prefer codons with less U.")] = False,
    whole: Annotated[bool, Parameter(negative="", help="Fold the whole messenger too (ViennaRNA).")] = False,
    cai_lowest: Annotated[float, Parameter(help="The codons that structure may cost, down to here.")] = 0.8,
    linearise: Annotated[str, Parameter(help="Enzyme that opens the template; none of its sites inside.")] = "SapI",
    seed: Annotated[int, Parameter(help="Another seed, another messenger.")] = 1,
    fold_limit: Annotated[float, Parameter(help="Seconds that ViennaRNA may take for one folding.")] = 300.0,
    output: Annotated[Path | None, Parameter(name=["--output", "-o"], help="Folder for the files.")] = None,
    common: Common | None = None,
) -> int:
    """A messenger RNA for a protein: UTRs, poly-A, and codons traded against structure, with the front of the trade.

    Ends with 0 where it passes, 1 where a limit is missed, 3 where something is in doubt.

    Example: seedtrain design mrna product.fasta --poly-a 30+70 --whole -o messenger

    Parameters
    ----------
    protein
        A FASTA file of one protein.
    """
    options = common or Common()
    from seedtrain.base import use_language
    from seedtrain.bioinformatics import MessengerQuestion, design_mrna, read_protein

    asked = MessengerQuestion(host, utr5, utr3, poly_a, deplete_uridine, whole, cai_lowest, linearise, seed, fold_limit)
    with use_language(options.lang), shown_progress(as_json=options.json) as progress:
        made = design_mrna(read_protein(protein), asked, progress=progress)
        written = _write(made, output) if output else []
    if options.json:
        print_json({**made.to_data(), "files": [str(path) for path in written]})
    else:
        with use_language(options.lang):
            _tell(made, written)
    return made.verdict.exit_code


def _write(made: Messenger, output: Path) -> list[Path]:
    import json

    from seedtrain.bioinformatics import dna_genbank, front_figure
    from seedtrain.report import draw

    files = {
        "messenger.gb": dna_genbank(made.record),
        "messenger.fasta": f">{made.name}\n{made.dna.replace('T', 'U')}\n",
        "front.svg": draw(front_figure(made)).svg,
        "messenger.json": json.dumps(made.to_data(), indent=2) + "\n",
    }
    for name, text in files.items():
        write_atomic(output / name, text)
    return [output / name for name in files]


def _tell(made: Messenger, written: list[Path]) -> None:
    from seedtrain.bioinformatics import criterion_line, messenger_words
    from seedtrain.quality import verdict_words

    print(f"{made.name}: {len(made.dna)} nt, {verdict_words(made.verdict.verdict)}")
    for item in made.verdict.criteria:
        print(criterion_line(item, messenger_words(item.name)))
    print(_("codons against structure, the one that was taken marked with *:"))
    for one in made.candidates:
        mark = "*" if one == made.coding else " "
        whole = "" if one.energy is None else f"  {one.energy:8.1f} kcal/mol"
        cai = "-" if one.cai is None else f"{one.cai:.3f}"
        print(f"  {mark} CAI {cai}  U {100 * one.uridine:4.1f} %  {one.local_energy:6.1f} kcal/mol / 60 nt{whole}")
    for path in written:
        print(path)
