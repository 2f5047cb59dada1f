"""The search against a brute-force reference that shares no code with it, and the laws of the index."""

from __future__ import annotations

import gzip
import random
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedtrain.base import InputError
from seedtrain.bioinformatics import NUCLEASES, build_genome_index, genome_index, open_genome_index, search_guides
from seedtrain.bioinformatics._guides import _fasta, _index
from tests.bioinformatics_guides.reference import Found, brute_force, reverse_complement
from tests.judges import missing

MG1655 = Path(__file__).parents[3] / "shared" / "data" / "genomes" / "ecoli_mg1655.fa.gz"
needs_mg1655 = pytest.mark.skipif(not MG1655.exists(), reason=f"the MG1655 genome is not at {MG1655}")


def write(folder: Path, genome: dict[str, str], width: int = 60) -> Path:
    path = folder / "genome.fa"
    lines = []
    for name, text in genome.items():
        lines.append(f">{name} some words")
        lines += [text[at : at + width] for at in range(0, len(text), width)]
    path.write_text("\n".join(lines) + "\n")
    return path


def found(index, guide, nuclease, pam, most, bulge=True):
    rows = [
        Found(hit.contig, hit.strand, hit.start, hit.mismatches, hit.bulge, hit.bulge_at)
        for hits in search_guides(index, [guide], nuclease, mismatches=most, bulge=bulge, pams=[pam])
        for _, hit in hits.rows()
    ]
    return sorted(rows)


def mutate(rng: random.Random, text: str, pam_first: bool) -> str:
    """A near copy: some letters changed, perhaps one more or one fewer."""
    letters = list(text)
    for _ in range(rng.randrange(5)):
        letters[rng.randrange(len(letters))] = rng.choice("ACGT")
    at = rng.randrange(1, len(letters) - 1)
    kind = rng.randrange(3)
    if kind == 1:
        letters.insert(at, rng.choice("ACGT"))
    elif kind == 2:
        del letters[at]
    return "".join(letters)


def planted(rng: random.Random, guide: str, nuclease) -> dict[str, str]:
    """Short contigs full of near copies of a guide, on both strands, with gaps, N and sites cut by the ends."""
    genome = {}
    for number in range(rng.randrange(1, 4)):
        parts = []
        for _ in range(rng.randrange(1, 5)):
            pam = "".join(rng.choice({"N": "ACGT", "V": "ACG"}.get(x, x)) for x in rng.choice(nuclease.searched))
            copy = mutate(rng, guide, nuclease.pam_first)
            site = pam + copy if nuclease.pam_first else copy + pam
            parts.append(site if rng.random() < 0.5 else reverse_complement(site))
            parts.append("".join(rng.choices("ACGTN" if rng.random() < 0.3 else "ACGT", k=rng.randrange(12))))
        text = "".join(parts)
        cut = rng.randrange(3)  # ends that leave a site one or two bases short
        genome[f"contig{number}"] = text[cut : len(text) - rng.randrange(3)]
    return genome


@settings(max_examples=120)
@given(st.integers(0, 2**32), st.sampled_from(sorted(NUCLEASES)), st.booleans())
def test_every_site_that_brute_force_finds_and_no_other(seed, name, circular):
    rng = random.Random(seed)
    nuclease = NUCLEASES[name]
    guide = "".join(rng.choices("ACGT" if rng.random() < 0.7 else "AT", k=nuclease.length))
    genome = planted(rng, guide, nuclease)
    circular = circular and min(map(len, genome.values())) >= 60
    most = rng.randrange(5)
    with tempfile.TemporaryDirectory() as folder:
        index = build_genome_index(write(Path(folder), genome), Path(folder) / "index", [name], circular=circular)
        for pam in nuclease.searched:
            wanted = brute_force(
                genome, guide, pam, pam_first=nuclease.pam_first, most=most, bulge=True, circular=circular
            )
            assert found(index, guide, nuclease, pam, most) == wanted


@settings(max_examples=10)
@given(st.integers(0, 2**32), st.integers(1, 300))
def test_the_size_of_pieces_changes_nothing(seed, block):
    """Contigs read in pieces of any size give the same sites, and hits in small segments are the same hits."""
    rng = random.Random(seed)
    nuclease = NUCLEASES["SpCas9"]
    guide = "".join(rng.choices("ACGT", k=20))
    genome = {**planted(rng, guide, nuclease), "long": "".join(rng.choices("ACGT", k=700)) + guide + "AGG"}
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        path = write(Path(folder), genome, width=rng.randrange(5, 100))
        whole = build_genome_index(path, Path(folder) / "whole")
        expected = found(whole, guide, nuclease, "NGG", 4)
        patch.setattr(_fasta, "BLOCK_BYTES", block)
        patch.setattr(_index, "SEGMENT", rng.randrange(1, 30))
        pieces = build_genome_index(path, Path(folder) / "pieces")
        assert pieces.digest == whole.digest
        assert pieces.tables == whole.tables
        assert found(pieces, guide, nuclease, "NGG", 4) == expected
        assert any(item.contig == "long" and item.mismatches == 0 for item in expected)


