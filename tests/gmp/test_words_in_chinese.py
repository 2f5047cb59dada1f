"""What people read in Chinese: sentences that programs wrote into the record, states, fields and prints."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import seedtrain
from seedtrain.base import translate, use_language
from seedtrain.gmp import recorded_words, state_word
from seedtrain.gmp._phrases import _STATES, _VOCABULARY, PATTERNS, PLACES, WORDS
from tests.gmp_scenarios.hand import ADJUST, BATCH, SALTS, WATER, Bench
from tests.worked import called

SOURCE = Path(seedtrain.__file__).parent
ENGLISH = re.compile(
    r"\b(outside|closed|open|running|complete|completed|released|rejected|quarantined|held|holding|hold|lacks|due|"
    r"became|approved|approval|amount|correction|comment|excursion|deviation|expired|within|limits?|received|status|"
    r"quantity|supplier|start|performed|checked|intervention|not|was|were|conforms|stopped|person|minor|major|stored)\b"
)
SAID = ("misread", "power dip", "stirrer noisy", "the door is open", "letter", "comment", "correct")
"""What people wrote in this test, and names of commands."""


@pytest.mark.parametrize("pattern", [*PATTERNS, *PLACES])
def test_every_sentence_has_its_chinese(pattern):
    with use_language("zh"):
        said = translate(pattern)
    assert said != pattern
    assert sorted(re.findall(r"\{\w+\}", said)) == sorted(re.findall(r"\{\w+\}", pattern))


def test_every_state_has_its_chinese():
    with use_language("zh"):
        assert [word for word in (*WORDS, *_VOCABULARY) if state_word(word) == word] == []


SIMPLE = {"seq": "7", "count": "2", "number": "3", "minutes": "20", "hours": "1.5", "month": "6", "seconds": "9"}
SIMPLE |= {"covered": "1.0", "wanted": "2.0", "hold": "H-1a2b", **dict.fromkeys(_STATES, "held")}


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_sentence_is_known_again_and_keeps_what_varies(pattern):
    fields = dict.fromkeys(re.findall(r"\{(\w+)\}", pattern))
    given_parts = {name: SIMPLE.get(name, f"X{at}Y") for at, name in enumerate(fields)}
    text = pattern.format(**given_parts)
    assert recorded_words(text) == text  # in English nothing is touched
    with use_language("zh"):
        said = recorded_words(text)
        assert said != text
    for name, part in given_parts.items():
        assert name in _STATES or part in said, name


@given(st.text(max_size=60))
def test_what_a_person_wrote_stays_as_it_was_written(text):
    with use_language("zh"):
        said = recorded_words(text)
    assert said == text or any(char in text for char in ":,;(")


@pytest.mark.parametrize("name", ["_exceptions.py", "_alarms.py", "_excursions.py", "_deviations.py"])
def test_what_a_review_may_say_is_in_the_book_of_sentences(name):
    """Whatever stands fixed in the f-strings of the review stands in a sentence of the book too."""
    tree = ast.parse((SOURCE / "gmp" / "_quality" / name).read_text("utf-8"))
    errors = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and name_of(node).endswith("Error")]
    errors += [node for node in ast.walk(tree) if isinstance(node, ast.Call) and name_of(node) in OTHER]
    apart = {id(inner) for node in errors for inner in ast.walk(node)}
    book = "\n".join(re.sub(r"\{\w+\}", "{}", pattern) for pattern in (*PATTERNS, *PLACES))
    fixed = [
        part.value.strip(" (),;:")
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr) and id(node) not in apart
        for part in node.values
        if isinstance(part, ast.Constant) and isinstance(part.value, str)
    ]
    assert [text for text in fixed if " " in text and text not in book] == []


OTHER = ("another_person", "said", "digest", "later_day", "day")
"""Functions that take words for an error, which is English everywhere."""


def name_of(node: ast.Call) -> str:
    return node.func.id if isinstance(node.func, ast.Name) else ""


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    """A batch with an excursion, a correction, a hold, a comment and two deviations; a lot that expired."""
    found = Bench.ready(tmp_path_factory.mktemp("zh"))
    found.start()
    for phase in (WATER, SALTS):
        for word, words in found.commands(phase):
            found.later(minutes=1)
            told = (*words[:5], "0.3", "g") if "KCL-1" in words else words
            found.by(word, *told)
    found.by("operator", "batch", "hold", BATCH, "--reason", "power dip")
    found.by("operator", "batch", "restart", BATCH)
    found.by("operator", "batch", "begin", BATCH, ADJUST, "--equipment", "PH-1")
    found.by("operator", "batch", "enter", BATCH, ADJUST, "pH", "7.9")
    found.by("operator", "batch", "correct", BATCH, ADJUST, "pH", "7.41", "--reason", "misread")
    found.by("operator", "batch", "comment", BATCH, "stirrer noisy")
    found.by("operator", "quality", "deviation", "find", BATCH)
    found.by("operator", "quality", "deviation", "open", BATCH, "the door is open")
    found.by("leader", "quality", "deviation", "classify", f"{BATCH}-DEV-01", "major", "--reason", "misread")
    found.by("qa", "lot", "hold", "KCL-1", "--reason", "letter")
    return found


@pytest.mark.parametrize(
    "words",
    [
        ("batch", "review", BATCH),
        ("batch", "status", BATCH),
        ("batch", "show", BATCH),
        ("batch", "list"),
        ("quality", "deviation", "list"),
        ("quality", "deviation", "show", f"{BATCH}-DEV-01"),
        ("quality", "overdue", "--on", "2030-01-01"),
        ("lot", "list"),
        ("lot", "show", "KCL-1"),
        ("lot", "show", "WFI-1"),
        ("lot", "scan", "KCL-1"),
        ("lot", "trace", BATCH),
        ("recipe", "history", "pbs"),
    ],
    ids=lambda words: " ".join(words),
)
def test_no_english_word_is_left_in_what_a_command_says(bench, words):
    answer = bench.run(*words)  # the exit code is the same in every language
    with bench.surroundings():
        said = called(*words, "--lang", "zh")
    assert said.code == answer.code
    assert re.search("[\u4e00-\u9fff]", said.out), said.out
    text = said.out
    for part in SAID:
        text = text.replace(part, "")
    text = re.sub(r"\b(The \w+|person-\d+|(batch )?[a-z]+ (?=(preparation|filling)/)|water-for-injection)", "", text)
    text = "\n".join(line for line in text.splitlines() if not line.startswith("  Rinse"))
    left = {found.group(0) for found in ENGLISH.finditer(text)}
    assert not left, "\n".join(line for line in text.splitlines() if ENGLISH.search(line))
