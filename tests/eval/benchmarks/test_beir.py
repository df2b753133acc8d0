import gzip
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from typer.testing import CliRunner

from corpus.records import Span
from eval import cli
from eval.benchmarks.beir import load_collection, search_collection
from eval.errors import RunError
from index.embedding import Progress
from index.fusion import LEXICAL_SHARE

DOCUMENTS = {"d1": "Heat loosens a tight muscle.", "d2": "Cold packs ease a fresh strain.", "d3": "Walking helps."}


class LetterEmbedder:
    """Counts letters: near texts share letters."""

    model_id = "letters"
    dimension = 26
    token_budget = 100

    def embed(self, texts: Sequence[str], progress: Progress | None = None) -> NDArray[np.float32]:
        del progress
        rows = np.array([[text.lower().count(chr(97 + n)) for n in range(26)] for text in texts], dtype=np.float32)
        unit: NDArray[np.float32] = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        return unit

    def embed_parts(
        self, texts: Sequence[str], parts: Sequence[Sequence[Span]], progress: Progress | None = None
    ) -> tuple[NDArray[np.float32], list[NDArray[np.float32]]]:
        raise NotImplementedError

    def count_tokens(self, text: str) -> int:
        return len(text.split())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "qrels").mkdir()
    with gzip.open(tmp_path / "corpus.jsonl.gz", "wt", encoding="utf-8") as file:
        for name, text in DOCUMENTS.items():
            file.write(json.dumps({"_id": name, "title": "", "text": text}) + "\n")
    queries = [
        {"_id": "q1", "text": "tight muscle heat"},
        {"_id": "q2", "text": "unjudged"},
        {"_id": "q3", "text": "walking"},
    ]
    (tmp_path / "queries.jsonl").write_text("".join(json.dumps(row) + "\n" for row in queries), encoding="utf-8")
    (tmp_path / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq1\td1\t1\nq3\td3\t1\n", encoding="utf-8")
    return tmp_path


def test_only_judged_queries_are_asked(folder: Path) -> None:
    collection = load_collection(folder)
    assert collection.documents == DOCUMENTS
    assert list(collection.queries) == ["q1", "q3"]


def test_each_searcher_finds_the_right_document_first(folder: Path) -> None:
    found = search_collection(load_collection(folder), ("bm25", "dense", "fused"), LetterEmbedder())
    for searcher in ("bm25", "dense", "fused"):
        assert found[searcher]["q1"][0][0] == "d1", searcher
        assert found[searcher]["q3"][0][0] == "d3", searcher
    assert found["fused"]["q3"][0][1] == pytest.approx(found["dense"]["q3"][0][1] + LEXICAL_SHARE)
    assert len(found["bm25"]["q3"]) == 1


def test_what_cannot_be_searched_is_refused(folder: Path) -> None:
    collection = load_collection(folder)
    with pytest.raises(ValueError, match="no searcher is called magic"):
        search_collection(collection, ("magic",), None)
    with pytest.raises(ValueError, match="needs an embedder"):
        search_collection(collection, ("dense",), None)


def test_a_faulty_line_is_named(folder: Path) -> None:
    (folder / "queries.jsonl").write_text('{"_id": "q1", "text": "x"}\n{"_id": 3}\n', encoding="utf-8")
    with pytest.raises(RunError, match=r"queries.jsonl:2"):
        load_collection(folder)
    (folder / "queries.jsonl").write_text("[]\n", encoding="utf-8")
    with pytest.raises(RunError, match=r"queries.jsonl:1"):
        load_collection(folder)


def test_the_command_prints_measures_and_writes_a_run(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = CliRunner().invoke(cli.app, ["benchmark", "beir", str(folder), "--searcher", "bm25", "--out", str(out)])
    assert result.exit_code == 0, result.output
    assert "nDCG@10        1.000" in result.output
    run = out / f"{folder.name}.bm25.run"
    again = CliRunner().invoke(cli.app, ["benchmark", "trec", str(run), str(folder / "qrels" / "test.tsv")])
    assert "nDCG@10        1.000" in again.output
    assert CliRunner().invoke(cli.app, ["benchmark", "beir", str(folder), "--searcher", "magic"]).exit_code == 2
