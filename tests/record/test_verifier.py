"""The Merkle tree and the signed notes against published vectors and a second, recursive implementation."""

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from seedtrain.base import signed_bytes
from seedtrain.record._verifier import (
    Tree,
    canonical,
    checkpoint_text,
    key_id,
    leaf_hash,
    open_note,
    parse_checkpoint,
)


def recursive_root(entries):
    """RFC 6962 section 2.1 as it is written."""
    if not entries:
        return hashlib.sha256(b"").digest()
    if len(entries) == 1:
        return hashlib.sha256(b"\x00" + entries[0]).digest()
    split = 1
    while split * 2 < len(entries):
        split *= 2
    return hashlib.sha256(b"\x01" + recursive_root(entries[:split]) + recursive_root(entries[split:])).digest()


@given(st.lists(st.binary(max_size=5), max_size=70))
def test_the_tree_is_that_of_rfc_6962(entries):
    tree = Tree()
    for entry in entries:
        tree.add(leaf_hash(entry))
    assert tree.root() == recursive_root(entries)
    assert Tree(tree.size, tree.peaks).root() == tree.root()


@given(st.lists(st.integers(0, 40), max_size=6))
def test_many_leaves_at_once_make_the_tree_of_one_after_the_other(sizes):
    one, many, number = Tree(), Tree(), 0
    for size in sizes:
        leaves = [leaf_hash(b"%d" % (number + at)) for at in range(size)]
        number += size
        for leaf in leaves:
            one.add(leaf)
        many.extend(leaves)
        assert (many.size, many.peaks) == (one.size, one.peaks)


def test_the_published_vectors_of_certificate_transparency():
    # Origin: google/certificate-transparency, cpp/merkletree/merkle_tree_test.cc (Apache-2.0).
    assert leaf_hash(b"").hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    inputs = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
    tree = Tree()
    for item in inputs:
        tree.add(leaf_hash(bytes.fromhex(item)))
    assert tree.root().hex() == "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"


NOTE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)


def test_the_published_signed_note_opens():
    # Origin: golang.org/x/mod/sumdb/note, package documentation (BSD-3-Clause).
    import base64

    key = base64.b64decode("ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")[1:]
    assert key_id("PeterNeumann", key).hex() == "c74f20a3"
    assert open_note(NOTE, "PeterNeumann", key) == NOTE.partition("\n\n")[0] + "\n"
    assert open_note(NOTE.replace("problem is", "problem was"), "PeterNeumann", key) is None
    assert open_note(NOTE, "Somebody", key) is None
    assert open_note(NOTE + "\u2014 witness AAAAAAAA\n", "PeterNeumann", key) is not None


@given(st.integers(0, 2**53), st.binary(min_size=32, max_size=32))
def test_a_checkpoint_reads_back(size, root):
    assert parse_checkpoint(checkpoint_text("seedtrain.ledger/ab", size, root)) == ("seedtrain.ledger/ab", size, root)


def test_other_texts_are_no_checkpoints():
    good = checkpoint_text("a", 7, b"\x00" * 32)
    for bad in ("", "a\n7\n", good[:-1], good.replace("7", "07"), good.replace("7", "-7"), good.replace("AA=", "A=")):
        assert parse_checkpoint(bad) is None, bad


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(max_codepoint=127)), inner),
    max_leaves=8,
)


@given(JSON)
def test_the_standalone_canonical_bytes_are_those_of_base(value):
    assert canonical(value) == signed_bytes(value)
