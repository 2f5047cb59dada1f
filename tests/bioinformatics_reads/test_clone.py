"""The verdict of a clone: planted differences found, clean samples never failed, too little never a pass."""

import json

import numpy as np
import pytest

from seedtrain.base import InputError
from seedtrain.bioinformatics import CloneLimits, ErrorModel, Reference, limits_from, simulate_reads, verify_clone
from seedtrain.bioinformatics._reads._align import lay_all
from seedtrain.bioinformatics._reads._pile import MOST_CHANGE, pile_up

from .draws import KINDS, clean, mixtures
from .made import clone, deleted, inserted, mixture, plain, planted, quiet, random_dna, snv

REFERENCE = clone()
PLAIN = plain()
KIND_OF = planted(REFERENCE)


def criterion(report, name):
    (found,) = [item for item in report.verdict.criteria if item.name == name]
    return found


@pytest.mark.parametrize("kind", sorted(KIND_OF))
def test_a_difference_in_every_molecule_fails(kind):
    report = verify_clone(simulate_reads(KIND_OF[kind], 150, seed=3), REFERENCE)
    assert report.verdict.verdict == "fail"
    found = criterion(report, "edit distance of the consensus")
    assert found.verdict == "fail"
    assert found.value == sum(edit.distance for edit in report.consensus.edits)


def test_a_dimer_fails_by_its_turns_alone():
    reads = simulate_reads(PLAIN.sequence, 100, seed=3, turns=2) + simulate_reads(PLAIN.sequence, 100, seed=4)
    report = verify_clone(reads, PLAIN)
    failed = [item.name for item in report.verdict.criteria if item.verdict == "fail"]
    assert failed == ["reads around more than once"]
    assert report.multimers == (100, 200)


def test_a_clean_clone_passes_once_there_is_enough_of_it():
    model = ErrorModel(motif_error=0.15)
    report = verify_clone(simulate_reads(PLAIN.sequence, 1200, seed=5, model=model), PLAIN)
    assert report.verdict.verdict == "pass"
    assert report.consensus.edits == ()
    few = verify_clone(simulate_reads(PLAIN.sequence, 100, seed=5, model=model), PLAIN)
    assert few.verdict.verdict == "inconclusive"
    detection = [item.limit_of_detection for item in few.classes]
    assert all(a >= b for a, b in zip(detection, (item.limit_of_detection for item in report.classes), strict=True))


def test_ten_reads_are_never_a_pass_and_reads_of_something_else_fail():
    ten = verify_clone(simulate_reads(PLAIN.sequence, 10, seed=5), PLAIN)
    assert ten.verdict.verdict == "inconclusive"
    other = verify_clone(simulate_reads(random_dna(3000, 123), 60, seed=5), PLAIN)
    assert criterion(other, "bases of something else").verdict == "fail"
    assert {item.verdict for item in other.verdict.criteria} == {"fail", "inconclusive"}


def test_one_in_ten_wrong_molecules_fails_and_clean_ones_do_not():
    for kind, verdicts in mixtures(len(KINDS), reads=900, seed=7).items():
        assert verdicts == ["fail"], kind
    assert "fail" not in clean(4, reads=500, seed=8)


@pytest.mark.slow
def test_one_in_ten_is_found_99_times_of_100_and_no_clean_clone_fails():
    found = [word for words in mixtures(100).values() for word in words]
    assert found.count("fail") >= 99
    assert "fail" not in clean(100)


@pytest.mark.slow
def test_consensus_distances_over_many_draws():
    from .draws import consensus_distances

    assert consensus_distances(50, 15).count(0) > 25
    assert max(consensus_distances(50, 30)) <= 1


def test_the_verdict_does_not_depend_on_the_origin():
    site = quiet(PLAIN, 1200)
    reads = mixture(snv(PLAIN.sequence, site), PLAIN.sequence, 500, 0.2, seed=6)
    text = PLAIN.sequence
    for turn in (0, site - 1, site + 1):
        turned = Reference("t", text[turn:] + text[:turn])
        alleles = [one for item in verify_clone(reads, turned).classes for one in item.alleles]
        assert [one.site for one in alleles] == [(site - turn) % len(text)]
        assert alleles[0].fraction == pytest.approx(0.2, abs=0.03)
        assert alleles[0].interval[0] < 0.2 < alleles[0].interval[1]


