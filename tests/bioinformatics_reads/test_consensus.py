"""Edits rebuild the other sequence; the consensus of few reads is the molecule."""

from hypothesis import given, settings
from hypothesis import strategies as st

from seedtrain.bioinformatics import Reference, simulate_reads
from seedtrain.bioinformatics._reads._align import lay_all
from seedtrain.bioinformatics._reads._consensus import build_consensus, compare
from seedtrain.bioinformatics._reads._pile import pile_up

from .draws import consensus_distances
from .made import clone, deleted, inserted, planted, random_dna

TEXT = random_dna(900, 11)


def applied(text, edits):
    out, at = [], 0
    for edit in sorted(edits, key=lambda item: (item.site, len(item.before))):
        assert text[edit.site : edit.site + len(edit.before)] == edit.before
        out += [text[at : edit.site], edit.after]
        at = edit.site + len(edit.before)
    return "".join(out) + text[at:]


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 899), st.sampled_from(["A", "GGG", "", "TTTTTTTT"]), st.integers(0, 40))))
def test_edits_turn_one_into_the_other(changes):
    other = TEXT
    for site, piece, gone in changes[:5]:
        other = inserted(deleted(other, min(site, len(other)), gone), min(site, len(other)), piece)
    assert applied(TEXT, compare(TEXT, other)) == other
    assert compare(TEXT, TEXT) == []


def test_an_indel_stands_as_far_left_as_it_can():
    text = TEXT[:400] + "CGAAAAAAT" + TEXT[400:]
    (edit,) = compare(text, deleted(text, 406))
    assert (edit.site, edit.before, edit.after) == (402, "A", "")


def test_fifteen_reads_give_the_molecule_and_thirty_never_miss_it_by_more_than_one():
    few, many = consensus_distances(4, 15, size=4000), consensus_distances(3, 30, size=4000)
    assert few.count(0) >= 3
    assert max(few + many) <= 1


def test_the_consensus_is_the_planted_molecule_and_begins_where_the_reference_does():
    reference = clone()
    for kind in ("substitution at the origin", "deletion of 45 bases", "insertion of 777 bases"):
        wrong = planted(reference)[kind]
        laid = list(lay_all(reference, simulate_reads(wrong, 40, seed=8)))
        made = build_consensus(reference, laid, pile_up(reference, laid))
        at = 1500
        # The poly-A is beyond 40 reads of this quality: all else is exact.
        assert made.sequence[:at] == wrong[:at]
        assert made.sequence[-400:] == wrong[-400:]


def test_a_consensus_does_not_depend_on_where_the_circle_is_opened():
    reference = Reference("x", TEXT * 2 + random_dna(1200, 12))
    reads = simulate_reads(reference.sequence, 40, seed=9)
    text = reference.sequence
    for turn in (0, 17, 1500):
        turned = Reference("x", text[turn:] + text[:turn])
        laid = list(lay_all(turned, reads))
        assert build_consensus(turned, laid, pile_up(turned, laid)).sequence == turned.sequence
