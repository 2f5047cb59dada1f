"""Proofs that single events stand in a ledger: the laws of RFC 6962, and what a forger meets."""

import base64
import hashlib
import json
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedtrain.base import InputError
from seedtrain.record import (
    Draft,
    ProofTree,
    enrol_person,
    extract,
    open_ledger,
    sealed_extract,
    sign,
    verify,
    write_files,
)
from seedtrain.record._verifier import Tree, consistent, inclusion_root, leaf_hash, read_extract

SIZES = st.integers(1, 300)


def tree_of(size: int) -> tuple[list[bytes], ProofTree, list[bytes]]:
    leaves = [leaf_hash(number.to_bytes(4, "big")) for number in range(size)]
    tree, roots = Tree(), []
    for leaf in leaves:
        tree.add(leaf)
        roots.append(tree.root())
    return leaves, ProofTree(leaves), roots


@given(SIZES, st.data())
def test_a_leaf_is_proven_at_its_place_and_at_no_other(size, data):
    leaves, tree, roots = tree_of(size)
    at, other = (data.draw(st.integers(0, size - 1)) for _ in range(2))
    path = tree.inclusion(at)
    assert tree.root() == roots[-1]
    assert inclusion_root(leaves[at], at, size, path) == roots[-1]
    if other != at:
        assert inclusion_root(leaves[at], other, size, path) != roots[-1]
        assert inclusion_root(leaves[other], at, size, path) != roots[-1]
    assert inclusion_root(leaves[at], at, size, [*path, roots[0]]) != roots[-1]
    assert len(path) <= (size - 1).bit_length()


@given(SIZES, st.data())
def test_a_later_tree_begins_with_the_earlier_and_with_no_other(size, data):
    _, tree, roots = tree_of(size)
    earlier, other = (data.draw(st.integers(1, size)) for _ in range(2))
    proof = tree.consistency(earlier)
    assert consistent(earlier, roots[earlier - 1], size, roots[-1], proof)
    if roots[other - 1] != roots[earlier - 1]:
        assert not consistent(earlier, roots[other - 1], size, roots[-1], proof)
    if proof:
        broken = [bytes([proof[0][0] ^ 1]) + proof[0][1:], *proof[1:]]
        assert not consistent(earlier, roots[earlier - 1], size, roots[-1], broken)
        assert not consistent(earlier, roots[earlier - 1], size, roots[-1], proof[:-1])


def test_the_known_answers_of_certificate_transparency():
    """The tree of eight leaves from the test vectors of RFC 6962's reference implementation (Apache-2.0)."""
    inputs = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
    leaves = [leaf_hash(bytes.fromhex(text)) for text in inputs]
    root = "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"
    tree = ProofTree(leaves)
    assert tree.root().hex() == root
    first = [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ]
    assert [node.hex() for node in tree.inclusion(0)] == first


@pytest.fixture
def ledger(tmp_path):
    with open_ledger(tmp_path / "record.db") as made:
        actor = enrol_person(made, "A script", ["checker"], scripted=True)
        for number in range(40):
            subject = "mine" if number % 3 == 0 else f"other-{number}"
            event = made.append(Draft("check.noted", subject, {"n": str(number)}, actor))[0]
            if number % 6 == 0:
                sign(made, actor, event.digest, "checked", subject=subject)
        yield made


@pytest.fixture
def folder(ledger, tmp_path):
    found = extract(ledger, lambda event: event.subject == "mine")
    made = tmp_path / "extract"
    files = {"note.txt": b"a file beside it", **found.files}
    write_files(made, {**files, "extract.txt": sealed_extract(ledger, found, "mine", files)})
    return made


def run(folder, *more):
    command = [sys.executable, "-I", str(folder / "verify.py"), str(folder), *more]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, json.loads(done.stdout) if done.stdout.startswith("{") else done.stderr


def test_an_extract_verifies_alone_and_holds_nothing_of_others(ledger, folder):
    code, report = run(folder, "--key", ledger.keys.server_public.hex())
    assert (code, report["verdict"], report["complete"]) == (0, "pass", ["mine"])
    assert report["signatures"] == 7
    content = b"".join(path.read_bytes() for path in folder.iterdir())
    assert b"other-" not in content
    events = [json.loads(line) for line in (folder / "events.jsonl").read_text().splitlines()]
    assert {event["subject"] for event in events} == {"ledger", "person-1", "mine"}