def test_the_same_reads_give_the_same_bytes():
    reads = simulate_reads(PLAIN.sequence, 60, seed=6)
    one, other = (json.dumps(verify_clone(reads, PLAIN).to_data()) for _each in range(2))
    assert one == other
    assert "origin: simulated" in json.loads(one)["evidence"]
    assert set(json.loads(one)) == {"verdict", "criteria", "evidence", "versions", "seed"}


def test_the_pile_up_counts_every_base_of_reads_without_errors():
    model = ErrorModel(quality=60, quality_spread=0)
    reads = simulate_reads(PLAIN.sequence, 30, seed=2, model=model)
    pile = pile_up(PLAIN, list(lay_all(PLAIN, reads)))
    assert (pile.depth >= 29).all()
    right = pile.bases.sum(axis=0)[np.arange(len(PLAIN)), PLAIN.codes]
    assert right.sum() == pile.bases.sum()
    assert pile.deleted.sum() == pile.inserted.sum() == 0
    lengths = pile.run_changes.sum(axis=(0, 1))
    assert lengths.sum() == lengths[MOST_CHANGE] > 0


@pytest.mark.parametrize("share", [1.0, 0.1])
@pytest.mark.parametrize(("kind", "size"), [("deletion", 25), ("insertion", 30)], ids=["a deletion", "an insertion"])
def test_a_gap_that_begins_in_a_short_homopolymer_is_no_change_of_its_length(kind, size, share):
    text = PLAIN.sequence[:1200] + "CAAAAG" + PLAIN.sequence[1206:]
    wrong = deleted(text, 1201, 25) if kind == "deletion" else inserted(text, 1203, "CGTGCATTCGGCATCGATTCGCATGCAGTC")
    report = verify_clone(mixture(wrong, text, 300, share, seed=3), Reference("run", text))
    (found,) = report.structures
    assert (found.kind, found.size) == (kind, size)
    assert abs(found.site - 1202) <= 2
    assert found.fraction == pytest.approx(share, abs=0.05)


def test_a_control_finds_a_mixed_homopolymer_that_the_sample_alone_cannot_tell():
    wrong = KIND_OF["G9 to G8"]
    reads = mixture(wrong, REFERENCE.sequence, 600, 0.4, seed=9)
    control = simulate_reads(REFERENCE.sequence, 600, seed=10)
    limits = CloneLimits(homopolymers=0.2)
    alone = criterion(verify_clone(reads, REFERENCE, limits=limits), "length of homopolymers")
    matched = criterion(verify_clone(reads, REFERENCE, control=control, limits=limits), "length of homopolymers")
    assert (alone.verdict, matched.verdict) == ("inconclusive", "fail")


def test_a_line_is_judged_between_its_ends():
    line = Reference("line", PLAIN.sequence, circular=False)
    reads = simulate_reads(line.sequence, 300, seed=4, circular=False)
    report = verify_clone(reads, line)
    assert report.verdict.verdict != "fail"
    assert report.consensus.edits == ()
    assert criterion(report, "reads across any site, unbroken").verdict == "pass"
    assert all(item.name != "reads around more than once" for item in report.verdict.criteria)
    # A line said to be a circle: no read crosses the origin.
    closed = verify_clone(reads, PLAIN)
    assert criterion(closed, "reads across any site, unbroken").verdict == "inconclusive"


def test_codes_for_several_bases_are_masked_and_allow_what_they_say():
    site = quiet(PLAIN, 500)
    text = PLAIN.sequence
    code = {"A": "R", "G": "R", "C": "Y", "T": "Y"}[text[site]]
    loose = Reference("iupac", text[:site] + code + text[site + 1 :])
    report = verify_clone(simulate_reads(text, 200, seed=4), loose)
    assert criterion(report, "edit distance of the consensus").value == 0
    assert report.verdict.verdict != "fail"
    assert any(mask.kind == "IUPAC" and mask.start == site for mask in loose.masks)
    (told,) = [line for line in report.verdict.evidence if line.startswith("letter ")]
    assert told.startswith(f"letter {code} of the reference at {site + 1}: {text[site]} ")
    assert told.endswith(" bases, allowed")
    assert not any(line.startswith("edit: ") for line in report.verdict.evidence)


