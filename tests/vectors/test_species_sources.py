"""Porcine material by MALDI peaks, mzML and amplicons: the same rule, whatever the source."""

import base64
import gzip
import json
import struct
import zlib

import numpy as np
import pytest

from seedtrain.base import InputError, use_language
from seedtrain.bioinformatics import ErrorModel, Read, simulate_reads, write_fastq
from seedtrain.report import render_html
from seedtrain.vectors import random_sequence, species_page, verify_species
from seedtrain.vectors._species._maldi import compare, fingerprints, single_peaks
from seedtrain.vectors._species._peptide import fragments, mass_to_charge

from .test_species import LOD

MASSES = {
    animal: [peptide.masses[animal] for peptide in fingerprints() if animal in peptide.masses]
    for animal in ("porcine", "cattle", "horse", "buffalo", "dog")
}
CONTROL = ("GVQGPPGPAGPR", 1)


def peaks(*animals, isotopes=True, blank=True):
    """A peak list: each mass with its second isotope; noise beside them."""
    rows = ["role,mz,intensity"]
    for animal in animals:
        for mass in MASSES[animal]:
            rows += [f"sample,{mass + 0.05},1000"]
            rows += [f"sample,{mass + 1.05},{1000 * mass / 1800:.0f}"] if isotopes else []
    rows += ["sample,1000.1,5", "blank,842.5,300"] if blank else ["sample,1000.1,5"]
    return "\n".join(rows) + "\n"


def test_masses_of_pig_alone_are_a_doubt_and_those_of_cattle_pass():
    cattle = verify_species(peaks("cattle"), lod=LOD)
    assert cattle.verdict.verdict == "pass"
    assert cattle.verdict.criteria[2].value == "cattle, sheep"  # these masses do not tell the two apart
    for animals in (("porcine",), ("cattle", "porcine"), ("dog", "cattle")):
        found = verify_species(peaks(*animals), lod=LOD)
        assert found.verdict.verdict == "inconclusive", animals
        assert any("confirm by fragments" in line for line in found.verdict.evidence)
    horse = verify_species(peaks("horse"), lod=LOD)
    assert horse.verdict.verdict == "pass"  # its two masses shared with pig are explained
    assert verify_species(peaks("cattle", blank=False), lod=LOD).verdict.verdict == "inconclusive"
    assert verify_species(peaks("cattle")).verdict.verdict == "inconclusive"


def test_animals_are_told_undecided_between_some_or_as_a_mixture():
    assert verify_species(peaks("porcine")).animals == (("porcine",),)
    more = "".join(f"sample,{mass},3000\n" for mass in MASSES["buffalo"])  # above pig's isotope at 1648.8
    mixed = verify_species(peaks("porcine") + more)
    assert set(mixed.animals) == {("buffalo",), ("porcine",)}
    assert "animals: buffalo; porcine (a mixture)" in mixed.verdict.evidence
    assert "animals: cattle or sheep" in verify_species(peaks("cattle")).verdict.evidence
    fish = verify_species("mz,intensity\n1100.2,100\n1234.5,90\n")
    assert fish.animals == ()
    assert fish.verdict.verdict == "inconclusive"
    assert any("amplicons or qPCR" in line for line in fish.found)
    wells = "role,target,cq\n" + "sample,cattle,22\n" * 3 + "sample,porcine,\n" * 3 + "blank,porcine,\n"
    assert verify_species(wells).animals == (("cattle",),)
    with use_language("zh"):
        assert "牛 或 羊" in render_html(species_page(verify_species(peaks("cattle"))))


def test_a_second_isotope_is_no_peptide_of_its_own():
    pig = [(1647.8, 1000.0), (1648.8, 915.0)]  # 1648.8 is cattle's mass as well
    assert single_peaks(pig) == [1647.8]
    assert single_peaks([(1647.8, 100.0), (1648.8, 1000.0)]) == [1647.8, 1648.8]
    assert compare([1648.8])[0].animal != "porcine"
    assert single_peaks([]) == []


def array(values):
    return base64.b64encode(zlib.compress(struct.pack(f"<{len(values)}d", *values))).decode()


