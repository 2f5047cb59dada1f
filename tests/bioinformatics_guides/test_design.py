"""Designs: every guide of a target, its own site told from others, verdicts that follow, files that others read."""

from __future__ import annotations

import io
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedtrain.base import InputError, use_language
from seedtrain.bioinformatics import (
    GuideRequirements,
    build_genome_index,
    design_guides,
    guides_genbank,
    guides_gff3,
    guides_table,
    target_file,
    target_region,
    target_sequence,
)
from tests.bioinformatics_guides.reference import reverse_complement
from tests.bioinformatics_guides.test_search import write

GUIDE = "GATTACAGGCTCAACTGCAT"


def genome_of(seed: int, size: int = 4000) -> str:
    return "".join(random.Random(seed).choices("ACGT", k=size))


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    folder = tmp_path_factory.mktemp("guides")
    text = genome_of(1, 20_000)
    text = text[:5000] + GUIDE + "TGG" + text[5000:]
    return build_genome_index(write(folder, {"chr": text}), folder / "index", ["SpCas9", "Cas12a"])


def guide_of(design, sequence=GUIDE):
    return next(guide for guide in design.guides if guide.sequence == sequence)


@pytest.mark.parametrize(("nuclease", "size", "pam", "cut"), [("SpCas9", 20, 3, 3), ("Cas12a", 23, 4, 18)])
def test_guides_stand_where_they_say_and_cut_in_the_target(index, nuclease, size, pam, cut):
    design = design_guides(index, target_region(index, "chr:4901-5200"), nuclease)
    assert design.guides
    for guide in design.guides:
        assert index.sequence(0, guide.start, guide.end, guide.strand) == guide.sequence
        assert guide.end - guide.start == size
        before = (guide.strand == "+") == (nuclease == "Cas12a")
        motif = (guide.start - pam, guide.start) if before else (guide.end, guide.end + pam)
        assert index.sequence(0, *motif, guide.strand) == guide.pam
        near = guide.end if not before else guide.start
        assert guide.cut == (near + cut if before else near - cut)
        assert 4900 <= guide.cut <= 5200


def test_the_planted_guide_is_clean_and_its_scores_are_those_of_its_place(index):
    design = design_guides(index, target_region(index, "chr:4990-5030"))
    guide = guide_of(design)
    assert guide.start == 5000
    assert guide.specificity is not None
    assert guide.specificity > 0.9
    assert guide.context == index.sequence(0, 4996, 5026)
    assert guide.editing is not None
    assert guide.editing.adenines == (5, 7)
    assert guide.editing.cytosines == (6,)
    assert guide.editing.prime == (5018, 5033)
    data = guide.editing.to_data()
    assert data["adenine_base_editor"] == {"window": [4, 8], "positions": [5, 7], "bystanders": {"5": [7], "7": [5]}}
    assert data["cytosine_base_editor"]["bystanders"] == {"6": []}


def test_prime_editing_rewrites_what_stands_at_the_nick(index):
    """Binding site and template, turned round, are the genome on either side of the nick, on the strand that is cut."""
    design = design_guides(index, target_region(index, "chr:4900-5300"), requirements=GuideRequirements(bulge=False))
    seen = {guide.strand for guide in design.guides}
    assert seen == {"+", "-"}
    for guide in design.guides:
        assert guide.editing is not None
        extension = guide.editing.extension
        assert extension is not None
        low, high = (13, 16) if guide.strand == "+" else (16, 13)
        around = index.sequence(0, guide.cut - low, guide.cut + high, guide.strand)
        assert reverse_complement(extension.binding) + extension.reached == around
        assert guide.sequence.endswith(around[13:16])
        for size in extension.avoided:
            assert reverse_complement(extension.reached[:size]).startswith("C")


def edits(guide):
    found = guide.editing
    return None if found is None else (found.cytosines, found.adenines, found.extension)


