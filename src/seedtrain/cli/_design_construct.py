"""`seedtrain design construct`: an assembly plan to primers, fragments, simulated cloning and the annotated product."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from seedtrain.base import translate as _
from seedtrain.cli._common import Common, print_json, shown_progress

if TYPE_CHECKING:
    from seedtrain.bioinformatics import Construct


def add_to(app: App) -> None:
    """Make `construct` a command of `app`."""
    app.command(construct)


def construct(
    plan: Path,
    *,
    output: Annotated[Path | None, Parameter(name=["--output", "-o"], help="Folder for the files.")] = None,
    common: Common | None = None,
) -> int:
    """Plan an assembly (Gibson, Golden Gate, restriction cloning), simulate its cloning, and write what to order.

    Writes GenBank, SBOL 3, FASTA, the map, primers, fragments and a page. Ends with 0 where the cloning gives the
    product and nothing else, 1 where it does not, 3 where something is in doubt.

    Example: seedtrain design construct plan.yaml -o pDemo

    Parameters
    ----------
    plan
        A YAML file: parts, their files beside it, and how they are joined.
    """
    options = common or Common()
    from seedtrain.base import use_language
    from seedtrain.bioinformatics import design_construct, read_plan

    with use_language(options.lang), shown_progress(as_json=options.json) as progress:
        made = design_construct(read_plan(plan), progress=progress)
        files = construct_files(made) if output is not None else {}
        written = write_files(output, files) if output is not None else []
    if options.json:
        print_json({**made.to_data(), "files": [str(path) for path in written]})
    else:
        with use_language(options.lang):
            tell_construct(made)
            for path in written:
                print(path)
    return made.verdict.exit_code


def construct_files(made: Construct) -> dict[str, str]:
    """Every file by its name, made before the first is written."""
    import csv
    import io

    from seedtrain.bioinformatics import construct_page, dna_genbank, fasta, plasmid_map, sbol3
    from seedtrain.report import render_html

    primers = io.StringIO()
    rows = csv.writer(primers, lineterminator="\n")
    rows.writerow(["name", "sequence", "melting_C", "hairpin_kcal_mol"])
    rows.writerows([item.name, item.sequence, f"{item.melting:.1f}", f"{item.hairpin:.1f}"] for item in made.primers)
    ordered = [item for item in made.fragments if item.supply == "synthesis"]
    comment = f"Planned by Seedtrain; simulated cloning: {made.verdict.verdict}."
    files = {
        "construct.gb": dna_genbank(made.product, comment),
        "construct.nt": sbol3(made.product),
        "construct.fasta": fasta(made.product),
        "map.svg": plasmid_map(made.product).svg,
        "primers.csv": primers.getvalue(),
        "construct.html": render_html(construct_page(made)),
    }
    if ordered:
        files["fragments.fasta"] = "".join(f">{item.name}\n{item.sequence}\n" for item in ordered)
    return files


def write_files(output: Path, files: dict[str, str]) -> list[Path]:
    """Each file whole or not at all; their paths."""
    from seedtrain.base import write_atomic

    for name, text in files.items():
        write_atomic(output / name, text)
    return [output / name for name in files]


def tell_construct(made: Construct) -> None:
    """Verdict, criteria and primers, for a person."""
    from seedtrain.bioinformatics import construct_words, criterion_line, evidence_words
    from seedtrain.quality import verdict_words

    print(f"{made.plan.name}: {len(made.product)} bp, {verdict_words(made.verdict.verdict)}")
    for item in made.verdict.criteria:
        print(criterion_line(item, construct_words(item.name)))
    if made.overhangs:
        print("  " + _("overhangs") + ": " + " ".join(made.overhangs))
    for primer in made.primers:
        print(f"  {primer.name:<20} {primer.tail.lower()}{primer.annealing}  {primer.melting:.1f} °C")
    for line in made.verdict.evidence:
        print(f"  {evidence_words(line)}")