def mzml(path, spectra):
    """A small mzML file: (precursor, charge, peaks) of MS2."""
    rows = []
    for index, (precursor, charge, places) in enumerate(spectra):
        cells = [
            f'<binaryDataArray encodedLength="0"><cvParam cvRef="MS" accession="MS:1000523" name="64-bit float"/>'
            f'<cvParam cvRef="MS" accession="MS:1000574" name="zlib compression"/>'
            f'<cvParam cvRef="MS" accession="{name[0]}" name="{name[1]}"/><binary>{array(values)}</binary>'
            "</binaryDataArray>"
            for name, values in (
                (("MS:1000514", "m/z array"), places),
                (("MS:1000515", "intensity array"), [100.0] * len(places)),
            )
        ]
        rows.append(
            f'<spectrum index="{index}" id="scan={index + 1}" defaultArrayLength="{len(places)}">'
            '<cvParam cvRef="MS" accession="MS:1000511" name="ms level" value="2"/>'
            '<precursorList count="1"><precursor><selectedIonList count="1"><selectedIon>'
            f'<cvParam cvRef="MS" accession="MS:1000744" name="selected ion m/z" value="{precursor}"/>'
            f'<cvParam cvRef="MS" accession="MS:1000041" name="charge state" value="{charge}"/>'
            "</selectedIon></selectedIonList></precursor></precursorList>"
            f'<binaryDataArrayList count="2">{"".join(cells)}</binaryDataArrayList></spectrum>'
        )
    text = (
        '<?xml version="1.0"?><mzML xmlns="http://psi.hupo.org/ms/mzml" version="1.1.0"><run id="r">'
        f'<spectrumList count="{len(rows)}">{"".join(rows)}</spectrumList></run></mzML>'
    )
    path.write_bytes(gzip.compress(text.encode()) if path.name.endswith(".gz") else text.encode())
    return path


def spectrum(sequence, count, charge=2):
    return mass_to_charge(sequence, count, charge), charge, list(fragments(sequence, count)[0])


def test_mzml_gives_the_verdict_that_its_peptides_give(tmp_path):
    blank = mzml(tmp_path / "blank.mzML", [spectrum("PEPTIDEK", 0)])
    pig = [spectrum("GPTGPAGVR", 0), spectrum("GRPGPPGPAGAR", 2), spectrum(*CONTROL)]
    found = verify_species(mzml(tmp_path / "pig.mzML.gz", pig), lod=LOD, blank=blank, lot="G-1")
    assert found.verdict.verdict == "fail"
    assert found.verdict.evidence[0] == "lot G-1"
    cattle = mzml(tmp_path / "cattle.mzML", [spectrum(*CONTROL), spectrum("PEPTIDEK", 0)])
    assert verify_species(cattle, lod=LOD, blank=blank).verdict.verdict == "pass"
    assert verify_species(cattle, lod=LOD).verdict.verdict == "inconclusive"
    # The trap: cattle's peptide at pig's mass, told by its fragments.
    trap = mass_to_charge("GEPGPAGSVGPAGAVGPR", 1, 2), 2, list(fragments("GEPGPAGAVGPAGAVGPR", 2)[0])
    mixed = verify_species(mzml(tmp_path / "trap.mzML", [trap, spectrum(*CONTROL)]), lod=LOD, blank=blank)
    assert mixed.verdict.verdict == "inconclusive"
    empty = mzml(tmp_path / "none.mzML", [spectrum("PEPTIDEK", 0)])
    assert verify_species(empty, lod=LOD, blank=blank).verdict.verdict == "inconclusive"  # no control


