"""One run of every service over the same passages, from documents to a table."""

import gzip
import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from corpus.records import Document, Section, Source, Span
from corpus.sources import load_shipped_documents
from corpus.splitting import split_document
from eval.benchmarks.physical_limit import measure_embedding
from eval.benchmarks.side_by_side import (
    COLLECTION,
    Result,
    Row,
    backline,
    build,
    copy_home,
    measure,
    peer,
    split_passages,
    write_rows,
)
from eval.datasets import load_set, shipped_path
from eval.errors import RunError
from eval.records import TriageItem
from eval.reporting.peers import as_json, render
from index.embedding import TokenCounter
from index.model_files import check_model_files
from service.settings import load_settings

_QUESTIONS = 400
_BUDGET = 256


def compare_peers(
    file: Path | None, limit: int, requests: int, out: Path, peers: Sequence[str], told: Callable[[str], None]
) -> str:
    """Index, start and ask every service in turn; write ``peers.json`` and ``peers.md`` and return the table.

    Args:
        file: JSON Lines with ``_id``, ``title`` and ``text``; None takes the shipped corpus and its questions.
        limit: Passages that the documents make, about; 0 takes all documents.
        requests: Questions of one asker, and of many, a route.
        out: Folder of environments (``envs``), indexes and figures.
        peers: Which other services.
        told: Told what is done.

    Raises:
        RunError: the file cannot be read, or a service does not index or answer.
    """
    out = out.resolve()
    files = check_model_files()
    rows, questions = _shipped() if file is None else _from_file(file)
    rows = _first(rows, limit, TokenCounter(files.path))
    home, passages_file = out / "home", out / "passages.jsonl"
    write_rows(rows, out / "documents.jsonl")
    told("Backline: making a clean home")
    copy_home(out / "clean-home", home)
    settings = load_settings().model_copy(update={"home": home})
    ours = backline(home, out / "documents.jsonl")
    told("Backline: indexing")
    seconds = build(ours)
    passages = split_passages(home, files.model_id, passages_file)
    told(f"Backline: {len(passages)} passages in {seconds:.0f} s; asking")
    results: list[Result] = measure(ours, questions, requests, len(passages) / seconds)
    count = len(results)
    for name in peers:
        folder = out / name
        shutil.rmtree(folder, ignore_errors=True)
        other = peer(name, out / "envs", files.path, passages_file, folder)
        told(f"{other.name}: indexing")
        seconds = build(other)
        told(f"{other.name}: {seconds:.0f} s; asking")
        results += measure(other, questions, requests, len(passages) / seconds)
    told("Backline: what the model has of the time")
    embedding, backend = measure_embedding(settings, files, questions[:100], COLLECTION)
    (out / "peers.json").write_text(as_json(results, count, embedding), encoding="utf-8")
    table = render(results, count, embedding, len(passages), len(questions), backend)
    (out / "peers.md").write_text(table, encoding="utf-8")
    return table


def _shipped() -> tuple[list[Row], list[str]]:
    rows = [Row(document.id, document.title, document.text) for document in load_shipped_documents()]
    items = load_set(shipped_path("answers", "dev")).items
    questions = [item.question for item in items if not isinstance(item, TriageItem) and not item.history]
    return rows, questions[:_QUESTIONS]


def _from_file(path: Path) -> tuple[list[Row], list[str]]:
    try:
        with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as lines:
            found = [json.loads(line) for line in lines]
        rows = [Row(row["_id"], row["title"], row["text"]) for row in found if row["text"].strip()]
    except OSError as fault:
        raise RunError(str(path), f"cannot be read: {fault}") from fault
    except (ValueError, KeyError, TypeError, AttributeError) as fault:
        raise RunError(str(path), "needs lines with _id, title and text") from fault
    # Spread over the whole file, so that neighbours on one subject do not follow each other.
    step = max(len(rows) // _QUESTIONS, 1)
    return rows, [row.title for row in rows[::step]][:_QUESTIONS]


def _first(rows: Sequence[Row], limit: int, counter: TokenCounter) -> list[Row]:
    """Return the first documents that make so many passages."""
    chosen, passages = [], 0
    for row in rows:
        if limit and passages >= limit:
            break
        chosen.append(row)
        if limit:
            text = row.text
            document = Document(row.id, Source(row.id, "", "", "", ""), "", text, (Section((), Span(0, len(text))),))
            passages += len(split_document(document, counter.count, _BUDGET))
    return chosen