@settings(max_examples=15)
@given(st.integers(0, 10**6), st.sampled_from(["SpCas9", "Cas12a", "SpCas9-NAG"]))
def test_a_target_and_its_reverse_complement_get_the_same_guides(tmp_path_factory, seed, nuclease):
    text = genome_of(seed, 700)
    designs = []
    for number, letters in enumerate((text, reverse_complement(text))):
        folder = tmp_path_factory.mktemp(f"turn{number}")
        opened = build_genome_index(write(folder, {"c": letters}), folder / "index", [nuclease])
        designs.append(design_guides(opened, target_region(opened, "c:1-700"), nuclease))
    facts = [
        {
            (g.sequence, g.pam, g.counts, g.bulged_counts, g.specificity, g.activity, g.verdict.verdict, edits(g))
            for g in d.guides
        }
        for d in designs
    ]
    assert facts[0] == facts[1]


def with_other_sites(folder, *others: str):
    text = genome_of(3, 3000)
    parts = [text[:1000], GUIDE, "TGG", text[1000:1500]]
    for other in others:
        parts += [other, text[1500:1600]]
    return build_genome_index(write(folder, {"chr": "".join(parts)}), folder / "index")


def judged(index, **limits):
    design = design_guides(index, target_region(index, "chr:1001-1023"), requirements=GuideRequirements(**limits))
    guide = guide_of(design)
    return guide, {item.name: item for item in guide.verdict.criteria}


def changed(*places: int) -> str:
    letters = list(GUIDE)
    for place in places:
        letters[place] = {"A": "C", "C": "A", "G": "T", "T": "G"}[letters[place]]
    return "".join(letters)


def test_a_second_perfect_site_fails_a_guide(tmp_path):
    guide, criteria = judged(with_other_sites(tmp_path, GUIDE + "CGG"))
    assert (guide.counts[0], criteria["nearest off-target"].verdict, guide.verdict.verdict) == (1, "fail", "fail")
    assert guide.specificity is not None
    assert guide.specificity <= 0.5
    assert guide.off_targets[0].mismatches == 0
    assert any("0 mismatches" in reason for reason in guide.reasons)


def test_a_site_at_nag_counts_as_well(tmp_path):
    guide, criteria = judged(with_other_sites(tmp_path, changed(3) + "CAG"))
    assert (guide.counts[1], criteria["nearest off-target"].value) == (1, 1)
    assert guide.off_targets[0].pam == "CAG"


def test_a_bulged_site_is_told_apart(tmp_path):
    guide, criteria = judged(with_other_sites(tmp_path, GUIDE[:10] + "T" + GUIDE[10:] + "AGG"))
    assert guide.bulged_counts is not None
    assert guide.bulged_counts[0] == 1
    assert sum(guide.counts[:3]) == 0
    assert criteria["nearest off-target"].verdict == "pass"
    assert criteria["nearest bulged off-target"].verdict == guide.verdict.verdict == "fail"


def test_what_was_not_searched_is_never_a_pass(tmp_path):
    clean = with_other_sites(tmp_path)
    assert judged(clean)[0].verdict.verdict == "pass"
    for limits in ({"bulge": False}, {"mismatches": 1}, {"known_share": 1.1}):
        guide, criteria = judged(clean, **limits)
        assert guide.verdict.verdict == "inconclusive", limits
        assert any(item.verdict == "inconclusive" for item in criteria.values())


def test_the_sequence_itself_is_judged(tmp_path):
    clean = with_other_sites(tmp_path)
    assert judged(clean, gc=(0.6, 0.8))[1]["GC"].verdict == "fail"
    assert judged(clean, homopolymer=1)[1]["homopolymer"].verdict == "fail"
    text = genome_of(5, 400) + "GACCTTTTACGGACTGACGATGG" + genome_of(6, 400)
    (tmp_path / "other").mkdir()
    opened = build_genome_index(write(tmp_path / "other", {"chr": text}), tmp_path / "other" / "index")
    for wanted, expected in ((GuideRequirements(), ["fail"]), (GuideRequirements(promoter="bacterial"), [])):
        design = design_guides(opened, target_region(opened, "chr:400-424"), requirements=wanted)
        criteria = guide_of(design, "GACCTTTTACGGACTGACGA").verdict.criteria
        assert [item.verdict for item in criteria if item.name == "Pol III terminators"] == expected


def test_a_target_of_its_own_sequence_is_found_in_the_genome(index, tmp_path):
    letters = index.sequence(0, 4900, 5200)
    region = design_guides(index, target_region(index, "chr:4901-5200"))
    for text in (letters, reverse_complement(letters)):
        path = tmp_path / "target.fa"
        path.write_text(f">mine\n{text.lower()}\n")
        target = target_file(index, path)
        assert (target.contig, target.start, target.length, target.copies) == (0, 4900, 300, 1)
        assert design_guides(index, target).guides == region.guides