def test_mzml_that_cannot_be_read_is_refused(tmp_path):
    whole = mzml(tmp_path / "x.mzML", [spectrum(*CONTROL)] * 5).read_bytes()
    for name, raw, words in (
        ("cut.mzML", whole[: len(whole) // 2], "damaged or cut off"),
        ("none.mzML", b"<mzML></mzML>", "no fragment spectra"),
        ("text.mzML", b"hello", "damaged"),
        ("cut.mzML.gz", gzip.compress(whole)[:-20], "damaged"),
    ):
        (tmp_path / name).write_bytes(raw)
        with pytest.raises(InputError, match=words):
            verify_species(tmp_path / name)
    with pytest.raises(InputError, match="no such file"):
        verify_species(tmp_path / "absent.mzML")


@pytest.fixture(scope="module")
def barcodes():
    """One amplicon of two made-up animals that differ at one base in ten."""
    rng = np.random.default_rng(12)
    cattle = random_sequence(300, rng)
    pig = "".join(base if rng.random() > 0.1 else "ACGT"[(ord(base) + 1) % 4] for base in cattle)
    return {"pig_cytb": pig, "cattle_cytb": cattle}


def amplicons(folder, barcodes, pig_reads):
    """Three replicates with so many porcine reads, an empty blank and a control of cattle."""
    model = ErrorModel(quality=30, quality_spread=2)
    (folder / "refs.fa").write_text("".join(f">{name}\n{text}\n" for name, text in barcodes.items()))
    rows = ["role,reads"]
    for number, many in enumerate([*pig_reads, 0]):
        reads = simulate_reads(barcodes["cattle_cytb"], 600, seed=number, circular=False, model=model)
        if many:
            reads += simulate_reads(barcodes["pig_cytb"], many, seed=50 + number, circular=False, model=model)
        write_fastq(folder / f"{number}.fastq", reads)
        rows.append(f"{'sample' if number < len(pig_reads) else 'control'},{number}.fastq")
    (folder / "blank.fastq").write_text("")
    path = folder / "table.csv"
    path.write_text("\n".join([*rows, "blank,blank.fastq"]) + "\n")
    return path


@pytest.mark.parametrize(
    ("pig_reads", "verdict"), [((0, 0, 0), "pass"), ((40, 40, 40), "fail"), ((40, 0, 0), "inconclusive")]
)
def test_amplicons_follow_the_rule_of_two_in_three(tmp_path, barcodes, pig_reads, verdict):
    path = amplicons(tmp_path, barcodes, pig_reads)
    found = verify_species(path, lod=LOD, references=tmp_path / "refs.fa")
    assert found.verdict.verdict == verdict
    assert found.animals == ((("cattle",), ("porcine",)) if verdict == "fail" else (("cattle",),))
    assert any("cattle 600" in line for line in found.verdict.evidence)
    with use_language("zh"):
        assert "扩增" in render_html(species_page(found))


def test_amplicons_that_say_nothing_are_inconclusive_or_refused(tmp_path, barcodes):
    path = amplicons(tmp_path, barcodes, (0, 0, 0))
    with pytest.raises(InputError, match="need references"):
        verify_species(path)
    (tmp_path / "one.fa").write_text(f">pig\n{barcodes['pig_cytb']}\n")
    with pytest.raises(InputError, match="references are of porcine"):
        verify_species(path, references=tmp_path / "one.fa")
    rng = np.random.default_rng(1)
    write_fastq(tmp_path / "0.fastq", [Read(f"r{n}", random_sequence(300, rng)) for n in range(600)])
    other = verify_species(path, lod=LOD, references=tmp_path / "refs.fa")
    assert other.verdict.verdict == "inconclusive"
    path.write_text("role,reads\nsample,absent.fastq\n")
    with pytest.raises(InputError, match="no file"):
        verify_species(path, references=tmp_path / "refs.fa")


def test_the_command_takes_a_lot_and_the_verdict_keeps_its_shape(tmp_path, barcodes, capsys):
    from seedtrain.cli._verify import app

    path = tmp_path / "peaks.csv"
    path.write_text(peaks("cattle"))
    (tmp_path / "lod.csv").write_text(LOD)
    words = ["species", str(path), "--lod", str(tmp_path / "lod.csv"), "--lot", "G-1", "--json"]
    assert app(words, result_action="return_value") == 0
    found = json.loads(capsys.readouterr().out)
    assert set(found) == {"verdict", "criteria", "evidence", "versions", "seed"}
    assert found["evidence"][0] == "lot G-1"
