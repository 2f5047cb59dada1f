"""Review by exception, and what is printed."""

import pytest

from seedtrain.base import use_language
from seedtrain.gmp import (
    batch_sheets,
    certificate,
    certificate_sheet,
    collapsed,
    correct_value,
    names_of,
    open_deviations,
    review_items,
)
from seedtrain.gmp._quality._exceptions import KINDS
from seedtrain.recipe import Command
from seedtrain.record import key_path
from tests.gmp.made import BATCH, GOOD, ONE_EXCURSION


def kinds(record, recipe=None, clock=()):
    return [item.kind for item in review_items(record, recipe, clock)]


def test_what_kept_its_limits_collapses_to_a_count(made):
    made.run().results()
    assert review_items(made.record, made.control.recipe) == ()
    count = collapsed(made.record)
    assert (count.values, count.materials, count.results) == (len(made.record.values), 6, 3)


def test_exceptions_come_first_in_their_order_and_each_names_its_event(made):
    made.create()
    made.phase("seed/expansion/thaw", checker="")
    made.command("", Command.HOLD, Command.COMPLETE)
    wrong = made.value("seed/expansion/thaw", "weight", "12", ("1", "3"), kind="entry", who="operator")
    correct_value(made.ledger, BATCH, wrong.id, "2", reason="typing error", actor=made.people["operator"])
    made.results({**GOOD, "purity": "90 %"})
    open_deviations(made.ledger, BATCH)
    found = review_items(made.record, made.control.recipe)
    order = [KINDS.index(item.kind) for item in found]
    assert order == sorted(order)
    assert {item.kind for item in found} >= {
        *("excursion", "correction", "intervention", "manual entry", "data gap", "missing check"),
        *("deviation", "result", "sequence"),
    }
    seqs = {event.seq for event in made.events()}
    assert all(item.seq in seqs or item.seq == 0 for item in found)
    assert any("12 became 2 (typing error)" in item.words for item in found)


def test_telemetry_that_does_not_span_its_phase_is_a_gap(made):
    made.run()
    for end, gaps in (("1.00", 0), ("0.70", 1)):
        payload = {"phase": "production/main/grow", "digest": "ab", "tags": ["pH"], "start_h": "0", "end_h": end}
        made.add("segment.stored", payload | {"count": 10})
        assert kinds(made.record, made.control.recipe).count("data gap") == gaps


def test_without_the_recipe_nobody_can_say_what_is_missing(made):
    made.run()
    assert kinds(made.record) == ["data gap"]


def test_a_review_is_written_once_for_a_state_of_the_batch(made):
    made.run().results()
    first = made.review()
    assert made.review() == first
    other = made.review("qa")
    assert other.actor == made.people["qa"]
    made.value("production/main/grow", "pH", "7.0", ("6.8", "7.2"))
    assert made.review() != first
    assert len(made.events("batch.reviewed")) == 3


def test_every_cell_is_text_and_every_row_has_its_columns(made):
    made.run(readings=ONE_EXCURSION).quality()
    sheets = {sheet.name: sheet for sheet in batch_sheets(made.record, names_of(made.ledger))}
    for sheet in sheets.values():
        assert sheet.rows or sheet.name == "interventions"
        for row in sheet.rows:
            assert len(row) == len(sheet.columns)
            assert all(isinstance(cell, str) for cell in row)
    assert ("Batch", BATCH) in sheets["header"].rows
    assert ("Origin", "simulated") in sheets["header"].rows
    assert sheets["deviations"].rows[0][-2:] == ("closed", "The qa (scripted)")
    assert len(sheets["signatures"].rows) == len(made.events("signature.applied"))


def test_a_value_changed_since_its_entry_is_flagged_with_the_old_one(made):
    made.run()
    (entry,) = [item for item in made.record.values if item.kind == "entry"]
    correct_value(made.ledger, BATCH, entry.id, "no", reason="other vial", actor=made.people["operator"])
    (sheet,) = [item for item in batch_sheets(made.record, names_of(made.ledger)) if item.name == "values"]
    flagged = [row for row in sheet.rows if row[-1]]
    assert len(flagged) == 1
    assert flagged[0][2] == "no"
    assert flagged[0][-1] == "was yes: other vial (The operator (scripted))"


def test_an_erased_name_prints_as_its_identity(made):
    operator = made.people["operator"]
    assert names_of(made.ledger)(operator) == "The operator (scripted)"
    (key_path(made.ledger.path) / "people" / f"{operator}.name").unlink()
    assert names_of(made.ledger)(operator) == f"{operator} (scripted)"
    assert names_of(made.ledger)("executor") == "executor"


@pytest.mark.parametrize(("values", "released"), [(GOOD, True), ({**GOOD, "endotoxin": "0.9 EU/mg"}, False)])
def test_the_certificate_shows_every_line_and_says_released_only_if_it_is(made, values, released):
    made.run()
    before = certificate(made.record, made.control.recipe.specification)
    assert not before.released
    assert {line.verdict for line in before.lines} == {"inconclusive"}
    made.quality(values)
    found = certificate(made.record, made.control.recipe.specification)
    assert found.released == released
    assert found.simulated
    assert [line.attribute for line in found.lines] == list(GOOD)
    assert found.lines[1].result == "97 %"
    assert found.lines[2].verdict == ("pass" if released else "fail")
    assert found.amount == "20.1 g"


def test_it_prints_in_chinese(made):
    made.run(readings=ONE_EXCURSION).quality()
    with use_language("zh"):
        titles = [sheet.title for sheet in batch_sheets(made.record)]
        assert "电子签名" in titles
        assert all(not title.isascii() for title in titles)
        assert certificate_sheet(certificate(made.record, made.control.recipe.specification)).title == "检验报告书"


def test_everybody_who_took_part_in_a_phase_is_named_and_who_checked_it_apart(made):
    made.create()
    made.start("seed/expansion/thaw")
    made.value("seed/expansion/thaw", "performed", "yes", kind="entry", who="shift_leader")
    made.complete("seed/expansion/thaw", who="operator")
    made.check("seed/expansion/thaw")
    (sheet,) = [item for item in batch_sheets(made.record, names_of(made.ledger)) if item.name == "steps"]
    (row,) = sheet.rows
    printed = dict(zip(sheet.columns, row, strict=True))
    assert printed["Performed by"] == "The operator (scripted), The shift_leader (scripted)"
    assert printed["Checked by"] == "The checker (scripted)"
