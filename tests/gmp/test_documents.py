"""The printed record, the certificate and the folder for a stranger, by the command line, with attacks."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import pypdf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedtrain.base import use_language
from seedtrain.gmp import (
    assess_laboratory,
    batch_pdf,
    certificate_pdf,
    close_investigation,
    export_batch,
    investigate_fully,
    open_investigations,
    person_signer,
    rules,
    verify_document,
)
from seedtrain.gmp._documents import _document_key
from seedtrain.gmp._documents._batch_page import SECTIONS, print_batch
from seedtrain.gmp._documents._case import Case
from seedtrain.gmp._documents._places import places
from seedtrain.gmp._qualify._sample import BATCH, Sample
from seedtrain.record import Draft, _credentials, append_signed, enrol_person, open_ledger, unlock
from seedtrain.report import DocumentSigner, Page, Table, render_pdf, sign_pdf
from tests.gmp.made import Made
from tests.report.pdfa import claims, faults
from tests.worked import Said, called


@dataclass
class Kept:
    """A released batch made by hand, in a closed ledger; `run` gives it to every command."""

    folder: Path
    record: Path
    key: str

    def run(self, *words: object) -> Said:
        return called("batch", *words, "--record", self.record)


@pytest.fixture(scope="module")
def kept(tmp_path_factory) -> Kept:
    folder = tmp_path_factory.mktemp("batch")
    sample = Sample.make(folder / "record.db")
    key = sample.ledger.keys.server_public
    assert key is not None
    sample.ledger.append(Draft("batch.created", "OTHER-CUSTOMER", {"of": "somebody else"}, "system"))
    sample.ledger.close()
    return Kept(folder, folder / "record.db", key.hex())


def text_of(pdf: bytes) -> list[str]:
    return [page.extract_text().replace("\u200b", "") for page in pypdf.PdfReader(io.BytesIO(pdf)).pages]


def squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text)


@pytest.fixture(scope="module")
def printed(kept: Kept) -> bytes:
    said = kept.run("print", BATCH, kept.folder / "record.pdf", "--json")
    assert said.code == 0, said.err
    content = (kept.folder / "record.pdf").read_bytes()
    assert said.document["sha256"] == hashlib.sha256(content).hexdigest()
    assert "Seedtrain documents" in said.document["signed_by"]
    return content


def test_the_print_is_archivable_signed_and_whole(kept, printed):
    assert claims(printed) == ("3", "A")
    assert faults(printed) == []
    assert kept.run("verify", kept.folder / "record.pdf").code == 0
    said = called("batch", "verify", kept.folder / "record.pdf", "--key", kept.key, "--json")
    assert said.code == 0
    assert {item["verdict"] for item in said.document["criteria"]} == {"pass"}


def test_everything_of_the_batch_is_in_print(kept, printed):
    pages = text_of(printed)
    whole = squeezed("".join(pages))
    with open_ledger(kept.record, read_only=True) as ledger:
        case = Case.of(ledger, BATCH)
        record, events = case.record, case.events
        names = {actor: case.name(actor) for actor in {event.actor for event in events}}
    for phase in record.steps:
        assert squeezed(phase.phase) in whole
    for value in record.values:
        assert squeezed(f"{value.current} {value.unit}") in whole
    for used in record.consumed:
        assert used.lot in whole
        assert squeezed(f"{used.amount} {used.unit}") in whole
    for item in record.signatures:
        assert squeezed(names[item.actor]) in whole
        assert squeezed(item.meaning) in whole
        assert squeezed(item.occurred_at[:19].replace("T", " ")) in whole
        assert item.record_digest in whole
    (gross,) = [item for item in record.values if item.tag == "gross"]
    assert "▲was1205:misread" in whole, "a changed value is flagged with the old one (Annex 11, 8.2)"
    assert gross.current == "1204"
    for event in events:
        assert f"{event.seq}{event.occurred_at[:10]}" in whole, f"event {event.seq} is not in the audit trail"
    for clause in places():
        assert clause.clause in whole
    assert record.header.recipe_digest in whole
    assert kept.key in whole


def test_every_page_has_its_mark_and_number(printed):
    pages = text_of(printed)
    assert len(pages) >= 5
    for number, text in enumerate(pages, start=1):
        assert "simulated batch, not for use" in text
        assert f"{number} / {len(pages)}" in text


def test_the_events_and_the_recipe_travel_inside(kept, printed):
    files = {name: content[0] for name, content in pypdf.PdfReader(io.BytesIO(printed)).attachments.items()}
    with open_ledger(kept.record, read_only=True) as ledger:
        events = list(ledger.events(subject=BATCH))
    assert files["events.jsonl"] == b"".join(event.body + b"\n" for event in events)
    assert b"recipe: qualification" in files["recipe.yaml"]
    text = squeezed("".join(text_of(printed)))
    for content in files.values():
        assert hashlib.sha256(content).hexdigest() in text


def test_the_same_record_gives_the_same_bytes_whatever_else_is_recorded(kept, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(kept.folder, copy)
    with open_ledger(copy / "record.db") as ledger:
        first = batch_pdf(ledger, BATCH), certificate_pdf(ledger, BATCH)
        ledger.append(Draft("lot.noted", "elsewhere", {}, "system"))
        assert (batch_pdf(ledger, BATCH), certificate_pdf(ledger, BATCH)) == first
    said = called("batch", "print", BATCH, tmp_path / "plain.pdf", "--unsigned", "--record", kept.record)
    assert said.code == 0
    assert (tmp_path / "plain.pdf").read_bytes() == first[0]
    assert called("batch", "verify", tmp_path / "plain.pdf", "--key", kept.key).code == 3


def test_in_chinese(kept, tmp_path):
    for command, title in (("print", "批记录"), ("certificate", "检验报告书")):
        path = tmp_path / f"{command}.pdf"
        assert kept.run(command, BATCH, path, "--lang", "zh").code == 0
        pdf = path.read_bytes()
        text = "".join(text_of(pdf))
        assert title in text
        assert "模拟批次，不得使用" in text
        assert faults(pdf) == []
        assert kept.run("verify", path, "--lang", "zh").code == 0


def test_tampering_is_found(kept, printed, tmp_path):
    path = tmp_path / "changed.pdf"
    for at in (100, len(printed) // 3, len(printed) // 2):
        path.write_bytes(printed[:at] + bytes([printed[at] ^ 1]) + printed[at + 1 :])
        assert kept.run("verify", path).code in (1, 2), at
    path.write_bytes(printed + b"\n")
    assert kept.run("verify", path).code == 1
    assert called("batch", "verify", kept.folder / "record.pdf", "--key", "00" * 32).code == 1
    assert called("batch", "verify", kept.folder / "record.pdf").code == 3  # nobody said whose key to trust
    assert called("batch", "verify", kept.folder / "record.pdf", "--key", "xyz").code == 2


def test_every_section_of_211_188_exists_and_is_named(kept):
    keys = {key for key, _ in SECTIONS}
    assert {item.section for item in places()} <= keys
    assert [item.clause for item in places()] == ["211.188(a)", *(f"211.188(b)({number})" for number in range(1, 14))]
    (rule,) = [item for item in rules() if item.name == "21 CFR 211.188"]
    assert [item.clause for item in rule.clauses] == [item.clause for item in places()]


def test_every_reading_is_printed_where_all_are_asked_for(tmp_path):
    made = Made.in_folder(tmp_path)
    made.run()
    pages = [print_batch(Case.of(made.ledger, "B-1", full=full)).page for full in (False, True)]
    rows = [
        sum(len(block.rows) for block in page.blocks if isinstance(block, Table) and len(block.columns) == 8)
        for page in pages
    ]
    made.ledger.close()
    assert rows[1] > rows[0]


def test_the_certificate_says_what_was_tested_and_who_released_it(kept, tmp_path):
    said = kept.run("certificate", BATCH, tmp_path / "coa.pdf", "--data", tmp_path / "coa.json", "--json")
    assert said.code == 0, said.err
    data = json.loads((tmp_path / "coa.json").read_text())
    assert data["released"] is True
    assert {item["attribute"]: item["verdict"] for item in data["tests"]} == {"identity": "pass", "content": "pass"}
    pdf = (tmp_path / "coa.pdf").read_bytes()
    assert claims(pdf) == ("2", "A")
    assert faults(pdf) == []
    text = squeezed("".join(text_of(pdf)))
    for words in ("Certificateofanalysis", "titration", "0.90%", "released", "Thequality", "release"):
        assert words in text


def test_a_certificate_of_what_is_not_released_says_so_on_every_page(tmp_path):
    made = Made.in_folder(tmp_path)
    made.run()
    for text in text_of(certificate_pdf(made.ledger, "B-1")):
        assert "not released" in text
    made.ledger.close()


def test_a_person_signs_the_print_with_their_own_key(kept, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(kept.folder, folder)
    with patch.object(_credentials, "MEMORY_KIB", 64):
        with open_ledger(folder / "record.db") as ledger:
            actor = enrol_person(ledger, "Li Na", ["authorised_person"], password="four quick brown foxes")  # noqa: S106
        for password, code in (("wrong quick brown foxes", 2), ("four quick brown foxes", 0)):
            read, write = os.pipe()
            os.write(write, f"{password}\n".encode())
            os.close(write)
            words = ("print", BATCH, folder / "own.pdf", "--as", actor, "--password-fd", read)
            said = called("batch", *words, "--record", folder / "record.db", "--json")
            os.close(read)
            assert said.code == code, said.out
    assert "Li Na" in said.document["signed_by"]
    assert called("batch", "verify", folder / "own.pdf", "--key", kept.key).code == 0
    with open_ledger(folder / "record.db", read_only=True) as ledger:
        assert len(list(ledger.events(subject=actor, type="person.refused"))) == 1


def test_a_person_cannot_sign_a_print_under_another_name(tmp_path):
    """The server lets a person's key certify that person's name and no other."""
    with patch.object(_credentials, "MEMORY_KIB", 64), open_ledger(tmp_path / "record.db") as ledger:
        actor = enrol_person(ledger, "Li Na", ["qa"], password="four quick brown foxes")  # noqa: S106
        person = unlock(ledger, actor, "four quick brown foxes")
        own, server = person_signer(ledger, person), ledger.keys.server_public
    middle, root = own.chain
    begin = root.not_valid_before_utc
    pdf = render_pdf(Page("A print", ()))
    assert verify_document(sign_pdf(pdf, own, reason="x"), server).verdict == "pass"
    another = _document_key._name("Wang Fang", "person-9")
    public = own.certificate.public_key()
    forged = _document_key._certificate(another, middle.subject, public, person.key.private, begin)
    signed = sign_pdf(pdf, DocumentSigner(forged, own.key, (middle, root)), reason="x")
    assert verify_document(signed, server).verdict == "fail"


def test_what_cannot_be_printed(kept, tmp_path):
    assert kept.run("print", "NONE", tmp_path / "x.pdf").code == 2
    assert kept.run("print", BATCH, tmp_path / "x.pdf", "--unsigned", "--as", "person-1").code == 2
    assert called("batch", "print", BATCH, tmp_path / "x.pdf").code == 2
    (tmp_path / "junk.p12").write_bytes(b"junk")
    read, write = os.pipe()
    os.write(write, b"secret\n")
    os.close(write)
    said = kept.run("print", BATCH, tmp_path / "x.pdf", "--p12", tmp_path / "junk.p12", "--password-fd", read)
    os.close(read)
    assert said.code == 2
    assert "secret" not in said.err
    assert not (tmp_path / "x.pdf").exists()
    (tmp_path / "file").touch()
    assert kept.run("print", BATCH, tmp_path / "file" / "x.pdf", "--unsigned").code == 4
    assert kept.run("verify", tmp_path / "junk.p12").code == 2
    assert kept.run("verify", tmp_path / "none.pdf").code == 2


@pytest.fixture(scope="module")
def handed(kept: Kept) -> Path:
    folder = kept.folder / "handover"
    said = kept.run("export", BATCH, folder, "--json")
    assert said.code == 0, said.err
    assert set(said.document["files"]) == {path.name for path in folder.iterdir()}
    assert kept.key in said.document["verify"]
    return folder


def alone(folder: Path, *more: str) -> int:
    """The one-file verifier, isolated: it can import nothing of ours."""
    command = [sys.executable, "-I", str(folder / "verify.py"), str(folder), *more]
    return subprocess.run(command, capture_output=True, check=False).returncode


def test_a_stranger_checks_the_folder_with_the_one_file(kept, handed):
    assert alone(handed, "--key", kept.key) == 0
    assert "seedtrain" not in re.findall(r"^(?:import|from) (\w+)", (handed / "verify.py").read_text(), re.MULTILINE)
    for name in ("README.md", "README.zh.md"):
        text = (handed / name).read_text()
        assert kept.key in text
        for path in handed.iterdir():
            assert path.name.startswith("README") or f"`{path.name}`" in text
    assert called("batch", "verify", handed / "batch-record.pdf", "--key", kept.key).code == 0
    assert kept.run("export", BATCH, handed).code == 2  # the folder is taken


def test_nothing_of_another_batch_leaves_the_house(handed):
    for path in handed.iterdir():
        assert b"OTHER-CUSTOMER" not in path.read_bytes(), path.name


@settings(max_examples=25)
@given(data=st.data())
def test_one_flipped_bit_in_any_file_is_found(handed, tmp_path_factory, data):
    names = sorted(path.name for path in handed.iterdir() if path.name != "verify.py")
    name = data.draw(st.sampled_from(names))
    content = (handed / name).read_bytes()
    at, bit = data.draw(st.integers(0, len(content) - 1)), data.draw(st.integers(0, 7))
    folder = tmp_path_factory.mktemp("attacked")
    shutil.copytree(handed, folder, dirs_exist_ok=True)
    (folder / name).write_bytes(content[:at] + bytes([content[at] ^ (1 << bit)]) + content[at + 1 :])
    assert alone(folder) != 0, f"{name}: bit {bit} of byte {at}"
    shutil.rmtree(folder)


def test_a_file_put_in_afterwards_is_found_also_beside_the_whole_ledger(kept, handed, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(handed, folder)
    (folder / "certificate-2.pdf").write_bytes((handed / "certificate.pdf").read_bytes())
    assert alone(folder, "--key", kept.key) == 1
    everything = tmp_path / "whole"
    assert kept.run("export", BATCH, everything, "--whole").code == 0
    assert alone(everything, "--key", kept.key) == 0
    assert alone(everything / "ledger", "--key", kept.key) == 0
    (everything / "ledger" / "leaves.txt").unlink()  # the ledger's own check does without it
    assert alone(everything / "ledger", "--key", kept.key) == 0
    assert alone(everything, "--key", kept.key) == 1


def test_a_removed_file_is_found(handed, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(handed, folder)
    (folder / "certificate.pdf").unlink()
    assert alone(folder) == 1


def test_telemetry_is_handed_over_and_must_be_what_was_recorded(tmp_path):
    made = Made.in_folder(tmp_path)
    made.run()
    content = b"time_h,pH\n0,7\n"
    digest = hashlib.sha256(content).hexdigest()
    payload = {"phase": "production/main/grow", "digest": digest, "tags": ["pH"], "start_h": "0", "end_h": "1"}
    made.add("segment.stored", payload | {"count": 1})
    (tmp_path / "segments").mkdir()
    found = export_batch(made.ledger, "B-1", tmp_path / "without", signer=None)
    assert any(digest[:16] in line for line in found.left_out)
    (tmp_path / "segments" / f"{digest}.csv").write_bytes(content)
    found = export_batch(made.ledger, "B-1", tmp_path / "with", signer=None)
    assert f"telemetry/{digest}.csv" in found.files
    assert alone(tmp_path / "with") == 0
    (tmp_path / "segments" / f"{digest}.csv").write_bytes(b"another")
    made.ledger.close()
    said = called("batch", "export", "B-1", tmp_path / "other", "--record", tmp_path / "record.db")
    assert said.code == 1
    assert not (tmp_path / "other").exists()


def test_the_whole_ledger_where_it_is_asked_for(kept, tmp_path):
    said = kept.run("export", BATCH, tmp_path / "whole", "--whole", "--json")
    assert said.code == 0
    assert alone(tmp_path / "whole") == 0
    assert alone(tmp_path / "whole" / "ledger") == 0


def test_words_of_a_batch_are_never_markup(tmp_path):
    made = Made.in_folder(tmp_path)
    made.create()
    made.value("seed/expansion/thaw", "*_#$", "1", ("0", "2"), unit="<b>&", kind="entry")
    with use_language("zh"):
        text = squeezed("".join(text_of(batch_pdf(made.ledger, "B-1"))))
    made.ledger.close()
    assert "*_#$" in text
    assert "<b>&" in text


def test_a_value_past_its_alert_limit_only_is_shown_and_no_excursion(tmp_path):
    made = Made.in_folder(tmp_path)
    made.create()
    made.start("seed/expansion/thaw")
    levels = {"alert": {"low": "6.9", "high": "7.1"}, "action": {"low": "6.5", "high": "7.5"}}
    for value in ("7.0", "7.2"):
        made.value("seed/expansion/thaw", f"pH{value}", value, ("6.5", "7.5"), payload={"levels": levels})
    text = squeezed("".join(text_of(batch_pdf(made.ledger, "B-1"))))
    made.ledger.close()
    assert "outside:alertlimit" in text
    assert text.count("outside:alertlimit") == 1


def test_an_investigation_of_a_result_is_in_print_from_laboratory_to_conclusion(tmp_path):
    made = Sample.open(tmp_path / "record.db")
    made.start()
    made.weigh()
    made.measure(pH="8.1")
    made.fill()
    made.finish()
    made.results({"identity": "conforms", "content": "0.50 %"})
    made.close_deviations()
    people = made.people
    people["lab"] = enrol_person(made.ledger, "The head of laboratory", ["quality_control"], scripted=True)
    open_investigations(made.ledger, BATCH)
    name = f"{BATCH}-OOS-01"
    assess_laboratory(made.ledger, name, findings="burette in order", assignable=False, actor=people["lab"])
    found, cause = "salt was short", "balance read wrongly"
    investigate_fully(made.ledger, name, findings=found, cause=cause, actor=people["lab"])
    close_investigation(made.ledger, name, conclusion="confirmed", words="the batch is short", actor=people["quality"])
    text = squeezed("".join(text_of(batch_pdf(made.ledger, BATCH))))
    made.ledger.close()
    for words in (name, "burette in order", "salt was short", "balance read wrongly", "the batch is short"):
        assert squeezed(words) in text, words
    for words in (f"{BATCH}-DEV-01", "pH 8.1", "minor", "misread", "read again"):
        assert squeezed(words) in text, words
    assert squeezed("out of specification") in text


def test_a_release_by_somebody_without_the_role_is_shown_and_counts_for_nothing(tmp_path):
    made = Sample.open(tmp_path / "record.db")
    made.start()
    payload = {"reasons": [], "verdict": {"verdict": "pass"}}
    append_signed(made.ledger, Draft("batch.released", BATCH, payload, made.people["checker"]), "release")
    text = squeezed("".join(text_of(batch_pdf(made.ledger, BATCH))))
    assert "Writtenbypeoplewhohadnoroleforit" in text
    assert all("not released" in page for page in text_of(certificate_pdf(made.ledger, BATCH)))
    made.ledger.close()
