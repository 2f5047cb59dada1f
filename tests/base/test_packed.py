"""Files that may be gzip: the same bytes either way, and each thing that can be wrong with them told by itself."""

import gzip
import os
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedtrain.base import InputError, UnavailableError, open_packed, read_packed

TEXT = b">a sequence\n" + b"ACGT" * 5000 + b"\n"


@given(data=st.binary(max_size=200).filter(lambda data: data[:2] != b"\x1f\x8b"), named=st.booleans())
def test_it_is_unpacked_by_what_it_is_and_not_by_its_name(tmp_path_factory, data, named) -> None:
    path = tmp_path_factory.getbasetemp() / ("packed.gz" if named else "packed")
    for written in (data, gzip.compress(data)):
        path.write_bytes(written)
        with open_packed(path) as stream:
            assert stream.read() == data


def test_a_text_of_several_members_is_whole(tmp_path) -> None:
    """As bgzip and `cat a.gz b.gz` write."""
    path = tmp_path / "two.fasta"
    path.write_bytes(gzip.compress(TEXT) + gzip.compress(b">b\nAC\n"))
    assert read_packed(path) == TEXT.decode() + ">b\nAC\n"


@pytest.mark.parametrize("packed", [False, True])
def test_a_pipe_is_read_as_a_file_is(tmp_path, packed) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    data = gzip.compress(TEXT) if packed else TEXT
    writer = threading.Thread(target=path.write_bytes, args=(data,))
    writer.start()
    assert read_packed(path) == TEXT.decode()
    writer.join()


@pytest.mark.parametrize("at", [3, 12, 40, -9, -1])
def test_gzip_cut_off_anywhere_is_no_shorter_text(tmp_path, at) -> None:
    path = tmp_path / "cut.gz"
    path.write_bytes(gzip.compress(TEXT)[:at])
    with pytest.raises(InputError, match=r"the gzip file is damaged or cut off") as caught:
        read_packed(path)
    assert caught.value.position is not None
    assert caught.value.position.file == str(path)


def test_a_flipped_byte_is_found(tmp_path) -> None:
    whole = bytearray(gzip.compress(os.urandom(2000)))
    whole[len(whole) // 2] ^= 0x20
    path = tmp_path / "flipped.gz"
    path.write_bytes(whole)
    with pytest.raises(InputError, match="damaged"):
        read_packed(path, encoding="latin-1")


def test_what_is_there_instead_is_named(tmp_path) -> None:
    with pytest.raises(InputError, match="there is no such genome") as caught:
        read_packed(tmp_path / "none", what="genome")
    assert caught.value.remedy == "Check the path."
    with pytest.raises(InputError, match="this is a folder, not a genome") as caught:
        read_packed(tmp_path, what="genome", give="Give FASTA.")
    assert caught.value.remedy == "Give FASTA."
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    with pytest.raises(UnavailableError, match="the genome cannot be read: Too many levels of symbolic links"):
        read_packed(loop, what="genome")


def test_bytes_that_are_no_text_are_refused_with_their_place(tmp_path) -> None:
    path = tmp_path / "a.fasta"
    path.write_bytes(b">\xc3\xa4\nAC\n")
    assert read_packed(path, encoding="utf-8") == ">ä\nAC\n"
    with pytest.raises(InputError, match="byte 1 is not ASCII text"):
        read_packed(path)
    path.write_bytes(gzip.compress(b"\xef\xbb\xbf>a\n\xff"))
    with pytest.raises(InputError, match="byte 6 is not UTF-8 text"):
        read_packed(path, encoding="utf-8")
    path.write_bytes(b"\xef\xbb\xbf>a\n")
    assert read_packed(path, encoding="utf-8") == ">a\n"
