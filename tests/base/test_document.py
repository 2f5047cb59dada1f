"""YAML as strings with positions: every fault at its place, all of them at once."""

from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import AfterValidator, BaseModel, ConfigDict

from seedtrain.base import InputError, InputErrors, collect, digest, load, parse_document, read_document, validate


def _even(value: int) -> int:
    if value % 2:
        raise ValueError(f"{value} is odd | Write an even number.")
    return value


class Item(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str
    size: Annotated[int, AfterValidator(_even)] = 0


class Box(BaseModel):
    model_config = ConfigDict(extra="forbid")

    title: str
    items: list[Item] = []


def faults(text, model=Box):
    with pytest.raises(InputError) as caught:
        validate(parse_document(text, "box.yaml"), model)
    return caught.value.parts


def test_scalars_stay_what_the_user_wrote():
    text = "a: 012\nb: no\nc: 12:30:00\nd: 7.10\ne: 2028-05-31\nf: null\ng: ~\nh: '1'\ni: 1e3\n"
    data = parse_document(text, "x.yaml").data
    assert list(data.values()) == ["012", "no", "12:30:00", "7.10", "2028-05-31", "null", "~", "1", "1e3"]


def test_positions_are_where_the_value_stands():
    document = parse_document("title: box\nitems:\n  - name: a\n    size: 2\n", "box.yaml")
    assert str(document.position(("items", 0, "size"))) == "box.yaml:4:11"
    assert str(document.keys[("items", 0, "size")]) == "box.yaml:4:5"
    assert str(document.position(("items", 0, "colour"))) == str(document.position(("items", 0)))


def test_all_faults_come_at_once_each_with_a_caret_under_its_column():
    found = faults("title: box\nitems:\n  - {name: a, size: 3}\n  - {name: b, sise: 4}\n  - {size: 4}\n")
    assert [str(item.position) for item in found] == ["box.yaml:3:21", "box.yaml:4:15", "box.yaml:5:5"]
    assert found[0].message == "items.0.size: 3 is odd"
    assert found[0].remedy == "Write an even number."
    assert "'sise' is unknown" in found[1].message
    assert "name, size" in found[1].remedy
    assert "'name' is missing" in found[2].message
    for item in found:
        line, caret = item.excerpt.splitlines()
        assert item.position is not None
        assert caret.index("^") - caret.index("|") - 2 == item.position.column - 1
        assert (
            line.split("| ", 1)[1]
            == ["  - {name: a, size: 3}", "  - {name: b, sise: 4}", "  - {size: 4}"][item.position.line - 3]
        )


def test_duplicate_keys_are_all_refused_at_the_second_one():
    with pytest.raises(InputErrors) as caught:
        parse_document("a: 1\nb: 2\na: 3\nc: {d: 1, d: 2}\n", "x.yaml")
    assert [str(item.position) for item in caught.value.parts] == ["x.yaml:3:1", "x.yaml:4:11"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"),
        ("a: [1, 2", "not YAML"),
        ("a: !!python/object:os.system x", "'python/object:os.system' is not allowed"),
        ("a: !mine x", "not allowed"),
        ("a: !mine {b: 1}", "not allowed"),
        ("a: !!set {b}", "not allowed"),
        ("&a [*a]", "too deep"),
        ("a: &a 1\nb: *a", "alias"),
        ("a: &a [x]\nb: [*a, *a]", "alias"),
        ("a: " + "[" * 90 + "]" * 90, "too deep"),
        ("? [x]\n: 1", "plain word"),
        ("a: \x07", "not YAML"),
        ("a: 1\n---\nb: 2", "not YAML"),
    ],
)
def test_what_is_no_plain_document_is_an_input_error(text, words):
    with pytest.raises(InputError, match=words) as caught:
        parse_document(text, "x.yaml")
    assert caught.value.exit_code == 2
    assert "x.yaml" in str(caught.value)


@given(st.dictionaries(st.text("abcdef", min_size=1, max_size=4), st.text("xyz09 ", max_size=5), max_size=5))
def test_formatting_does_not_change_the_data(value):
    quoted = {key: "'" + text + "'" for key, text in value.items()}
    block = "\n".join(f"{key}:   {text} # comment" for key, text in quoted.items()) or "{}"
    flow = "{" + ", ".join(f'"{key}": {text}' for key, text in reversed(quoted.items())) + "}"
    assert digest(parse_document(block, "a").data) == digest(parse_document(flow, "b").data) == digest(value)


def test_reading_files(tmp_path):
    path = tmp_path / "box.yaml"
    with pytest.raises(InputError, match="no such recipe"):
        read_document(path, what="recipe")
    with pytest.raises(InputError, match="folder"):
        read_document(tmp_path)
    path.write_bytes(b"title: \xff\n")
    with pytest.raises(InputError, match="UTF-8"):
        read_document(path)
    path.write_bytes(b"\xef\xbb\xbftitle: box\n")
    box, document = load(path, Box)
    assert box.title == "box"
    assert document.position(("title",)).line == 1


def test_collect_flattens_and_passes_nothing_on_when_there_is_nothing():
    collect([])
    two = InputErrors((InputError("a"), InputError("b")))
    with pytest.raises(InputErrors) as caught:
        collect([two, InputError("c")])
    assert [item.message for item in caught.value.parts] == ["a", "b", "c"]
    assert str(caught.value).splitlines() == ["a", "b", "c"]
