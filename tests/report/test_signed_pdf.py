"""Files inside a PDF and signatures on it: still PDF/A, each changed byte found; judges: pypdf, poppler, openssl."""

from __future__ import annotations

import io
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from typing import Any

import pypdf
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization.pkcs12 import serialize_key_and_certificates
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from seedtrain.base import InputError
from seedtrain.report import (
    Attachment,
    DocumentSigner,
    Heading,
    Page,
    Paragraph,
    certificates_in,
    check_pdf,
    read_pkcs12,
    render_pdf,
    sign_pdf,
)
from tests.judges import missing
from tests.report.pdfa import claims, faults

PAGE = Page("A page \u4e16\u754c", [Heading("One"), Paragraph("text")], mark="simulated")
FILES = (
    Attachment("events.jsonl", '{"a":"\u4e16"}\n', "application/jsonl", "the events", "data"),
    Attachment("recipe.yaml", "recipe: x\n", "application/yaml", "the recipe", "source"),
)


def certificate(key, name, issuer=None, issuer_key=None):
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    above = issuer_key or key
    now = datetime.now(UTC) - timedelta(minutes=1)
    usage = [issuer is not None, issuer is not None, *[False] * 3, issuer is None, issuer is None, False, False]
    return (
        x509.CertificateBuilder(
            issuer or subject, subject, key.public_key(), x509.random_serial_number(), now, now + timedelta(days=9)
        )
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .add_extension(x509.KeyUsage(*usage), critical=True)
        .sign(above, None if isinstance(above, ed25519.Ed25519PrivateKey) else hashes.SHA256())
    )


def signer(key) -> DocumentSigner:
    root = ed25519.Ed25519PrivateKey.generate()
    above = certificate(root, "root")
    return DocumentSigner(certificate(key, "signer", above.subject, root), key, (above,))


@pytest.fixture(scope="module")
def by_server() -> DocumentSigner:
    return signer(ec.generate_private_key(ec.SECP256R1()))


@pytest.fixture(scope="module")
def plain() -> bytes:
    return render_pdf(PAGE, FILES)


@pytest.fixture(scope="module")
def signed(plain, by_server) -> bytes:
    return sign_pdf(plain, by_server, reason="issued", name="Somebody", location="Here")


def test_files_travel_inside_and_make_it_pdf_a_3(plain):
    assert claims(plain) == ("3", "A")
    assert claims(render_pdf(PAGE)) == ("2", "A")
    found = pypdf.PdfReader(io.BytesIO(plain)).attachments
    assert {name: content[0].decode("utf-8") for name, content in found.items()} == {
        item.name: item.text for item in FILES
    }
    assert plain == render_pdf(PAGE, FILES)


def test_it_is_pdf_a_before_and_after_the_signature(plain, signed):
    for pdf in (render_pdf(PAGE), plain, signed):
        assert faults(pdf) == []
    assert signed.startswith(plain), "a signature only appends"
    assert claims(signed) == ("3", "A")


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (b"<pdfaid:part>3<", b"<pdfaid:part>9<", "6.6.4"),
        (b"/GTS_PDFA1", b"/GTS_PDFX1", "6.2.3"),
        (b"/AFRelationship", b"/AFRelationshop", "6.8"),
        (b"%PDF-1.7", b"%PDF-2.0", "6.1.2"),
    ],
)
def test_the_check_by_hand_sees_what_breaks_it(plain, before, after, words):
    assert any(words in fault for fault in faults(plain.replace(before, after)))


def test_who_signed_what_and_when(signed, by_server):
    (found,) = check_pdf(signed, by_server.chain)
    assert found.holds
    assert (found.reason, found.signer) == ("issued", "Common Name: signer")
    assert abs(datetime.fromisoformat(found.time) - datetime.now(UTC)) < timedelta(minutes=5)
    assert {item.subject for item in certificates_in(signed)} == {
        by_server.certificate.subject,
        by_server.chain[0].subject,
    }
    (unknown,) = check_pdf(signed)
    assert (unknown.intact, unknown.whole, unknown.trusted, unknown.holds) == (True, True, False, False)
    (other,) = check_pdf(signed, signer(ec.generate_private_key(ec.SECP256R1())).chain)
    assert not other.trusted


def holds(pdf, trusted) -> bool:
    try:
        found = check_pdf(pdf, trusted)
    except InputError:
        return False
    return bool(found) and all(item.holds for item in found)


