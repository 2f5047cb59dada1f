"""Two languages, errors as people read them, and progress in parts."""

import ast
import re
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

import seedtrain
from seedtrain.base import (
    InputError,
    IntegrityError,
    Position,
    SeedtrainError,
    UnavailableError,
    language,
    part,
    translate,
    use_language,
)

SOURCE = Path(seedtrain.__file__).parent
CATALOGUES = sorted(SOURCE.glob("*/locale/zh.po"))


def catalogue(path):
    with path.open("rb") as stream:
        return {entry.id: entry.string for entry in read_po(stream, locale="zh") if entry.id}


def literals(room):
    """The literal of every `_("...")` of a room; a call without one is a fault."""
    found = set()
    for path in sorted(room.glob("**/*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "_":
                argument = node.args[0]
                assert isinstance(argument, ast.Constant), f"{path}:{node.lineno}: not a literal"
                found.add(argument.value)
    return found


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.parents[1].name)
def test_every_printed_literal_of_a_room_has_its_chinese(path):
    texts = catalogue(path)
    missing = sorted(literals(path.parents[1]) - set(texts))
    assert not missing
    for english, chinese in texts.items():
        assert chinese, f"{english!r} has no translation"
        assert sorted(re.findall(r"{.*?}", english)) == sorted(re.findall(r"{.*?}", chinese)), english


def test_a_text_has_one_translation_in_all_rooms():
    seen: dict[str, str] = {}
    for path in CATALOGUES:
        for english, chinese in catalogue(path).items():
            assert seen.setdefault(english, chinese) == chinese, f"{path}: {english!r}"


def test_the_language_holds_inside_its_block_only():
    assert language() == "en"
    assert translate("inconclusive") == "inconclusive"
    with use_language("zh"):
        assert language() == "zh"
        assert translate("inconclusive") == "无法判定"
        assert translate("no catalogue has this") == "no catalogue has this"
        with use_language("en"):
            assert translate("inconclusive") == "inconclusive"
    assert language() == "en"
    with pytest.raises(InputError, match="'fr'"), use_language("fr"):
        pass


def test_errors_name_place_fault_remedy_and_carry_the_contracts_exit_code():
    error = InputError("too big", position=Position("a.yaml", 3, 7), remedy="Make it small.", excerpt="x\n^")
    assert str(error) == "a.yaml:3:7: too big\n  remedy: Make it small.\nx\n^"
    assert str(Position("a.yaml")) == "a.yaml"
    assert (InputError("").exit_code, UnavailableError("").exit_code, IntegrityError("").exit_code) == (2, 4, 1)
    assert issubclass(InputError, SeedtrainError)


def test_parts_of_progress_stay_in_their_share():
    seen = []
    whole = part(lambda done, words: seen.append((done, words)), 0.5, 1.0)
    for done in (-1.0, 0.0, 0.5, 2.0):
        whole(done, "x")
    assert [done for done, _words in seen] == [0.5, 0.5, 0.75, 1.0]
