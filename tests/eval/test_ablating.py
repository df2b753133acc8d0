from pathlib import Path

import pytest

from eval.ablating import ABLATIONS, RERANKING, WHOLE, Ablated, Switch, switched
from eval.documenting import ablations_table, halves_table, write_numbers
from eval.errors import RunError
from eval.evaluating import REPORT_LOG
from eval.gates import Gate
from eval.records import Figure
from eval.runs import Run

PAGE = Path(__file__).parents[2] / "docs" / "evaluation.md"


@pytest.mark.parametrize("ablation", [*ABLATIONS, RERANKING], ids=lambda ablation: ablation.name)
def test_every_switch_has_its_place_in_the_engine_and_is_put_back(ablation: object) -> None:
    from eval.ablating import Ablation

    assert isinstance(ablation, Ablation)
    before = [_standing(switch) for switch in ablation.switches]
    with switched(ablation.switches):
        assert [_standing(switch) for switch in ablation.switches] == [one.replacement for one in ablation.switches]
    assert [_standing(switch) for switch in ablation.switches] == before
    assert all(old != switch.replacement for old, switch in zip(before, ablation.switches, strict=True))


def _standing(switch: Switch) -> object:
    import importlib

    module, _, path = switch.place.partition(":")
    found: object = importlib.import_module(module)
    for name in path.split("."):
        found = getattr(found, name)
    return found


def test_a_place_that_is_gone_is_told() -> None:
    with pytest.raises(AttributeError), switched([Switch("index.retrieving:no_such_weight", 0)]):
        pass


def test_a_fault_inside_puts_everything_back() -> None:
    from index import retrieving

    before = retrieving.SENTENCE_LEXICAL_SHARE
    with pytest.raises(KeyError), switched([Switch("index.retrieving:SENTENCE_LEXICAL_SHARE", 9.0)]):
        raise KeyError
    assert before == retrieving.SENTENCE_LEXICAL_SHARE


def row(name: str, value: float, p: float | None = None) -> Ablated:
    figures = ("ndcg_at_10", "key_facts_all", "right_source_first", "silence_f1")
    return Ablated(name, dict.fromkeys(figures, value), {} if p is None else {"ndcg_at_10": p})


def test_only_a_difference_beyond_chance_is_bold() -> None:
    rows = [row(WHOLE, 0.9), row("BM25", 0.85, 0.01), row("spelling", 0.89, 0.4)]
    table = ablations_table([{"name": one.name, "values": one.values, "p_values": one.p_values} for one in rows])
    assert table[2] == f"| {WHOLE} | 0.900 | 0.900 | 0.900 | 0.900 |"
    assert table[3].startswith("| BM25 | **0.850 (-0.050)** | 0.850 (-0.050) |")
    assert table[4].startswith("| spelling | 0.890 (-0.010) |")


def test_both_halves_stand_side_by_side_and_a_missed_limit_is_bold() -> None:
    caught = Figure("flags_caught", "Red flags caught", 0.99, 0.97, 1.0, 479, "m", "Red flags")
    run = Run({"created": "2026-01-02T00:00:00", "snapshot_id": "s", "model": "m", "sets": []}, (caught,), (), {})
    logged = {"value": 0.91, "low": 0.872, "high": 0.937, "n": 300}
    report = {
        "created": "2026-01-01T00:00:00",
        "snapshot_id": "s",
        "model": "m",
        "sets": [],
        "figures": {"flags_caught": logged},
    }
    lines = halves_table(run, report, [Gate("flags_caught", 0.99, float("inf"), "w")])
    assert lines[-1] == (
        "| Red flags caught | 99.0 % (97.0 to 100.0) | 91.0 % (87.2 to 93.7) | 300 | **≥\N{NO-BREAK SPACE}99\N{NO-BREAK SPACE}%** |"
    )


def test_halves_of_different_sets_are_told_apart() -> None:
    sets = [{"name": f"{name}.dev", "sha256": "0" * 12} for name in ("answers", "dialogues")]
    run = Run({"created": "2026-01-02T00:00:00", "snapshot_id": "s", "model": "m", "sets": sets}, (), (), {})
    report = {**run.about, "sets": [{"name": "answers.report", "sha256": "0" * 12}], "figures": {}}
    told = "Only one of the two has dialogues: figures over all questions don't compare."
    assert told in halves_table(run, report, [])
    assert told not in halves_table(run, {**run.about, "figures": {}}, [])


def test_a_run_of_other_sets_is_not_written_down(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(PAGE.read_text(encoding="utf-8"), encoding="utf-8")
    run = Run({"sets": [{"name": "mine", "sha256": "0", "items": 1, "asked": 1}]}, (), (), {})
    with pytest.raises(RunError, match="not of the whole shipped development halves"):
        write_numbers(page, run, REPORT_LOG, None)
    assert page.read_text(encoding="utf-8") == PAGE.read_text(encoding="utf-8")


def test_the_page_carries_the_report_half_as_it_was_logged() -> None:
    import json

    logged = json.loads(REPORT_LOG.read_text(encoding="utf-8").strip().splitlines()[-1])
    text = PAGE.read_text(encoding="utf-8")
    for name in ("flags_caught", "key_facts_all", "right_source_any"):
        figure = logged["figures"][name]
        stated = f"{100 * figure['value']:.1f} % ({100 * figure['low']:.1f} to {100 * figure['high']:.1f})"
        assert stated in text, name
