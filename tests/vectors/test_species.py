"""Porcine material by peptides and qPCR: masses, the isobaric trap, controls, and the demonstrated LOD95."""

import json
import math

import numpy as np
import pytest

from seedtrain.base import InputError, use_language
from seedtrain.report import render_html
from seedtrain.vectors import fit_probit, markers, species_page, verify_species
from seedtrain.vectors._species._peptide import fragments, mass_to_charge, matched

# m/z of the doubly charged peptides, monoisotopic, from an independent list.
MASSES = [
    ("GPTGPAGVR", 0, 406.225),
    ("GRPGPPGPAGAR", 2, 561.294),
    ("IGPPGPSGISGPPGPPGPAGK", 3, 921.473),
    ("GNDGSVGPVGPAGPIGSAGPPGFPGAPGPK", 3, 1308.638),
    ("TGETGASGPPGFAGEK", 1, 739.842),
    ("GPNGEVGSAGPPGPPGLR", 2, 824.408),
    ("GEPGPAGSVGPAGAVGPR", 1, 774.892),
]
LOD = "level,replicates,detected\n1e-4,20,2\n2e-4,20,9\n4e-4,20,17\n8e-4,20,20\n1.6e-3,20,20\n"
CONTROL = "control,GVQGPPGPAGPR,1,2,{mz},\n"
HEAD = "role,peptide,hydroxyprolines,charge,mz,fragments\n"


def row(sequence, count, role="sample", *, ions=None, mz=None):
    """A row of a peptide with its own b and y ions, the prolines before glycine hydroxylated first."""
    shown = fragments(sequence, count)[0] if ions is None else ions
    at = mass_to_charge(sequence, count, 2) if mz is None else mz
    return f"{role},{sequence},{count},2,{at:.5f},{' '.join(f'{ion:.4f}' for ion in shown)}\n"


def control():
    return CONTROL.format(mz=mass_to_charge("GVQGPPGPAGPR", 1, 2)) + row("GVQGPPGPAGPR", 1, "blank")


@pytest.mark.parametrize(("sequence", "count", "mz"), MASSES)
def test_masses_of_the_markers(sequence, count, mz):
    assert mass_to_charge(sequence, count, 2) == pytest.approx(mz, abs=6e-4)
    assert any(item.sequence == sequence and item.hydroxyprolines == count for item in markers())


def test_b_and_y_ions_of_a_cut_add_up_to_the_peptide():
    sequence, count = "GEPGPAGSVGPAGAVGPR", 1
    whole = mass_to_charge(sequence, count, 1) + 1.007276
    for ions in fragments(sequence, count):
        pairs = [ion for ion in ions if any(abs(ion + other - whole) < 1e-6 for other in ions)]
        assert len(pairs) >= len(ions) - 4  # b1 and y1 are not listed, nor what stands against them


def test_two_clean_peptides_with_fragments_are_detected_and_one_is_not_enough():
    two = HEAD + row("GPTGPAGVR", 0) + row("GRPGPPGPAGAR", 2) + control()
    assert verify_species(two, lod=LOD).verdict.verdict == "fail"
    assert verify_species(two).verdict.verdict == "fail"  # found is found, without an LOD
    one = HEAD + row("GPTGPAGVR", 0) + control()
    assert verify_species(one, lod=LOD).verdict.verdict == "inconclusive"
    masses = HEAD + row("GPTGPAGVR", 0, ions=()) + row("GRPGPPGPAGAR", 2, ions=()) + control()
    assert verify_species(masses, lod=LOD).verdict.verdict == "inconclusive"


def test_the_isobaric_peptide_of_cattle_never_counts_as_pig():
    pig, cattle = ("GEPGPAGSVGPAGAVGPR", 1), ("GEPGPAGAVGPAGAVGPR", 2)
    assert mass_to_charge(*pig, 2) == pytest.approx(mass_to_charge(*cattle, 2), abs=1e-5)
    ions = fragments(*cattle)[0]
    assert matched(ions, *cattle, 0.02) > matched(ions, *pig, 0.02)
    text = HEAD + row(*pig, ions=ions) + row(*pig, ions=()) + control()
    report = verify_species(text, lod=LOD, claim="0.1 %")
    assert report.verdict.verdict == "inconclusive"
    assert any("of cattle as well, not confirmed" in line for line in report.verdict.evidence)