@settings(max_examples=20)
@given(st.integers(0, 2**32))
def test_a_genome_and_its_reverse_complement_hold_the_same_sites(seed):
    rng = random.Random(seed)
    nuclease = NUCLEASES["SpCas9"]
    guide = "".join(rng.choices("ACGT", k=20))
    genome = planted(rng, guide, nuclease)
    counts = []
    with tempfile.TemporaryDirectory() as folder:
        for number, texts in enumerate((genome, {name: reverse_complement(text) for name, text in genome.items()})):
            place = Path(folder) / str(number)
            place.mkdir()
            index = build_genome_index(write(place, texts), place / "index")
            hits = search_guides(index, [guide], nuclease, bulge=True)
            counts.append([(item.counts(4).tolist(), item.counts(4, bulged=True).tolist()) for item in hits])
    assert counts[0] == counts[1]


def test_more_hits_than_the_first_buffer_are_all_found(tmp_path, monkeypatch):
    from seedtrain.bioinformatics._guides import _search

    monkeypatch.setattr(_search, "FIRST_CAPACITY", 3)
    guide = "ACGTTGCAACGTGTCATCAC"
    index = build_genome_index(write(tmp_path, {"a": (guide + "TGG") * 50}), tmp_path / "index")
    hits = search_guides(index, [guide, guide], NUCLEASES["SpCas9"], pams=["NGG"])[0]
    assert hits.counts(4)[:, 0].tolist() == [50, 50]


@needs_mg1655
def test_mg1655_has_541810_sites_at_ngg(tmp_path):
    """Published count of the circle; read as a line, the site across its origin is missing."""
    index = build_genome_index(MG1655, tmp_path / "circle", circular=True)
    assert (index.sites("NGG"), index.length, index.known_share) == (541_810, 4_639_675, 1.0)
    line = build_genome_index(MG1655, tmp_path / "line")
    assert line.sites("NGG") == 541_809
    assert line.digest == index.digest


@needs_mg1655
def test_mg1655_guides_against_bowtie(tmp_path):
    """Judge: Bowtie 1 reports every alignment with up to 3 mismatches; those with NGG behind must be ours."""
    build, align = shutil.which("bowtie-build"), shutil.which("bowtie")
    if not (build and align):
        missing("the judge bowtie is not installed")
    path = tmp_path / "genome.fa"
    path.write_bytes(gzip.decompress(MG1655.read_bytes()))
    subprocess.run([build, "-q", path, tmp_path / "bt"], check=True, capture_output=True)
    index = build_genome_index(path, tmp_path / "index")
    genome = index.sequence(0, 0, index.length)
    rng = random.Random(1)
    guides: list[str] = []
    while len(guides) < 30:
        at = rng.randrange(100, index.length - 100)
        if genome[at + 21 : at + 23] == "GG":
            guides.append(genome[at : at + 20])
    reads = tmp_path / "reads.fa"
    reads.write_text("".join(f">{number}\n{guide}\n" for number, guide in enumerate(guides)))
    command = [align, "-f", "-v", "3", "-a", "--suppress", "3,5,6,7", tmp_path / "bt", reads]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    theirs = set()
    for line in lines:
        number, strand, start, *changes = line.split("\t")
        at = int(start)
        pam = genome[at + 20 : at + 23] if strand == "+" else reverse_complement(genome[at - 3 : at] if at > 2 else "")
        if pam[1:] == "GG":
            mismatches = len(changes[0].split(",")) if changes and changes[0] else 0
            theirs.add((int(number), strand, at, mismatches))
    hits = search_guides(index, guides, NUCLEASES["SpCas9"], mismatches=3, pams=["NGG"])[0]
    ours = {(number, hit.strand, hit.start, hit.mismatches) for number, hit in hits.rows()}
    assert ours == theirs
    assert len(ours) >= len(guides)


