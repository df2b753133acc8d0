from pathlib import Path

import pytest

from eval.benchmarks.trec import judge_run, load_qrels, load_trec_run, write_trec_run
from eval.errors import RunError


def test_a_run_survives_its_file(tmp_path: Path) -> None:
    run = {"q1": [("d2", 0.75), ("d1", 0.1)], "q2": [("d9", 3.0)]}
    write_trec_run(run, tmp_path / "new" / "a.run", "mine")
    assert (tmp_path / "new" / "a.run").read_text(encoding="utf-8").splitlines() == [
        "q1 Q0 d2 1 0.75 mine",
        "q1 Q0 d1 2 0.1 mine",
        "q2 Q0 d9 1 3.0 mine",
    ]
    assert load_trec_run(tmp_path / "new" / "a.run") == run


def test_hits_are_ordered_by_score_not_by_rank(tmp_path: Path) -> None:
    path = tmp_path / "a.run"
    path.write_text("q Q0 low 1 0.1 t\nq Q0 high 2 0.9 t\nq Q0 tied 3 0.1 t\n", encoding="utf-8")
    assert [name for name, _ in load_trec_run(path)["q"]] == ["high", "low", "tied"]


def test_both_shapes_of_judgements_are_read(tmp_path: Path) -> None:
    (tmp_path / "trec").write_text("q 0 d1 3\nq 0 d2 -1\n", encoding="utf-8")
    (tmp_path / "beir").write_text("query-id\tcorpus-id\tscore\nq\td1\t3\nq\td2\t-1\n", encoding="utf-8")
    assert load_qrels(tmp_path / "trec") == load_qrels(tmp_path / "beir") == {"q": {"d1": 3, "d2": -1}}


def test_queries_without_hits_count_and_unjudged_ones_do_not() -> None:
    grades = {"q1": {"d1": 1}, "q2": {"d1": 2}, "q3": {"d1": 0}}
    judged = judge_run({"q1": [("d1", 1.0)], "q9": [("d1", 1.0)]}, grades)
    found = {one.figure.name: one.figure for one in judged.figures}
    assert (found["ndcg_at_10"].value, found["ndcg_at_10"].n) == (0.5, 2)
    assert (judged.unjudged, judged.empty) == (1, 1)


def test_faulty_files_are_named_by_line(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_text("q Q0 d 1 0.5 t\nq d\n", encoding="utf-8")
    with pytest.raises(RunError, match="x:2"):
        load_trec_run(path)
    with pytest.raises(RunError, match="x:1"):
        load_qrels(path)
    with pytest.raises(RunError, match="cannot be read"):
        load_qrels(tmp_path / "absent")
