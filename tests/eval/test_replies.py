from pathlib import Path
from typing import Any

import pytest

from eval.comparing import changed_questions, compare_runs
from eval.errors import RunError
from eval.records import Item
from eval.replies import FILE, load_replies, tell, write_replies
from eval.reporting.table import render_side_by_side
from eval.running import ask_all, document_reader, search_apart
from eval.runs import measure_all
from tests.eval.fakes import ITEMS, FakeTarget, always_abstain


class Searching(FakeTarget):
    """A fake that shows what two searchers would have found."""

    def sources_by_searcher(self, question: str) -> dict[str, tuple[str, ...]]:
        number = question.split()[1]
        return {"dense": ("other", f"source-{number}"), "bm25": ("other",)}


def test_what_was_said_survives_its_file(tmp_path: Path) -> None:
    exchanges, bodies = ask_all(Searching(), ITEMS)
    exchanges = [search_apart(Searching(), ex, body) for ex, body in zip(exchanges, bodies, strict=True)]
    write_replies(exchanges, tmp_path / FILE)
    told = load_replies(tmp_path)
    assert told == {ex.item.id: tell(ex) for ex in exchanges}
    assert load_replies(tmp_path / "run.json") == told
    assert told["a3"].ranks == {"dense": 2, "bm25": None, "fused": 1}
    assert told["d1"].ranks == {}
    assert measure_all(exchanges, document_reader(Searching())).tables["searcher"] == {
        "dense": [0] + [12] * 9,
        "bm25": [0] * 10,
    }


def test_a_run_without_replies_has_none_and_a_broken_file_is_named(tmp_path: Path) -> None:
    assert load_replies(tmp_path) == {}
    (tmp_path / FILE).write_text('{"id": "a1"}\n', encoding="utf-8")
    with pytest.raises(RunError, match="holds no replies"):
        load_replies(tmp_path)


def test_wins_and_losses_stand_side_by_side_losses_first() -> None:
    def one_lost(item: Item, place: int, body: dict[str, Any]) -> dict[str, Any]:
        return always_abstain(item, place, body) if place == 2 else body

    before, after = (ask_all(target, ITEMS)[0] for target in (FakeTarget(), FakeTarget(spoil=one_lost)))
    runs = [measure_all(found, lambda _name: None) for found in (before, after)]
    changed = changed_questions(compare_runs(*runs))
    assert [one.id for one in changed] == ["a2"]
    assert "Key facts all present" in changed[0].lost
    then, now = ({ex.item.id: tell(ex) for ex in found} for found in (before, after))
    shown = render_side_by_side(changed, then, now, shown=5)
    assert "a2  Question 2 about the back?" in shown
    assert "before  Most back pain eases within weeks. Walking helps the back to heal. [source-2]" in shown
    assert "after   abstained (out_of_scope)" in shown
    assert "cannot be shown" in render_side_by_side(changed, {}, now, shown=5)
    assert render_side_by_side([], {}, {}, shown=5).strip() == "No question changed."