def verdict(folder, key=None):
    return read_extract(folder, key)


def test_what_a_forger_meets(folder):
    def lines(name):
        return (folder / name).read_bytes().splitlines(keepends=True)

    def attacked(**contents):
        kept = {name: (folder / name.replace("__", ".")).read_bytes() for name in contents}
        for name, content in contents.items():
            (folder / name.replace("__", ".")).write_bytes(content)
        report = verdict(folder)
        for name, content in kept.items():
            (folder / name.replace("__", ".")).write_bytes(content)
        return {criterion for criterion in report.counts if report.counts[criterion]}

    events, proofs = lines("events.jsonl"), lines("proofs.jsonl")
    assert attacked() == set()
    changed = [line.replace(b'"n":"6"', b'"n":"7"') for line in events]
    assert "roots" in attacked(events__jsonl=b"".join(changed))
    short = {"events__jsonl": b"".join(events[:-1]), "proofs__jsonl": b"".join(proofs[:-1])}
    assert attacked(**short) == {"complete", "files"}
    twice = {"events__jsonl": b"".join([*events, events[-1]]), "proofs__jsonl": b"".join([*proofs, proofs[-1]])}
    assert attacked(**twice) >= {"chain", "complete"}
    turned = {"events__jsonl": b"".join(reversed(events)), "proofs__jsonl": b"".join(reversed(proofs))}
    assert "chain" in attacked(**turned)
    assert "roots" in attacked(proofs__jsonl=b"".join([proofs[1], proofs[0], *proofs[2:]]))
    assert attacked(note__txt=b"another file") == {"files"}
    sizes = b"".join(lines("sizes.jsonl")).replace(b'"root":"', b'"root":"00', 1)
    assert attacked(sizes__jsonl=sizes) >= {"roots", "signatures"}
    sealed = (folder / "extract.txt").read_bytes()
    assert attacked(extract__txt=sealed.replace(b"note.txt", b"none.txt")) == {"complete"}


def test_a_file_that_was_put_into_the_folder_is_named(ledger, folder):
    assert verify(folder).verdict == "pass"
    (folder / "more").mkdir()
    assert verify(folder).verdict == "pass"  # a folder says nothing
    (folder / "more" / "certificate.pdf").write_bytes(b"a second certificate")
    words = "more/certificate.pdf is not among the files that were exported: it was put in afterwards"
    code, report = run(folder, "--key", ledger.keys.server_public.hex())
    assert (code, report["verdict"]) == (1, "fail")
    assert [finding["words"] for finding in report["findings"]] == [words]
    (folder / "more" / "certificate.pdf").unlink()
    (folder / "more" / "elsewhere").symlink_to("/nowhere")
    assert [item.name for item in verify(folder).criteria if item.verdict == "fail"] == ["files"]


def test_the_statement_of_another_subject_does_not_speak_for_this_one(ledger, folder):
    other = extract(ledger, lambda event: event.subject == "other-1")
    (folder / "extract.txt").write_bytes(sealed_extract(ledger, other, "other-1", {}))
    report = verdict(folder)
    assert "mine" not in report.complete
    assert report.verdict == "fail"


def test_another_key_and_an_anchor_that_is_missing_or_another(ledger, folder):
    code, report = run(folder, "--key", "00" * 32)
    assert code == 1
    assert report["verdict"] == "fail"
    anchors = (folder / "anchors.jsonl").read_text()
    (folder / "anchors.jsonl").write_text("")
    assert verdict(folder).verdict_of("anchors") == "inconclusive"
    assert verdict(folder).verdict_of("files") == "fail"  # it was not empty when it was handed over
    note = json.loads(anchors)["checkpoint"].split("\n")
    note[2] = base64.b64encode(hashlib.sha256(b"another").digest()).decode()
    (folder / "anchors.jsonl").write_text(json.dumps({"checkpoint": "\n".join(note)}) + "\n")
    assert verdict(folder).verdict_of("anchors") == "fail"


def test_what_cannot_be_extracted(ledger):
    with pytest.raises(InputError, match="nothing"):
        extract(ledger, lambda event: event.subject == "nobody")
    found = extract(ledger, lambda event: event.subject == "mine")
    for name in ("../x", "/x", "a\nb"):
        with pytest.raises(InputError, match="no name"):
            sealed_extract(ledger, found, "mine", {name: b""})
