"""A printed record whose signature an authority stamped (RFC 3161); the authority and one judge are openssl's."""

from __future__ import annotations

import subprocess

import pytest
from asn1crypto import cms  # type: ignore[import-untyped]

from seedtrain.report import check_pdf
from tests.gmp_scenarios.hand import BATCH, Bench
from tests.judges import needs
from tests.record.authority import authority, serving
from tests.report.pdfa import claims

pytestmark = needs("pyhanko")


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    found = Bench.ready(tmp_path_factory.mktemp("stamped"))
    found.start()
    found.clock = None  # from here on the real one, which the authority's is too
    return found


@pytest.fixture(scope="module")
def tsa(tmp_path_factory):
    with authority(tmp_path_factory.mktemp("tsa")) as found:
        yield found


def token_of(pdf: bytes) -> tuple[bytes, bytes]:
    """The signature value of the PDF's signature, and the time stamp token over it, both as they stand there."""
    start = pdf.rindex(b"/Contents <") + len(b"/Contents <")
    raw = bytes.fromhex(pdf[start : pdf.index(b">", start)].decode("ascii"))
    (signer,) = cms.ContentInfo.load(raw)["content"]["signer_infos"]
    (attribute,) = [item for item in signer["unsigned_attrs"] if item["type"].native == "signature_time_stamp_token"]
    return signer["signature"].native, attribute["values"][0].dump()


def test_the_stamp_stands_in_the_signature_and_openssl_takes_it(bench, tsa, tmp_path):
    address, root = tsa
    file = tmp_path / "b.pdf"
    bench.done(None, "batch", "print", BATCH, file, "--tsa", address)
    pdf = file.read_bytes()
    assert claims(pdf) == claims(pdf[: pdf.index(b"%%EOF")] + b"%%EOF\n")  # still PDF/A by its own words
    signature, token = token_of(pdf)
    (tmp_path / "signature").write_bytes(signature)
    (tmp_path / "token").write_bytes(token)
    command = ["openssl", "ts", "-verify", "-data", str(tmp_path / "signature"), "-in", str(tmp_path / "token")]
    command += ["-token_in", "-CAfile", str(root), "-untrusted", str(root.parent / "chain.crt")]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    (one,) = check_pdf(pdf)
    assert one.intact
    assert one.stamp.endswith("Time stamps")
    alone = bench.run("batch", "verify", file)
    assert (alone.code, alone.data["criteria"][-1]["verdict"]) == (3, "inconclusive")
    vouched = bench.run("batch", "verify", file, "--ca", root)
    assert (vouched.code, vouched.data["verdict"]) == (0, "pass")
    assert vouched.data["criteria"][-1]["name"] == "time stamp"


def test_without_an_authority_nothing_changes(bench, tmp_path):
    file = tmp_path / "b.pdf"
    bench.done(None, "batch", "print", BATCH, file)
    assert check_pdf(file.read_bytes())[0].stamp == ""
    assert "time stamp" not in [item["name"] for item in bench.run("batch", "verify", file).data["criteria"]]


@pytest.mark.parametrize("answer", [b"", b"nonsense", 500])
def test_an_authority_that_fails_is_told_and_nothing_is_written(bench, tmp_path, answer):
    file = tmp_path / "b.pdf"
    with serving(lambda _query: answer) as address:
        refused = bench.run("batch", "print", BATCH, file, "--tsa", address)
    assert refused.code in (1, 4), refused.words
    assert refused.data["errors"][0]["remedy"]
    assert not file.exists()


def test_the_stamp_of_another_signature_is_found(bench, tsa, tmp_path):
    """The token of one document put into another of the same length."""
    address, _root = tsa
    pdfs = []
    for name in ("a.pdf", "b.pdf"):
        bench.done(None, "batch", "print", BATCH, tmp_path / name, "--tsa", address)
        pdfs.append((tmp_path / name).read_bytes())
    tokens = [token_of(pdf)[1].hex() for pdf in pdfs]
    start = pdfs[0].rindex(b"/Contents <")
    inside = pdfs[0][start:].decode("latin-1")
    moved = pdfs[0][:start] + inside.replace(tokens[0], tokens[1]).replace(tokens[0].upper(), tokens[1].upper()).encode(
        "latin-1"
    )
    assert moved != pdfs[0]
    assert len(moved) == len(pdfs[0])
    (one,) = check_pdf(moved)
    assert not one.holds
    assert one.intact  # what was signed is as it was; the stamp is not of it
    assert "time stamp" in one.fault