@settings(max_examples=60)
@given(data=st.data())
def test_one_changed_byte_is_found_wherever_it_stands(signed, by_server, data):
    at = data.draw(st.integers(0, len(signed) - 1))
    bit = data.draw(st.integers(0, 7))
    start = signed.rindex(b"/Contents <3") + len(b"/Contents <")
    if start <= at < start + 65_536:  # the signature itself: padding that no reader uses is not covered
        at = data.draw(st.integers(0, start - 1))
    changed = signed[:at] + bytes([signed[at] ^ (1 << bit)]) + signed[at + 1 :]
    assert not holds(changed, by_server.chain)


def test_what_is_appended_or_cut_is_found(signed, by_server, plain):
    assert holds(signed, by_server.chain)
    assert not holds(signed + b"\n% more", by_server.chain)
    assert not holds(signed[:-20], by_server.chain)
    assert not holds(plain, by_server.chain)
    writer = pypdf.PdfWriter(io.BytesIO(signed), incremental=True)
    writer.add_metadata({"/Title": "Another"})
    stream = io.BytesIO()
    writer.write(stream)
    assert not holds(stream.getvalue(), by_server.chain)


def test_a_second_person_signs_and_both_signatures_hold(signed, by_server):
    other = signer(ed25519.Ed25519PrivateKey.generate())
    twice = sign_pdf(signed, other, reason="received")
    found = check_pdf(twice, (*by_server.chain, *other.chain))
    assert [item.reason for item in found] == ["issued", "received"]
    assert all(item.holds for item in found)
    assert faults(twice) == []


def test_a_persons_own_pkcs12_signs(plain):
    key = rsa.generate_private_key(65537, 2048)
    mine = certificate(key, "A QP", x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "house")]), key)
    sealed = serialization.BestAvailableEncryption(b"a passphrase")
    content = serialize_key_and_certificates(b"me", key, mine, None, sealed)
    held = read_pkcs12(content, "a passphrase", "me.p12")
    assert held.certificate == mine
    (found,) = check_pdf(sign_pdf(plain, held, reason="certified"), [mine])
    assert found.intact
    assert found.whole
    for given_content, phrase in ((content, "another"), (b"nothing", "a passphrase")):
        with pytest.raises(InputError, match=r"me\.p12"):
            read_pkcs12(given_content, phrase, "me.p12")
    assert "PRIVATE" not in repr(held)


def test_keys_that_pdfs_do_not_know_and_files_that_are_none(by_server, plain):
    from cryptography.hazmat.primitives.asymmetric import ed448

    with pytest.raises(InputError, match="Ed448"):
        sign_pdf(plain, DocumentSigner(by_server.certificate, ed448.Ed448PrivateKey.generate()), reason="x")
    for junk in (b"", b"%PDF-1.7\n", b"hello"):
        with pytest.raises(InputError):
            check_pdf(junk)


def test_poppler_finds_the_signature_valid(signed, tmp_path):
    if shutil.which("pdfsig") is None:
        missing("pdfsig is not installed: apt-get install poppler-utils")
    path = tmp_path / "signed.pdf"
    path.write_bytes(signed)
    said = subprocess.run(["pdfsig", "-nocert", str(path)], capture_output=True, text=True, check=True).stdout
    assert "Signature is Valid" in said
    assert "Total document signed" in said
    at = signed.index(b"stream")
    path.write_bytes(signed[: at + 40] + bytes([signed[at + 40] ^ 1]) + signed[at + 41 :])
    said = subprocess.run(["pdfsig", "-nocert", str(path)], capture_output=True, text=True, check=False).stdout
    assert "Signature is Valid" not in said


def test_openssl_finds_the_signature_valid_over_the_bytes_named(signed, by_server, tmp_path):
    """The byte range and the CMS object cut out by hand, verified by a program that knows no PDF."""
    if shutil.which("openssl") is None:
        missing("openssl is not installed: apt-get install openssl")
    reader: Any = pypdf.PdfReader(io.BytesIO(signed))
    fields = reader.trailer["/Root"]["/AcroForm"]["/Fields"]
    value = fields[0].get_object()["/V"].get_object()
    begin, length, second, rest = (int(item) for item in value["/ByteRange"])
    assert (begin, second + rest) == (0, len(signed))
    (tmp_path / "content").write_bytes(signed[:length] + signed[second : second + rest])
    (tmp_path / "cms").write_bytes(bytes.fromhex(signed[length + 1 : second - 1].decode("ascii")))
    (tmp_path / "root.pem").write_bytes(by_server.chain[0].public_bytes(serialization.Encoding.PEM))
    command = "openssl cms -verify -binary -inform DER -in cms -content content -CAfile root.pem -purpose any -out out"
    done = subprocess.run(command.split(), cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (tmp_path / "content").write_bytes(signed[: length - 1] + b"!" + signed[second : second + rest])
    assert subprocess.run(command.split(), cwd=tmp_path, capture_output=True, check=False).returncode != 0
