"""A large collection in the service: does it start, how much memory does it take, how long does a search take?

The passages are those of :mod:`eval.benchmarks.growth`, fifty to a document, in a home of their own: database, snapshot
and everything that `backline serve` looks at when it starts.
"""

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from corpus.records import Document, Passage, Section, Source, Span, passage_id
from corpus.splitting import SPLITTER_VERSION
from eval.benchmarks.growth import grown_texts, grown_vectors, real_sentences
from eval.benchmarks.load import Asking, Call, fire, memory_mb
from eval.benchmarks.pairs import Pair
from eval.benchmarks.side_by_side import COLLECTION, PORT, WARM_UP, backline, run_command, serving
from eval.errors import RunError
from eval.measures.speed import percentiles
from index.building import part_of_viewed
from index.caching import embed_cached
from index.embedding import Embedder, Progress
from index.manifest import check_files, read_manifest
from index.parts import SHIPPED
from index.snapshot import open_snapshot, publish_snapshot
from index.viewing import Viewed, rounded
from service.building import shipped_digest
from service.settings import Settings
from service.storage.database import open_database
from service.storage.documents import digest_of_stored, store_documents

_EACH = 50
_STORED_AT_ONCE = 500
_START_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Served:
    """What was measured of the service with a large collection.

    Attributes:
        passages: Of the collection.
        files_mb: Size of the snapshot's files.
        hashing_s: Time in which all of them are hashed, from the system's cache.
        ready_s: Time from the start of the process until it is ready, the hashing included.
        ready_mb: Resident memory then.
        asked_mb: Resident memory after all questions.
        search_ms: p50, p95, p99 of ``/v1/search``, the question's embedding included, one asker.
        ask_ms: The same of ``/v1/ask``.
        load_average: Of this machine before the start.
    """

    passages: int
    files_mb: float
    hashing_s: float
    ready_s: float
    ready_mb: float
    asked_mb: float
    search_ms: Mapping[str, float]
    ask_ms: Mapping[str, float]
    load_average: float


def make_large_home(
    pairs: Sequence[Pair],
    count: int,
    embedder: Embedder,
    embedded: int,
    out: Path,
    told: Callable[[str], None],
    progress: Progress | None = None,
) -> Settings:
    """Make a home with a collection of so many passages beside the shipped one, unless it is there.

    Args:
        pairs: Real questions and answers.
        count: Passages.
        embedder: The model.
        embedded: Sentences whose vectors are the model's.
        out: Where home and embeddings are kept.
        told: Told of each step.
        progress: Told of what is embedded.

    Raises:
        RunError: the shipped index cannot be built.
    """
    settings = Settings(home=out / f"home-{count}")
    system = backline(settings.home, out)
    run_command((system.serve[0], "index", "--if-needed"), system.environment)
    root = settings.snapshots
    shipped = open_snapshot(root, embedder.model_id)
    if COLLECTION in shipped.parts and len(shipped.parts[COLLECTION].passages) == count:
        return settings
    sentences = real_sentences(pairs)
    documents, passages = [], []
    for document, own in _grown_documents(grown_texts(sentences, count)):
        documents.append(document)
        passages += own
    told(f"{len(documents)} documents")
    database = open_database(settings.database)
    for begin in range(0, len(documents), _STORED_AT_ONCE):
        store_documents(database, documents[begin : begin + _STORED_AT_ONCE])
    told("stored")
    vectors = grown_vectors(embed_cached(sentences[:embedded], embedder, out / "sentences", progress), count)
    views = rounded(vectors)
    part = part_of_viewed(
        [
            Viewed(passage, vectors[row], np.repeat(views[row : row + 1], len(passage.sentences), axis=0))
            for row, passage in enumerate(passages)
        ]
    )
    told(f"indexed: {part.passage_vectors.kind}, recall {part.passage_vectors.recall:.4f}")
    publish_snapshot(
        root,
        embedder.model_id,
        {"version": SPLITTER_VERSION, "budget": embedder.token_budget, "most_sentences": settings.most_sentences},
        sorted([*shipped.documents.values(), *documents], key=lambda document: document.id),
        {SHIPPED: shipped.parts[SHIPPED], COLLECTION: part},
        made_from={"shipped": shipped_digest(), "stored": digest_of_stored(database)},
    )
    told("published")
    return settings