def test_not_detected_needs_controls_blanks_and_a_demonstrated_limit():
    clean = HEAD + control()
    assert verify_species(clean, lod=LOD, claim="0.2 %").verdict.verdict == "pass"
    assert verify_species(clean, lod=LOD, claim="0.05 %").verdict.verdict == "inconclusive"
    assert verify_species(clean).verdict.verdict == "inconclusive"
    without_control = HEAD + row("GVQGPPGPAGPR", 1, "blank")
    assert verify_species(without_control, lod=LOD, claim="0.2 %").verdict.verdict == "inconclusive"
    without_blank = HEAD + CONTROL.format(mz=mass_to_charge("GVQGPPGPAGPR", 1, 2))
    assert verify_species(without_blank, lod=LOD, claim="0.2 %").verdict.verdict == "inconclusive"
    carried_over = HEAD + row("GPTGPAGVR", 0) + row("GRPGPPGPAGAR", 2) + control() + row("GPTGPAGVR", 0, "blank")
    assert verify_species(carried_over, lod=LOD, claim="0.2 %").verdict.verdict == "inconclusive"


@pytest.mark.parametrize(
    ("cqs", "blank", "other", "verdict"),
    [
        (("31", "32", ""), "", "24", "fail"),
        (("31", "", ""), "", "24", "inconclusive"),
        (("", "", ""), "", "24", "pass"),
        (("", "", "39.5"), "", "24", "pass"),
        (("", "", ""), "35", "24", "inconclusive"),
        (("31", "32", "33"), "33", "24", "inconclusive"),
        (("", "", ""), "", "", "inconclusive"),
        (("", ""), "", "24", "inconclusive"),
    ],
)
def test_qpcr_by_replicates_blanks_and_the_amplification_control(cqs, blank, other, verdict):
    rows = [*(f"sample,porcine,{cq}" for cq in cqs), f"blank,porcine,{blank}", f"control,bovine,{other}"]
    text = "role,target,cq\n" + "\n".join(rows) + "\n"
    assert verify_species(text, lod=LOD, claim="0.2 %").verdict.verdict == verdict


def test_wells_of_pig_are_known_by_their_usual_names_and_pig_alone_is_no_control():
    rows = "role,target,cq\n" + "sample,{0},{1}\n" * 3 + "blank,{0},Undetermined\n"
    for name in ("Pig", "Sus scrofa cytb", "PORCINE"):
        report = verify_species(rows.format(name, 25) + "control,bovine,24\n", lod=LOD)
        assert (report.verdict.verdict, report.animals) == ("fail", (("porcine",),))
    silent = rows.format("porcine", "N/A")
    assert verify_species(silent + "control,bovine,24\n", lod=LOD, claim="0.2 %").verdict.verdict == "pass"
    # Porcine DNA in a tube of its own does not show that the sample's DNA could have amplified.
    own = verify_species(silent + "control,porcine,24\n", lod=LOD, claim="0.2 %")
    assert own.verdict.verdict == "inconclusive"


def test_a_marker_at_another_mass_is_a_doubt_and_in_a_control_it_is_none():
    neutral = HEAD + row("GPTGPAGVR", 0, mz=810.435) + control()
    report = verify_species(neutral, lod=LOD, claim="0.2 %")
    assert report.verdict.verdict == "inconclusive"
    assert any("406.2247 is expected" in line or "406.2248 is expected" in line for line in report.found)
    pig = HEAD + row("GPTGPAGVR", 0, "control") + row("GVQGPPGPAGPR", 1, "blank")
    assert verify_species(pig, lod=LOD, claim="0.2 %").verdict.verdict == "inconclusive"