def test_a_target_that_the_genome_does_not_hold_has_off_targets_only(index):
    text = genome_of(99, 200)
    design = design_guides(index, target_sequence(index, text[:100] + GUIDE + "TGG" + text[100:]))
    assert design.target.copies == 0
    guide = guide_of(design)
    assert guide.counts[0] == 1
    assert guide.verdict.verdict == "fail"
    assert "off-target" in guides_table(design)


def test_a_target_across_the_origin_of_a_circle(tmp_path):
    text = genome_of(7, 1500)
    turned = text[700:] + text[:700]
    found = []
    for name, letters, place in (("a", text, "c:650-760"), ("b", turned, "c:1451-61")):
        (tmp_path / name).mkdir()
        opened = build_genome_index(write(tmp_path / name, {"c": letters}), tmp_path / name / "index", circular=True)
        design = design_guides(opened, target_region(opened, place))
        found.append({(g.sequence, g.pam, g.counts, g.bulged_counts, g.activity, g.strand) for g in design.guides})
        assert target_sequence(opened, text[649:760]).copies == 1
        guides_genbank(design)
    assert found[0] == found[1]
    assert len(found[0]) > 5


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("chr", "is no region"),
        ("chrX:1-5", "no contig 'chrX'"),
        ("chr:0-5", "not inside"),
        ("chr:50-20", "not inside"),
        ("chr:1-99999999", "not inside"),
    ],
)
def test_regions_that_are_none(index, place, words):
    with pytest.raises(InputError, match=words) as caught:
        target_region(index, place)
    assert caught.value.remedy


def test_target_files_that_are_none(index, tmp_path):
    path = tmp_path / "two.fa"
    path.write_text(">a\nACGT\n>b\nACGT\n")
    with pytest.raises(InputError, match="more than one"):
        target_file(index, path)
    with pytest.raises(InputError, match="written in"):
        target_sequence(index, "MKV")


def test_files_for_others(index):
    """Biopython reads the GenBank record; GFF3 has its nine columns and coordinates from one."""
    from Bio import SeqIO

    design = design_guides(index, target_region(index, "chr:4901-5200"), count=5)
    record = SeqIO.read(io.StringIO(guides_genbank(design)), "genbank")
    labels = {feature.qualifiers["label"][0]: feature for feature in record.features}
    lines = [line.split("\t") for line in guides_gff3(design).splitlines() if not line.startswith("#")]
    assert len(lines) == len(design.guides) == 5
    for guide, line in zip(design.guides, lines, strict=True):
        assert len(line) == 9
        assert (int(line[3]), int(line[4]), line[6]) == (guide.start + 1, guide.end, guide.strand)
        if guide.start >= 4900 and guide.end <= 5200:
            assert str(labels[guide.name].extract(record.seq)) == guide.sequence
    data = design.to_data()
    assert [item["sequence"] for item in data["guides"]] == [guide.sequence for guide in design.guides]
    assert all(item["verdict"]["verdict"] in ("pass", "fail", "inconclusive") for item in data["guides"])


def test_identical_input_gives_identical_answers_and_the_best_come_first(index):
    designs = [design_guides(index, target_region(index, "chr:4000-5200")) for _ in range(2)]
    assert designs[0].to_data() == designs[1].to_data()
    ranks = [("pass", "inconclusive", "fail").index(guide.verdict.verdict) for guide in designs[0].guides]
    assert ranks == sorted(ranks)
    few = design_guides(index, target_region(index, "chr:4000-5200"), count=3)
    assert few.guides == designs[0].guides[:3]
    assert few.candidates == len(designs[0].guides)


def test_the_table_speaks_chinese(index):
    with use_language("zh"):
        design = design_guides(index, target_region(index, "chr:4990-5030"))
        text = guides_table(design)
    assert "mismatches" not in text
    assert "脱靶" in text


def test_a_target_without_a_site_says_so(index):
    text = guides_table(design_guides(index, target_region(index, "chr:1-5"), "Cas12a"))
    assert "No site of Cas12a (TTTV) lies in the target" in text
