"""The tool of the scenarios itself: people are enrolled by an administrator, who signs."""

import pytest

from tests.gmp_scenarios.journey import Journey


def test_the_first_person_administers_and_enrols_the_others(tmp_path):
    journey = Journey(tmp_path)
    crew = journey.crew(author="author", operator="operator")
    assert crew == {"admin": "person-1", "author": "person-2", "operator": "person-3"}
    rows = journey.done(None, "person", "list")
    assert [row["roles"] for row in rows] == [["administrator"], ["author"], ["operator"]]
    words = ("person", "enrol", "Somebody", "--role", "quality_assurance")
    new = ("nine lazy dogs in a row",) * 2
    assert journey.run(*words, secrets=new).code == 2
    refused = journey.signed(crew["operator"], *words, more=new)
    assert refused.code == 2
    assert "may not do person.administer" in refused.words
    assert journey.run("record", "verify", journey.record).code == 0


@pytest.mark.parametrize(
    ("words", "secrets", "said"),
    [
        (("--role", "administrator"), ("four quick brown foxes",), "ended before the last secret"),
        (("--role", "administrator"), ("four quick brown foxes", "four quick brown boxes"), "differ"),
        (("--role", "administrator"), ("short", "short"), "this is not a password"),
        (("--role", "no such role"), ("four quick brown foxes",) * 2, "no duty knows"),
        (("--role", "operator", "--as", "person-1"), ("four quick brown foxes",) * 3, "there is no such ledger"),
    ],
)
def test_a_first_enrolment_that_fails_leaves_no_ledger_behind(tmp_path, words, secrets, said):
    journey = Journey(tmp_path / "made")
    (tmp_path / "made").mkdir()
    answer = journey.run("person", "enrol", "Zhao Min", *words, secrets=secrets)
    assert answer.code == 2
    assert said in answer.words
    assert list((tmp_path / "made").iterdir()) == []
