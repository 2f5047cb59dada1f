"""Digests depend on the value alone; what cannot be signed is refused."""

import json
import math
from decimal import Decimal
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedtrain.base import canonical_bytes, decimal_text, digest, digest_bytes, digest_file, signed_bytes

keys = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=6)
signable = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(keys, signable, max_size=6), st.randoms(use_true_random=False))
def test_the_order_of_keys_does_not_matter(value, random):
    items = list(value.items())
    random.shuffle(items)
    assert signed_bytes(dict(items)) == signed_bytes(value)
    assert digest(dict(items)) == digest(value)


@given(signable)
def test_signed_bytes_read_back_as_the_value(value):
    assert json.loads(signed_bytes(value)) == value
    assert signed_bytes(json.loads(signed_bytes(value))) == signed_bytes(value)


@given(signable)
def test_the_bytes_are_those_of_the_interpreters_own_encoder(value):
    written = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    assert signed_bytes(value) == written.encode("utf-8")
    assert signed_bytes(MappingProxyType({"value": value, "pair": (value, value)})) == signed_bytes(
        {"value": value, "pair": [value, value]}
    )


@given(signable, signable)
def test_different_values_have_different_bytes(a, b):
    same = json.dumps(a, sort_keys=True) == json.dumps(b, sort_keys=True)
    assert (canonical_bytes(a) == canonical_bytes(b)) == same


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_floats_have_one_canonical_form_and_no_signed_one(value):
    assert float(json.loads(canonical_bytes(value))["float"]) == value
    with pytest.raises(TypeError, match="decimals as strings"):
        signed_bytes({"x": value})


def test_negative_zero_and_whole_floats_keep_their_meaning():
    assert digest(-0.0) == digest(0.0)
    assert digest(1.0) != digest(1), "a float and an integer are different content"
    assert digest((1, 2)) == digest([1, 2])


@pytest.mark.parametrize("value", [math.nan, math.inf, {1: 2}, {"Länge": 1}, {1, 2}, b"x", 2**53 + 1, Decimal(1)])
def test_what_has_no_canonical_form_is_refused(value):
    with pytest.raises(TypeError):
        canonical_bytes(value)


@given(st.floats(min_value=1e-12, max_value=1e12))
def test_decimal_text_is_plain_and_near(value):
    text = decimal_text(value)
    assert "e" not in text.lower()
    assert math.isclose(float(text), value, rel_tol=1e-5)
    assert decimal_text(-value) == f"-{text}"


def test_decimal_text_drops_only_needless_zeros():
    assert [decimal_text(x) for x in (1.5, 100.0, 0.0, 120000.0, 1e-7)] == ["1.5", "100", "0", "120000", "0.0000001"]
    with pytest.raises(ValueError, match="no decimal text"):
        decimal_text(math.nan)


def test_digests_are_sha256(tmp_path):
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"  # FIPS 180-4, the empty message
    assert digest_bytes(b"") == empty
    path = tmp_path / "empty"
    path.write_bytes(b"")
    assert digest_file(path) == empty
