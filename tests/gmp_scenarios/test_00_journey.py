"""The tool of the scenarios itself: people are enrolled by an administrator, who signs."""

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
