"""Every site, strand, place, bulge and number of mismatches as Cas-OFFinder 3.0.0 finds them."""

from __future__ import annotations

import shutil

from seedtrain.bioinformatics import build_genome_index
from tests.bioinformatics_guides.cas_offinder import (
    COUNTED,
    SETS,
    counted,
    digest,
    drawn_genome,
    drawn_guides,
    golden_counts,
    golden_origin,
    golden_sites,
    our_sites,
    their_sites,
    write_fasta,
)
from tests.bioinformatics_guides.test_search import MG1655, needs_mg1655


def test_every_site_of_a_drawn_genome_on_three_contigs_with_n_and_lower_case(tmp_path):
    """Golden sites; where a `cas-offinder` is on the PATH, what it finds now as well."""
    genome, guides_of = drawn_genome()
    assert digest(genome.items()) == golden_origin()["drawn_genome"], "another genome was drawn than the judge searched"
    (place := tmp_path / "fasta").mkdir()
    fasta = write_fasta(place / "drawn.fa", genome)
    index = build_genome_index(fasta, tmp_path / "index", sorted(set(SETS.values())))
    golden, program = golden_sites(), shutil.which("cas-offinder")
    kinds = {(site[2], site[4], site[5]) for sites in golden.values() for site in sites}
    assert {(strand, kind) for strand, kind, _many in kinds} == {(s, k) for s in "+-" for k in ("", "DNA", "RNA")}
    for pam, guides in guides_of.items():
        assert our_sites(index, guides, pam) == sorted(golden[pam])
        if program:
            assert their_sites(program, fasta, genome, guides, pam) == sorted(golden[pam])


@needs_mg1655
def test_a_hundred_guides_on_mg1655_at_each_pam(tmp_path):
    """Counts of every guide by bulge and mismatches, and the digest of all sites; a run of theirs takes minutes."""
    index = build_genome_index(MG1655, tmp_path / "index", sorted(set(SETS.values())))
    origin, golden = golden_origin(), golden_counts()
    assert index.digest == origin["genome"]
    text = index.sequence(0, 0, index.length)
    for pam in SETS:
        guides = drawn_guides(text, pam)
        assert digest(guides) == origin["guides"][pam], "other guides were drawn than the judge searched"
        sites = our_sites(index, guides, pam)
        counts = counted(sites, len(guides))
        assert counts == golden[pam]
        assert digest(sites) == origin["sites"][pam]
        print(pam, dict(zip(COUNTED, [sum(column) for column in zip(*counts, strict=True)], strict=True)))