def measure_served(settings: Settings, asked: Sequence[str]) -> Served:
    """Start the service over a home, ask it and stop it.

    Args:
        settings: Of the home.
        asked: Questions.

    Raises:
        RunError: the service does not become ready, builds an index first, or does not answer.
    """
    root = settings.snapshots
    name = (root / "CURRENT").read_text(encoding="utf-8").split("\n")[0]
    manifest = read_manifest(root, name)
    began = time.perf_counter()
    check_files(root, name, manifest)
    hashing = time.perf_counter() - began
    load_average = os.getloadavg()[0]
    url = f"http://127.0.0.1:{PORT}"
    system = backline(settings.home, settings.home)
    with serving(system) as process:
        ready = _wait_until_ready(url, process)
        ready_mb = memory_mb(process.pid) or 0.0
        search, ask = (_waits(url, asked, asking) for asking in system.askings.values())
        asked_mb = memory_mb(process.pid) or 0.0
    if (root / "CURRENT").read_text(encoding="utf-8").split("\n")[0] != name:
        raise RunError(str(settings.home), "the service built its index anew: that is no start")
    return Served(
        manifest.collections[COLLECTION]["passages"],
        sum(facts["bytes"] for facts in manifest.files.values()) / 1e6,
        hashing,
        ready,
        ready_mb,
        asked_mb,
        search,
        ask,
        load_average,
    )


def as_json(served: Served) -> str:
    """Return everything that was measured."""
    return json.dumps(asdict(served), indent=1) + "\n"


def render(served: Served) -> str:
    """Return it as a Markdown table of one row."""
    heads = (
        *("passages", "files MB", "hashing s", "ready s, hashing included", "memory MB: ready, asked"),
        *("search p50, p99 ms", "ask p50, p99 ms", "load average"),
    )
    search, ask = (f"{ms['p50']:.1f}, {ms['p99']:.1f}" for ms in (served.search_ms, served.ask_ms))
    row = (
        *(f"{served.passages:,}", f"{served.files_mb:.0f}", f"{served.hashing_s:.1f}", f"{served.ready_s:.1f}"),
        *(f"{served.ready_mb:.0f}, {served.asked_mb:.0f}", search, ask, f"{served.load_average:.1f}"),
    )
    return f"| {' | '.join(heads)} |\n|{'---|' * len(heads)}\n| {' | '.join(row)} |\n"


def _grown_documents(texts: Iterator[str]) -> Iterator[tuple[Document, list[Passage]]]:
    """Yield documents of so many texts, and each text as a passage of its own."""
    number = 0
    while block := list(islice(texts, _EACH)):
        text = "\n".join(block)
        name, title = f"doc_grown_{number:06}", f"Answers {number}"
        source = Source(f"grown-{number:06}", title, "", "", "", collection=COLLECTION)
        document = Document(name, source, title, text, (Section((), Span(0, len(text))),))
        passages, begin = [], 0
        for one in block:
            span = Span(begin, begin + len(one))
            named = passage_id(name, document.version, span)
            passages.append(Passage(named, name, source.id, COLLECTION, span, one, title, (), (span,), title))
            begin = span.end + 1
        yield document, passages
        number += 1


def _wait_until_ready(url: str, process: "subprocess.Popen[bytes]") -> float:
    began = time.perf_counter()
    while (waited := time.perf_counter() - began) < _START_SECONDS and process.poll() is None:
        if fire(url, [0.0], ["ready"], {}, 1, lambda _: Call("GET", "/readyz"))[0].status == 200:
            return waited
        time.sleep(0.02)
    raise RunError(url, "is not ready")


def _waits(url: str, asked: Sequence[str], asking: Asking) -> Mapping[str, float]:
    fire(url, [0.0] * WARM_UP, asked, {}, 1, asking)
    shots = fire(url, [0.0] * len(asked), asked, {}, 1, asking)
    if any(shot.status != 200 for shot in shots):
        raise RunError(url, f"answers with {sorted({shot.status for shot in shots})}")
    return percentiles([1000 * (shot.done - shot.sent) for shot in shots])
