"""Scenario 6: nobody checks their own work, not through a second role, nor through a second identity."""

import pytest

from tests.gmp.made import RECIPE
from tests.gmp_scenarios.journey import PASSWORD, Journey

FIRST, SECOND = "short@1", "short@2"


@pytest.fixture
def journey(tmp_path):
    made = Journey(tmp_path)
    made.crew(reviewer="reviewer", head="production_management", qa="quality_assurance")
    made.enrol("Wang Fang", "author", "reviewer", "production_management", "quality_assurance")
    made.later(minutes=1)
    (tmp_path / "one.yaml").write_text(RECIPE)
    (tmp_path / "two.yaml").write_text(RECIPE.replace('"1"', '"2"').replace("6.8 .. 7.2", "6.7 .. 7.3"))
    return made


@pytest.fixture
def people():
    return {"admin": "person-1", "reviewer": "person-2", "head": "person-3", "qa": "person-4", "author": "person-5"}


def refused(journey, actor, *words, because):
    answer = journey.signed(actor, *words)
    assert answer.code == 2, answer.words
    assert because in answer.words
    return answer


def lead(journey, people, name, file):
    journey.done(people["author"], "recipe", "submit", journey.folder / file)
    journey.done(people["reviewer"], "recipe", "review", name, "--comment", "read")
    journey.done(people["head"], "recipe", "approve", name)
    return journey.done(people["qa"], "recipe", "approve", name)


def test_the_author_with_every_role_neither_reviews_nor_approves(journey, people):
    author = people["author"]
    draft = journey.done(author, "recipe", "submit", journey.folder / "one.yaml")
    assert draft["state"] == "draft"
    refused(journey, author, "recipe", "review", FIRST, "--comment", "fine", because="needs another person")
    journey.done(people["reviewer"], "recipe", "review", FIRST, "--comment", "read")
    refused(journey, author, "recipe", "approve", FIRST, because="needs another person")
    journey.done(people["head"], "recipe", "approve", FIRST)
    refused(journey, author, "recipe", "approve", FIRST, because="needs another person")
    refused(journey, people["qa"], "recipe", "effective", FIRST, because="with 1 of 2 approvals")
    assert journey.done(people["qa"], "recipe", "approve", FIRST)["state"] == "approved"
    assert journey.done(people["qa"], "recipe", "effective", FIRST)["state"] == "effective"
    (row,) = journey.done(None, "recipe", "history", "short")
    assert [step["actor"] for step in row["steps"]] == [
        people[word] for word in ("author", "reviewer", "head", "qa", "qa")
    ]


def test_a_second_identity_is_hard_to_get_and_is_the_same_person(journey, people):
    password = PASSWORD.format("another")
    words = ("person", "enrol", "wang  fang", "--role", "quality_assurance")
    answer = journey.signed("person-1", *words, more=(password, password))
    assert "is enrolled as person-5" in answer.words
    answer = journey.signed("person-1", *words, "--namesake", more=(password, password))
    twin = answer.data["person"]
    journey.passwords[twin] = password
    journey.done(people["author"], "recipe", "submit", journey.folder / "one.yaml")
    refused(journey, twin, "recipe", "review", FIRST, "--comment", "fine", because="is the same person")
    journey.done(people["reviewer"], "recipe", "review", FIRST, "--comment", "read")
    refused(journey, twin, "recipe", "approve", FIRST, because="is the same person")
    # Who left and came back is still the same person:
    journey.done("person-1", "person", "retire", people["author"], "--reason", "a new identity")
    refused(journey, twin, "recipe", "approve", FIRST, because="is the same person")


def test_nobody_gives_themselves_a_role(journey, people):
    words = ("--role", "quality_assurance", "--reason", "handy")
    refused(journey, "person-1", "person", "role", "person-1", *words, because="the last administrator")
    also = ("--role", "administrator", *words)
    refused(journey, "person-1", "person", "role", "person-1", *also, because="cannot change their own roles")
    refused(journey, people["head"], "person", "role", people["head"], *words, because="may not do person.administer")
    journey.done("person-1", "person", "role", people["head"], *words)
    assert journey.done(None, "person", "show", people["head"])["roles"] == ["quality_assurance"]


def test_a_new_version_needs_a_change_that_somebody_else_approved(journey, people):
    author, qa = people["author"], people["qa"]
    lead(journey, people, FIRST, "one.yaml")
    journey.done(qa, "recipe", "effective", FIRST)
    lead(journey, people, SECOND, "two.yaml")
    refused(journey, qa, "recipe", "effective", SECOND, because="names no change request")
    asked = ("change", "open", "recipe", "short", "--proposal", "wider pH", "--reason", "trend of three batches")
    assert journey.done(author, *asked)["change"] == "CC-1"
    refused(journey, author, "change", "approve", "CC-1", "--comment", "mine", because="needs another person")
    refused(journey, qa, "change", "approve", "CC-1", "--comment", "fine", because="CC-1 is open")
    journey.done(people["head"], "change", "assess", "CC-1", "--impact", "no effect on purity", "--risk", "low")
    refused(journey, author, "change", "approve", "CC-1", "--comment", "mine", because="needs another person")
    refused(journey, qa, "recipe", "effective", SECOND, "--change", "CC-1", because="CC-1 is assessed, not approved")
    journey.done(qa, "change", "approve", "CC-1", "--comment", "as assessed")
    day = f"{journey.clock:%Y-%m-%d}"
    row = journey.done(qa, "recipe", "effective", SECOND, "--change", "CC-1", "--from", day)
    assert (row["state"], row["change"]) == ("effective", "CC-1")
    states = {item["version"]: item["state"] for item in journey.done(None, "recipe", "list")}
    assert states == {"1": "superseded", "2": "effective"}
    (change,) = journey.done(None, "recipe", "diff", FIRST, SECOND, "--record", journey.record)["changes"][1:]
    assert (change["parameter"], change["before"], change["after"]) == ("limits.pH", "6.8 .. 7.2", "6.7 .. 7.3")
    journey.done(author, "change", "implement", "CC-1", "--done", "version 2 effective")
    refused(journey, author, "change", "close", "CC-1", "--outcome", "fine", because="needs another person")
    journey.done(qa, "change", "close", "CC-1", "--outcome", "three batches in trend")
    (found,) = journey.done(None, "change", "list")
    assert (found["state"], found["made"]) == ("closed", [row["digest"]])
    assert journey.done(None, "change", "list", "--unfinished") == []
    assert journey.done(None, "record", "verify", journey.record)["verdict"] == "pass"
    assert "short@2" in journey.said("recipe", "history", "short", "--lang", "zh")
    assert "已被取代" in journey.said("recipe", "list", "--lang", "zh")
    assert "风险 low" in journey.said("change", "list", "--lang", "zh")


def test_bad_words_are_refused_with_what_to_do(journey, people):
    qa = people["qa"]
    refused(journey, qa, "recipe", "approve", "short", because="names no version")
    refused(journey, qa, "recipe", "submit", journey.folder / "one.yaml", because="may not do recipe.author")
    refused(journey, qa, "recipe", "effective", FIRST, "--from", "tomorrow", because="is not a day")
    assert journey.run("recipe", "list", "--record", "").code == 2
    lead(journey, people, FIRST, "one.yaml")
    refused(journey, qa, "recipe", "effective", FIRST, "--from", "2020-01-31", because="is in the past")
