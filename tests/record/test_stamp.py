"""Time stamps by RFC 3161, of a real authority (`openssl ts`), which also judges what is kept."""

import base64
import json
import shutil
import subprocess
import sys
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedtrain.base import InputError, IntegrityError, UnavailableError
from seedtrain.record import anchor_path, backup, export, key_path, open_ledger, stamp, verify
from seedtrain.record._verifier import StampError, read_stamp
from tests.record import authority
from tests.record.ledgers import build, reading, unguarded, words
from tests.worked import called


@pytest.fixture(scope="module", params=["rsa", "ec"])
def running(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(f"authority-{request.param}")
    with authority.authority(folder, kind=request.param, ess="sha1" if request.param == "rsa" else "sha256") as given:
        yield (folder, *given)


@pytest.fixture
def path(tmp_path):
    build(tmp_path / "record.db")
    return tmp_path / "record.db"


def stamped_line(path):
    (line,) = [json.loads(line) for line in anchor_path(path).read_text().splitlines() if '"token"' in line]
    return line["checkpoint"].encode(), base64.b64decode(line["token"])


def test_a_stamp_is_kept_verified_exported_and_taken_by_another_judge(running, path, tmp_path):
    folder, address, root = running
    said = called("record", "stamp", "--record", path, "--tsa", address, "--ca", root, "--json")
    assert said.code == 0, said.out + said.err
    made = said.document
    assert made["trusted"]
    assert made["size"] == 16
    assert authority.judged(folder, root, *stamped_line(path))
    with open_ledger(path) as ledger:  # which goes on
        ledger.append(reading(1))
    verdict = verify(path)
    assert (verdict.verdict, words(verdict)["stamps"]) == ("pass", "pass"), verdict.evidence
    assert any(f"16 events existed at {made['time']}" in line for line in verdict.evidence)
    export(path, tmp_path / "out")
    command = [sys.executable, str(tmp_path / "out/verify.py"), str(tmp_path / "out"), "--ca", str(root)]
    stranger = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    assert stranger.returncode == 0, stranger.stdout
    assert json.loads(stranger.stdout)["stamps"]
    assert backup(path, tmp_path / "copy").verdict == "pass"


def test_without_a_certificate_that_vouches_the_verdict_is_inconclusive(running, path, tmp_path):
    _, address, root = running
    assert not stamp(path, address).trusted
    assert words(verify(path))["stamps"] == "inconclusive"
    assert verify(path, authorities=root).verdict == "pass"
    other = authority.lay_out(tmp_path / "other", kind="ec")
    assert words(verify(path, authorities=other))["stamps"] == "inconclusive"
    with pytest.raises(InputError, match="none of these certificates vouches"):
        stamp(path, address, other)
    (tmp_path / "nothing.pem").write_text("nothing")
    with pytest.raises(InputError, match="no certificate"):
        verify(path, authorities=tmp_path / "nothing.pem")


def test_a_stamp_moved_to_another_checkpoint_or_history_is_found(running, path):
    _, address, root = running
    stamp(path, address, root)
    note, token = stamped_line(path)
    with open_ledger(path) as ledger:
        ledger.append(reading(1))
        other = ledger.note
    text = anchor_path(path).read_text()
    moved = json.dumps({"checkpoint": other, "token": base64.b64encode(token).decode()})
    anchor_path(path).write_text(text + moved + "\n")
    verdict = verify(path)
    assert words(verdict)["stamps"] == "fail"
    assert any("given for something else" in line for line in verdict.evidence)
    anchor_path(path).write_text(text)
    connection = unguarded(path)
    connection.execute("DELETE FROM event WHERE seq > 10")
    connection.execute("DELETE FROM checkpoint WHERE size > 10")
    connection.close()
    kept = json.dumps({"checkpoint": note.decode(), "token": base64.b64encode(token).decode()})
    anchor_path(path).write_text(kept + "\n")  # all that is left of the anchors
    assert words(verify(path))["anchors"] == "fail"


@pytest.fixture(scope="module")
def token(running):
    folder, address, root = running
    build(folder / "record.db")
    stamp(folder / "record.db", address, root)
    return (*stamped_line(folder / "record.db"), root.read_bytes())


@settings(max_examples=80)
@given(data=st.data())
def test_no_flipped_bit_of_a_token_changes_what_it_says(token, data):
    note, raw, trusted = token
    before = read_stamp(raw, note, trusted)
    changed = bytearray(raw)
    changed[data.draw(st.integers(0, len(raw) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    try:
        after = read_stamp(bytes(changed), note, trusted)
    except StampError:
        return
    assert after[:2] == before[:2]  # the bit stood outside what is signed


@settings(max_examples=60)
@given(raw=st.binary(max_size=80))
def test_what_is_no_token_is_refused_in_words(raw):
    with pytest.raises(StampError):
        read_stamp(raw, b"note", b"")


def test_a_stamp_torn_by_a_power_loss_is_no_fault_and_the_ledger_goes_on(running, path):
    _, address, root = running
    stamp(path, address, root)
    whole = anchor_path(path).read_bytes()
    lines = whole.splitlines(keepends=True)
    for cut in (len(lines[-1]) // 3, len(lines[-1]) - 2):
        anchor_path(path).write_bytes(b"".join(lines[:-1]) + lines[-1][:cut])
        with open_ledger(path) as ledger:
            ledger.append(reading(1))
        assert verify(path).verdict == "pass"


def test_an_authority_that_does_not_answer_refuses_or_lies_is_told(running, path, tmp_path):
    folder, _, root = running
    before = anchor_path(path).read_bytes()

    def asked(answer, **options):
        with authority.serving(answer) as address:
            stamp(path, address, root, **options)

    def slowly(_query):
        time.sleep(1)
        return b""

    with pytest.raises(UnavailableError, match="503"):
        asked(lambda _: 503)
    with pytest.raises(IntegrityError, match="no answer of a time stamp authority"):
        asked(lambda _: b"<html>sign in</html>")
    with pytest.raises(UnavailableError, match=r"within 0\.2 s"):
        asked(slowly, timeout_s=0.2)
    recorded: list[bytes] = []

    def once(query):
        recorded.append(recorded[0] if recorded else authority.reply(folder, query))
        return recorded[-1]

    asked(once)
    after = anchor_path(path).read_bytes()
    assert after != before
    with authority.serving(lambda _: recorded[0]) as address, pytest.raises(IntegrityError, match="another request"):
        stamp(path, address, root)
    authority.lay_out(tmp_path / "narrow", kind="ec", digests="sha512")
    with pytest.raises(UnavailableError, match="refuses"):
        asked(lambda query: authority.reply(tmp_path / "narrow", query))
    for bad in ("ftp://127.0.0.1/tsr", "file:///etc/hosts", "nothing"):
        with pytest.raises(InputError):
            stamp(path, bad)
    assert called("record", "stamp", "--record", path, "--tsa", "http://127.0.0.1:9/tsr").code == 4
    assert called("record", "stamp", "--record", path).code == 2
    assert anchor_path(path).read_bytes() == after


def test_a_certificate_that_has_ended_vouches_for_nothing_later(path, tmp_path):
    with (
        authority.authority(tmp_path / "old", kind="ec", days=-1) as (address, root),
        pytest.raises(IntegrityError, match=r"not valid|holds|hold"),
    ):
        stamp(path, address, root)


def test_the_certificate_kept_at_the_first_stamp_serves_the_next(running, path):
    _, address, root = running
    stamp(path, address, root)
    kept = (key_path(path) / "tsa.pem").read_bytes()
    assert stamp(path, address).trusted
    stamp(path, address, root)
    assert (key_path(path) / "tsa.pem").read_bytes() == kept
    shutil.rmtree(key_path(path))
    assert verify(path).verdict == "inconclusive"