class TestBadInput:
    @pytest.mark.parametrize(
        ("text", "line", "column", "words"),
        [
            (">a\nACGT\nACXT\n", 3, 3, "'X' is no nucleotide"),
            (">p\nMKLVE\n", 2, 3, "'L' is no nucleotide"),
            ("ACGT\n", 1, 1, "before the first header"),
            (">a\n>b\nACGT\n", 1, 1, "has no sequence"),
            (">a\nACGT\n>b\n", 3, 1, "has no sequence"),
            (">a\nACGT\n>a\nACGT\n", 3, 1, "stands twice"),
            (">\nACGT\n", 1, 1, "without a name"),
            ("", 0, 0, "empty"),
            ("\n\n", 0, 0, "empty"),
        ],
    )
    def test_bad_fasta_is_refused_at_its_place(self, tmp_path, text, line, column, words):
        path = tmp_path / "bad.fa"
        path.write_text(text)
        with pytest.raises(InputError, match=words) as caught:
            build_genome_index(path, tmp_path / "index")
        assert caught.value.position is not None
        assert (caught.value.position.line, caught.value.position.column) == (line, column)
        assert caught.value.remedy
        assert sorted(item.name for item in tmp_path.iterdir()) == ["bad.fa"], "something half-written is left"

    def test_truncated_gzip_is_refused(self, tmp_path):
        path = tmp_path / "cut.fa.gz"
        path.write_bytes(gzip.compress(b">a\n" + b"ACGT" * 5000)[:-12])
        with pytest.raises(InputError, match="damaged or cut off"):
            build_genome_index(path, tmp_path / "index")

    def test_lower_case_iupac_crlf_and_gzip_are_read(self, tmp_path):
        guide = "ACGTTGCAACGTGTCATCAC"
        path = tmp_path / "a.fa.gz"
        path.write_bytes(gzip.compress(f">a x\r\n{guide.lower()}tgg\r\nRYKM\r\n".encode()))
        index = build_genome_index(path, tmp_path / "index")
        assert index.contigs[0].ambiguous == 4
        hits = search_guides(index, [guide.lower()], NUCLEASES["SpCas9"], pams=["NGG"])[0]
        assert hits.counts(0).tolist() == [[1]]

    def test_a_damaged_or_foreign_folder_is_refused(self, tmp_path):
        path = write(tmp_path, {"a": "ACGT" * 30 + "GG"})
        index = build_genome_index(path, tmp_path / "index")
        with pytest.raises(InputError, match="not empty"):
            build_genome_index(path, tmp_path / "index")
        with (index.folder / "NGG-20.words").open("ab") as stream:
            stream.write(b"x")
        with pytest.raises(InputError, match="damaged"):
            open_genome_index(index.folder)
        with pytest.raises(InputError, match="no index"):
            open_genome_index(tmp_path)

    def test_guides_and_nucleases_that_do_not_fit(self, tmp_path):
        index = build_genome_index(write(tmp_path, {"a": "ACGT" * 30}), tmp_path / "index")
        cas9 = NUCLEASES["SpCas9"]
        with pytest.raises(InputError, match="is no guide"):
            search_guides(index, ["ACGT"], cas9)
        with pytest.raises(InputError, match="is no guide"):
            search_guides(index, ["N" * 20], cas9)
        with pytest.raises(InputError, match="no sites for Cas12a"):
            search_guides(index, ["A" * 23], NUCLEASES["Cas12a"])
        with pytest.raises(InputError, match="mismatches"):
            search_guides(index, ["A" * 20], cas9, mismatches=9)
        with pytest.raises(InputError, match="no nuclease"):
            build_genome_index(tmp_path / "genome.fa", tmp_path / "other", ["Cas99"])


def test_the_index_is_built_once_and_opened_then(tmp_path, monkeypatch):
    monkeypatch.setenv("SEEDTRAIN_CACHE", str(tmp_path / "cache"))
    path = write(tmp_path, {"a": "ACGT" * 30 + "GG"})
    first = genome_index(path)
    stamp = (first.folder / "index.json").stat().st_mtime_ns
    again = genome_index(path)
    assert (again.folder, (again.folder / "index.json").stat().st_mtime_ns) == (first.folder, stamp)
    assert genome_index(path, circular=True).folder != first.folder
    assert genome_index(path, ["Cas12a"]).folder != first.folder


def test_the_index_of_the_same_bases_is_the_same_bytes(tmp_path):
    genome = {"a": "ACGTTGCAAC" * 40 + "GG", "b": "TTTGACGT" * 20}
    folders = []
    for width in (7, 60):
        place = tmp_path / str(width)
        place.mkdir()
        folders.append(build_genome_index(write(place, genome, width), place / "index", ["SpCas9", "Cas12a"]).folder)
    names = sorted(item.name for item in folders[0].iterdir())
    assert names == sorted(item.name for item in folders[1].iterdir())
    assert all((folders[0] / name).read_bytes() == (folders[1] / name).read_bytes() for name in names)


def test_words_round_trip():
    from seedtrain.bioinformatics._guides._sites import bases_of, word_of

    codes = np.random.default_rng(1).integers(0, 4, 24).astype(np.uint8)
    assert np.array_equal(bases_of(np.array([word_of(codes)]), 24)[0], codes)