def test_the_probit_finds_the_level_that_made_the_data_and_its_interval_holds():
    rng = np.random.default_rng(4)
    levels = 1e-4 * 2.0 ** np.arange(-2, 4)
    true = 10 ** (-4 + 1.644854 / 4)  # Phi(4 (log10(level) + 4)) = 0.95
    held = runs = 0
    for _each in range(60):
        chance = np.array([0.5 * math.erfc(-(4 * (math.log10(level) + 4)) / math.sqrt(2)) for level in levels])
        found = rng.binomial(24, chance)
        try:
            fit = fit_probit(levels.tolist(), [24] * len(levels), found.tolist())
        except InputError:
            continue
        runs += 1
        held += fit.low <= true <= fit.high
    assert runs > 50
    assert held / runs >= 0.90
    far = fit_probit([1e-12, 1e-4, 2e-4, 4e-4], [10_000, 5, 20, 60], [0, 1, 9, 60])
    assert 2e-4 < far.low < far.lod95 < far.high < 1e-2
    # The score equations hold at the maximum.
    fit = fit_probit([1e-4, 2e-4, 4e-4, 8e-4], [20] * 4, [2, 9, 17, 20])
    from scipy.stats import norm

    z = fit.intercept + fit.slope * np.log10([1e-4, 2e-4, 4e-4, 8e-4])
    k = np.array([2, 9, 17, 20])
    score = norm.pdf(z) * (k / norm.cdf(z) - (20 - k) / norm.sf(z))
    assert [score.sum(), (score * z).sum()] == pytest.approx([0, 0], abs=1e-3)


def test_an_lod_is_demonstrated_by_enough_replicates_at_one_level_too():
    clean, head = HEAD + control(), "level,replicates,detected\n"
    enough = verify_species(clean, lod=head + "1e-3,59,59\n", claim="0.1 %")
    assert enough.verdict.verdict == "pass"
    assert enough.verdict.criteria[-1].value == "<= 0.1 %"
    assert verify_species(clean, lod=head + "1e-3,59,59\n", claim="0.05 %").verdict.verdict == "inconclusive"
    # Levels share the risk, and a level that is missed ends the row, whatever lies below it.
    two = "1e-3,80,80\n2e-3,80,80\n"
    assert verify_species(clean, lod=head + two, claim="0.1 %").verdict.verdict == "pass"
    odd = verify_species(clean, lod=head + "1e-3,80,80\n2e-3,20,10\n4e-3,80,80\n", claim="0.1 %")
    assert odd.verdict.criteria[-1].value == "<= 0.4 %"
    with pytest.raises(InputError, match="1 levels"):
        verify_species(clean, lod=head + "1e-3,58,58\n")


@pytest.mark.parametrize(
    ("text", "lod", "words"),
    [
        (HEAD + "sample,GPXGP,0,2,400,\n", LOD, "table:2:1: 'GPXGP' is no peptide"),
        (HEAD + "sample,GPTGPAGVR,5,2,400,\n", LOD, "more hydroxyprolines"),
        (HEAD + "sample,GPTGPAGVR,0,2,400,a b\n", LOD, "fragments"),
        ("role,target\nsample,porcine\n", "level,replicates,detected\n1e-3,5,6\n", "more detected"),
        ("role,target\nsample,porcine\n", "level,replicates,detected\n1e-3,5,5\n", "1 levels"),
        ("role,target,cq\nsample,porcine,x\n", LOD, "no number"),
        ("mz\n1427.7\n", LOD, "of no table that tells animals"),
    ],
)
def test_tables_that_cannot_be_used_are_errors_with_their_line(text, lod, words):
    with pytest.raises(InputError, match=words):
        verify_species(text, lod=lod)
    for claim in ("much", "2000 %"):
        with pytest.raises(InputError, match="the claim"):
            verify_species(HEAD + control(), lod=LOD, claim=claim)


def test_the_same_table_gives_the_same_bytes_and_the_command_prints_them(tmp_path, capsys):
    from seedtrain.cli import main

    text = HEAD + control()
    assert render_html(species_page(verify_species(text))) == render_html(species_page(verify_species(text)))
    with use_language("zh"):
        assert "物种" in render_html(species_page(verify_species(text)))
    path, levels = tmp_path / "peptides.csv", tmp_path / "levels.csv"
    path.write_text(text)
    levels.write_text(LOD)
    with pytest.raises(SystemExit) as left:
        main(["verify", "species", str(path), "--lod", str(levels), "--claim", "0.2 %", "--json"])
    assert left.value.code == 0
    assert json.loads(capsys.readouterr().out)["criteria"][0]["value"] == "not detected"