def test_a_base_that_a_letter_does_not_allow_fails_and_is_told():
    site = quiet(PLAIN, 500)
    text = PLAIN.sequence
    code = {"A": "Y", "G": "Y", "C": "R", "T": "R"}[text[site]]
    report = verify_clone(simulate_reads(text, 100, seed=4), Reference("iupac", text[:site] + code + text[site + 1 :]))
    assert criterion(report, "edit distance of the consensus").verdict == "fail"
    (told,) = [line for line in report.verdict.evidence if line.startswith("letter ")]
    assert told.endswith(" bases, not allowed")


def test_a_stretch_of_n_is_no_edit_whatever_stands_there():
    text = PLAIN.sequence
    report = verify_clone(simulate_reads(text, 100, seed=4), Reference("barcoded", text[:700] + "N" * 12 + text[712:]))
    assert criterion(report, "edit distance of the consensus").value == 0
    read = [line.split(": ")[1][0] for line in report.verdict.evidence if line.startswith("letter N")]
    assert "".join(read) == text[700:712]


def test_known_others_are_named():
    host = random_dna(20_000, 44)
    reads = simulate_reads(PLAIN.sequence, 80, seed=4)
    reads += simulate_reads(host[4000:7000], 20, seed=5, circular=False)
    shares = verify_clone(reads, PLAIN, others=[("host", host)]).shares
    assert (shares.foreign_reads, set(shares.known)) == (20, {"host"})
    assert shares.known["host"] == shares.foreign_bases
    low, high = shares.interval
    assert low < 0.2 < high


def test_limits_are_read_from_text_and_refused_with_a_remedy():
    limits = limits_from({"alleles": "10 %", "reads": "50", "multimers": "none"})
    assert (limits.alleles, limits.reads, limits.multimers) == (0.1, 50, None)
    for wrong in ({"alleles": "150%"}, {"reads": "0"}, {"reads": "none"}, {"purity": "1"}, {"alleles": "x"}):
        with pytest.raises(InputError, match="limit"):
            limits_from(wrong)


def test_short_reads_find_what_they_can_and_say_what_they_cannot():
    def fragments(text, count, seed):
        rng = np.random.default_rng(seed)
        model = ErrorModel(quality=30, quality_spread=2)
        starts = [int(start) for start in rng.integers(len(text), size=count)]
        pieces = [(text * 2)[start : start + 150] for start in starts]
        return [
            read
            for number, piece in enumerate(pieces)
            for read in simulate_reads(piece, 1, seed=seed * 10_000 + number, circular=False, model=model)
        ]

    wrong = planted(PLAIN)["insertion of 777 bases"]
    report = verify_clone(fragments(wrong, 1500, 3), PLAIN, platform="illumina")
    assert criterion(report, "insertions, deletions and junctions").verdict == "fail"
    right = verify_clone(fragments(PLAIN.sequence, 1500, 4), PLAIN, platform="illumina")
    assert right.verdict.verdict == "inconclusive"
    assert criterion(right, "edit distance of the consensus").value is None
    assert criterion(right, "reads around more than once").verdict == "inconclusive"


def test_a_mixture_with_a_relative_that_differs_at_many_sites_does_not_teach_the_error():
    sites = sorted({quiet(PLAIN, 100 + 58 * number) for number in range(48)})
    wrong = PLAIN.sequence
    for site in sites:
        wrong = snv(wrong, site)
    report = verify_clone(mixture(wrong, PLAIN.sequence, 400, 0.2, seed=3), PLAIN)
    found = {one.site for item in report.classes for one in item.alleles}
    assert len(found & set(sites)) >= 0.95 * len(sites)
    assert criterion(report, "other bases at a site").verdict == "fail"
