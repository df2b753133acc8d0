from pathlib import Path

import ir_measures
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from eval import cli
from eval.benchmarks.trec import Scale, judge_run, load_qrels, load_trec_run, write_trec_run
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


def test_hits_are_ordered_by_score_not_by_rank_and_ties_as_trec_eval_does(tmp_path: Path) -> None:
    path = tmp_path / "a.run"
    path.write_text("q Q0 low 1 0.1 t\nq Q0 high 2 0.9 t\nq Q0 tied 3 0.10000000001 t\n", encoding="utf-8")
    assert [name for name, _ in load_trec_run(path)["q"]] == ["high", "tied", "low"]


def test_both_shapes_of_judgements_are_read(tmp_path: Path) -> None:
    (tmp_path / "trec").write_text("q 0 d1 3\nq 0 d2 -1\n", encoding="utf-8")
    (tmp_path / "beir").write_text("query-id\tcorpus-id\tscore\nq\td1\t3\nq\td2\t-1\n", encoding="utf-8")
    assert load_qrels(tmp_path / "trec") == load_qrels(tmp_path / "beir") == {"q": {"d1": 3, "d2": -1}}


def test_queries_without_hits_or_anything_relevant_count_and_unjudged_ones_do_not() -> None:
    grades = {"q1": {"d1": 1}, "q2": {"d1": 2}, "q3": {"d1": 0}}
    judged = judge_run({"q1": [("d1", 1.0)], "q3": [("d1", 1.0)], "q9": [("d1", 1.0)]}, grades)
    found = {one.figure.name: one.figure for one in judged.figures}
    assert found["ndcg_at_10"].value == pytest.approx(1 / 3)
    assert found["ndcg_at_10"].n == 3
    assert (judged.unjudged, judged.empty, judged.barren) == (1, 1, 1)


documents = st.sampled_from([f"d{place}" for place in range(10)])
queries = st.sampled_from(["q1", "q2", "q3", "q4"])


@settings(max_examples=60, deadline=None)
@given(
    run=st.dictionaries(queries, st.dictionaries(documents, st.sampled_from([0.5, 1.0, 1.0 + 1e-9, 2.5]), min_size=1)),
    grades=st.dictionaries(queries, st.dictionaries(documents, st.integers(1, 4), min_size=1, max_size=8), min_size=1),
)
def test_whole_runs_with_ties_and_four_grades_agree_with_ir_measures(
    run: dict[str, dict[str, float]], grades: dict[str, dict[str, int]]
) -> None:
    judged = judge_run({query: list(hits.items()) for query, hits in run.items()}, grades, Scale(1, 3))
    ours = {one.figure.name: one.figure.value for one in judged.figures}
    measures = {
        "ndcg_at_10": ir_measures.parse_measure("nDCG(gains={1:0,2:1,3:2,4:3})@10"),
        "map_at_10": ir_measures.AP(rel=3) @ 10,
        # With a cutoff ir-measures asks another program, which orders ties otherwise; ten documents need no cutoff.
        "mrr_at_10": ir_measures.RR(rel=3),
        "recall_at_100": ir_measures.R(rel=3) @ 100,
    }
    for limit in {grade for found in grades.values() for grade in found.values()} - {1}:
        if f"success_at_1_from_{limit}" in ours:
            measures[f"success_at_1_from_{limit}"] = ir_measures.Success(rel=limit) @ 1
    qrels = [ir_measures.Qrel(query, name, grade) for query, found in grades.items() for name, grade in found.items()]
    hits = [ir_measures.ScoredDoc(query, name, score) for query, found in run.items() for name, score in found.items()]
    theirs = ir_measures.calc_aggregate(list(measures.values()), qrels, hits)
    for name, measure in measures.items():
        # No hit on any judged query: ir-measures has nothing to average, which is a 0 here.
        known = theirs[measure] if any(query in grades for query in run) else 0.0
        assert ours[name] == pytest.approx(known, abs=1e-9), name


def test_grades_from_one_to_four_are_judged_as_in_medical_question_answering(tmp_path: Path) -> None:
    run = {"q1": [("best", 2.0), ("bad", 1.0)], "q2": [("bad", 2.0), ("best", 1.0)], "q3": [("half", 1.0)]}
    write_trec_run(run, tmp_path / "a.run", "mine")
    lines = [f"{query} 0 bad 1\n{query} 0 half 2\n{query} 0 best 4\n" for query in run]
    (tmp_path / "qrels").write_text("".join(lines), encoding="utf-8")
    asked = ["benchmark", "trec", str(tmp_path / "a.run"), str(tmp_path / "qrels"), "--worst", "1"]
    result = CliRunner().invoke(cli.app, [*asked, "--relevant-from", "3"])
    assert result.exit_code == 0, result.output
    shown = {line[:16].strip(): line[16:].split()[0] for line in result.output.splitlines()[1:]}
    assert shown["MRR@10"] == "0.500"  # first, second, and never
    assert shown["Gain@1"] == "1.333"  # (3 + 0 + 1) / 3
    assert (shown["Success@1 ≥ 2"], shown["Success@1 ≥ 4"]) == ("0.667", "0.333")
    assert CliRunner().invoke(cli.app, [*asked, "--relevant-from", "1"]).exit_code == 2


def test_faulty_files_are_named_by_line(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_text("q Q0 d 1 0.5 t\nq d\n", encoding="utf-8")
    with pytest.raises(RunError, match="x:2"):
        load_trec_run(path)
    with pytest.raises(RunError, match="x:1"):
        load_qrels(path)
    with pytest.raises(RunError, match="cannot be read"):
        load_qrels(tmp_path / "absent")
