"""Personal data: sealed per person, erased by destroying a key; the ledger verifies before and after."""

import pytest

from seedtrain.base import InputError
from seedtrain.record import (
    RefusedError,
    append_signed,
    backup,
    destroy,
    enrol_person,
    erased,
    export,
    key_path,
    open_ledger,
    open_text,
    person_name,
    seal,
    sealed_text,
    signing_as,
    unlock,
    unseal,
    verify,
)
from seedtrain.record import _credentials as credentials
from seedtrain.record._event import Draft

PASSWORD = "four quick brown foxes"  # noqa: S105
NAME, PHONE, DISEASE = "Xu Wenqing-Hartmann", "+86 21 5555 0199", "a rare disease of the blood"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "record.db"


@pytest.fixture
def ledger(path, monkeypatch):
    monkeypatch.setattr(credentials, "MEMORY_KIB", 64)
    with open_ledger(path) as opened:
        enrol_person(opened, "Zhao Min", ["administrator"], password=PASSWORD)
        with signing_as(unlock(opened, "person-1", PASSWORD)):
            yield opened


@pytest.fixture
def actor(ledger):
    return enrol_person(ledger, NAME, ["operator"], password=PASSWORD, by="person-1")


def files(folder):
    return [item.read_bytes() for item in folder.rglob("*") if item.is_file()]


def stands_somewhere(folder, *texts):
    return any(text.encode() in content for text in texts for content in files(folder))


def keys_that_open(ledger, folder, sealed):
    """How many files of the folder are a key that opens a sealed name, whatever they are called."""
    import base64

    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

    raw = base64.b64decode(sealed.split()[1])
    count = 0
    for content in files(folder):
        for at in range(len(content) - 31) if len(content) <= 256 else ():
            try:
                ChaCha20Poly1305(content[at : at + 32]).decrypt(raw[:12], raw[12:], b"person-2")
                count += 1
            except InvalidTag:
                continue
    return count


def test_sealed_fields_open_with_their_key_and_stand_nowhere_in_plain(ledger, actor, tmp_path):
    seal(ledger, actor, "telephone", "wrong number")
    seal(ledger, actor, "telephone", PHONE)
    seal(ledger, "patient-17ab", "diagnosis", DISEASE)
    assert unseal(ledger, actor, "telephone") == PHONE
    assert unseal(ledger, actor, "address") is None
    assert unseal(ledger, "patient-17ab", "diagnosis") == DISEASE
    text = sealed_text(ledger, "patient-17ab", "born", "1961-04-01")
    assert open_text(ledger, "patient-17ab", "born", text) == "1961-04-01"
    export(ledger.path, tmp_path / "out")
    assert not stands_somewhere(tmp_path, NAME, PHONE, DISEASE, "1961-04-01")
    for field, value in (("Telephone", PHONE), ("telephone", " "), ("", PHONE)):
        with pytest.raises(InputError, match="holds nothing to seal"):
            seal(ledger, actor, field, value)
    with pytest.raises(InputError, match="not enrolled"):
        seal(ledger, "person-99", "telephone", PHONE)
    for subject in ("../server", "patient-17ab/..", "a" * 65, ""):
        with pytest.raises(InputError, match="not an identity"):
            seal(ledger, subject, "telephone", PHONE)


def test_a_sealed_text_moved_to_another_person_or_field_does_not_open(ledger, actor):
    from seedtrain.base import IntegrityError

    text = sealed_text(ledger, "patient-17ab", "diagnosis", DISEASE)
    sealed_text(ledger, "patient-2", "diagnosis", "nothing")
    for subject, field in (("patient-2", "diagnosis"), ("patient-17ab", "born")):
        with pytest.raises(IntegrityError, match="does not open"):
            open_text(ledger, subject, field, text)


def test_erasure_breaks_nothing_and_leaves_nothing(ledger, actor, path, tmp_path):
    """The law: the verdict and every event's bytes are the same before and after; nothing opens what was sealed."""
    seal(ledger, actor, "telephone", PHONE)
    with signing_as(unlock(ledger, actor, PASSWORD)):
        append_signed(ledger, Draft("batch.reviewed", "B-1", {}, actor), "review")
    before = [event.body for event in ledger.events()]
    sealed = str(next(ledger.events(actor, "person.enrolled")).payload["sealed_name"])
    assert keys_that_open(ledger, tmp_path, sealed) == 1
    assert verify(path).verdict == "pass"
    event = destroy(ledger, actor, ("name", "data"), "their request", by="person-1")
    assert (event.actor, event.reason, erased(ledger, actor)) == ("person-1", "their request", ("name", "data"))
    assert verify(path).verdict == "pass"
    assert [event.body for event in ledger.events()][: len(before)] == before
    assert person_name(ledger, actor) is None
    assert unseal(ledger, actor, "telephone") is None
    backup(path, tmp_path / "copy")
    export(path, tmp_path / "out")
    assert keys_that_open(ledger, tmp_path, sealed) == 0
    assert not stands_somewhere(tmp_path, NAME, PHONE)
    head = ledger.head.seq
    destroy(ledger, actor, ("name", "data"), "again, after a kill", by="person-1")
    assert ledger.head.seq == head


def test_a_key_that_comes_back_from_a_backup_opens_nothing_here(ledger, actor, path):
    seal(ledger, actor, "telephone", PHONE)
    text = sealed_text(ledger, actor, "born", "1961-04-01")
    folder = key_path(path) / "people"
    kept = {kind: (folder / f"{actor}.{kind}").read_bytes() for kind in ("name", "data")}
    destroy(ledger, actor, ("name", "data"), "their request", by="person-1")
    for kind, content in kept.items():
        (folder / f"{actor}.{kind}").write_bytes(content)
    assert person_name(ledger, actor) is None
    assert unseal(ledger, actor, "telephone") is None
    assert open_text(ledger, actor, "born", text) is None
    destroy(ledger, actor, ("name", "data"), "again", by="person-1")
    assert not list(folder.glob(f"{actor}.*"))


def test_what_is_given_after_an_erasure_is_sealed_anew_and_can_be_erased_again(ledger, actor):
    seal(ledger, actor, "telephone", PHONE)
    destroy(ledger, actor, ("data",), "moved", by="person-1")
    assert person_name(ledger, actor) == NAME
    seal(ledger, actor, "telephone", "+86 21 5555 0200")
    assert unseal(ledger, actor, "telephone") == "+86 21 5555 0200"
    destroy(ledger, actor, ("data",), "moved again", by="person-1")
    assert unseal(ledger, actor, "telephone") is None


def test_nobody_erases_without_signing_and_a_reason(ledger, actor):
    with pytest.raises(InputError, match="no reason"):
        destroy(ledger, actor, ("name",), " ", by="person-1")
    with pytest.raises(RefusedError, match="not unlocked"):
        destroy(ledger, "person-1", ("name",), "revenge", by=actor)
    assert person_name(ledger, "person-1") == "Zhao Min"
