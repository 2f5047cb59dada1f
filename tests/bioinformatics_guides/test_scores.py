"""Published scores: their published values, and the laws that they obey."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedtrain.base import InputError
from seedtrain.bioinformatics._guides import cfd, rule_set_1, specificity
from seedtrain.bioinformatics._guides._fasta import codes_of
from seedtrain.bioinformatics._guides._score import CFD_PAM, cfd_table

guides = st.text("ACGT", min_size=20, max_size=20)


@pytest.mark.parametrize(
    ("context", "score"),
    [
        ("TATAGCTGCGATCTGAGGTAGGGAGGGACC", 0.713089368437),
        ("TCCGCACCTGTCACGGTCGGGGCTTGGCGC", 0.0189838463593),
    ],
)
def test_rule_set_1_gives_the_authors_own_examples(context, score):
    """The two worked examples that the authors of Doench et al. 2014 published with their calculator."""
    assert rule_set_1(context) == pytest.approx(score, abs=1e-11)


@pytest.mark.parametrize("context", ["ACGT", "A" * 30, "N" * 25 + "GG" + "AAA", "A" * 25 + "AG" + "AAA"])
def test_rule_set_1_refuses_what_it_was_not_made_for(context):
    with pytest.raises(InputError, match="no context"):
        rule_set_1(context)


def one(guide: str, site: str, pam: str = "AGG") -> float:
    return float(cfd(codes_of(guide)[None, :], codes_of(site)[None, :], [pam])[0])


@given(guides)
def test_the_perfect_site_scores_as_its_pam(guide):
    assert one(guide, guide) == 1.0
    assert one(guide, guide, "AAG") == CFD_PAM["AG"]


@given(guides, guides)
def test_mismatches_multiply(guide, site):
    product = 1.0
    for at in range(20):
        product *= one(guide, guide[:at] + site[at] + guide[at + 1 :])
    assert one(guide, site) == pytest.approx(product, rel=1e-12)


@pytest.mark.parametrize(
    ("letter", "other", "position", "value"),
    [
        # Doench et al. 2016 writes them rX:dY with Y the letter that pairs with the site's
        ("T", "A", 12, 0.8),  # rU:dT,12
        ("A", "G", 20, 0.764705882),  # rA:dC,20
        ("G", "C", 16, 0.0),  # rG:dG,16
        ("C", "G", 1, 0.913043478),  # rC:dC,1
        ("G", "T", 14, 0.266666667),  # rG:dA,14
        ("T", "G", 20, 0.176470588),  # rU:dC,20
    ],
)
def test_single_mismatches_have_their_published_activity(letter, other, position, value):
    guide = "A" * (position - 1) + letter + "A" * (20 - position)
    site = guide[: position - 1] + other + guide[position:]
    assert one(guide, site) == value


def test_the_table_is_whole():
    """Each value is a share of few dozen guides: a fraction of small numbers, as published to nine places."""
    table = cfd_table()
    off = table[~np.eye(4, dtype=bool)]
    assert off.shape == (12, 20)
    assert off.min() == 0.0
    assert off.max() == 1.0
    nearest = min_fraction_error(off.ravel())
    assert nearest.max() < 1e-9
    assert (table[np.eye(4, dtype=bool)] == 1.0).all()


def min_fraction_error(values: np.ndarray) -> np.ndarray:
    fractions = np.unique([a / b for b in range(1, 40) for a in range(b + 1)])
    return np.asarray(np.abs(values[:, None] - fractions).min(axis=1))


def test_specificity_falls_with_every_off_target():
    assert specificity(0.0) == 1.0
    assert specificity(1.0) == 0.5
    assert specificity(0.5) < specificity(0.2)
