"""Vectors kept between builds, so that only new or changed texts are embedded.

Two SQLite files in a folder of their own, beside a file for each result that is made from all of them. A row is found
by the sha256 of model, text and parts, and carries a sha256 over its own name and vectors: a damaged row is embedded
again, a damaged file is made anew. After a build the rows that it did not use are gone, so that a deleted text leaves
no vector behind.

Under onnxruntime a vector does not depend on the batch that it was made in, so that a build from the cache gives the
snapshot of a fresh one. Under torch, and in an older export, its last bits do: about 1e-7 a value, too
little to show in what is found, but enough for another name of the snapshot.
"""

import hashlib
import sqlite3
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from itertools import islice
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from corpus.records import Passage
from index.embedding import Embedder, Progress
from index.viewing import VIEWS_VERSION, Viewed, heading_text, view

FILE = "embeddings.sqlite"
"""Texts and their vectors."""

VIEWS = "views.sqlite"
"""Passages of large collections: each one's vector and what is seen of its sentences, see :mod:`index.viewing`."""

_SCHEMA = "CREATE TABLE IF NOT EXISTS vectors (name BLOB PRIMARY KEY, vector BLOB, digest BLOB) WITHOUT ROWID"
_AT_ONCE = 256
"""Texts that are embedded, then written: a build that is killed loses the work of these at most."""
_NAMES_A_QUERY = 500


def embed_cached(
    texts: Sequence[str],
    embedder: Embedder,
    folder: Path,
    progress: Progress | None = None,
    kept: Iterable[str] = (),
) -> NDArray[np.float32]:
    """Return one vector a text; equal texts are embedded once, and known ones not at all.

    Args:
        texts: The texts of one whole build: what is neither among them nor among ``kept`` is dropped from the cache.
        embedder: Makes the vectors that are not known.
        folder: Where the cache lies; made when missing.
        progress: Told of the texts that had to be embedded.
        kept: Texts of which nothing is wanted now; their vectors stay, where they are known.

    Returns:
        Shape ``(len(texts), dimension)``.
    """
    wanted = _Texts(texts, embedder)
    others = {_name(embedder.model_id, text) for text in kept}
    return wanted.decoded(_complete(folder / FILE, wanted, progress, others))


def view_cached(
    passages: Sequence[Passage], embedder: Embedder, folder: Path, progress: Progress | None = None
) -> list[Viewed]:
    """Return passages with the vectors of them and their sentences; those of known passages are not made again.

    Args:
        passages: Those of one whole build: what is not among them is dropped from the cache.
        embedder: Makes what is not known.
        folder: Where the cache lies; made when missing.
        progress: Told of the passages that had to be embedded.
    """
    wanted = _Passages(passages, embedder)
    return wanted.decoded(_complete(folder / VIEWS, wanted, progress))


def view_known(passages: Sequence[Passage], embedder: Embedder, folder: Path) -> list[Viewed]:
    """Return what :func:`view_cached` does, taking from the cache what is there; it is left as it is, or missing."""
    wanted = _Passages(passages, embedder)
    return wanted.decoded(_look_up(folder / VIEWS, wanted))


def remember(vectors: Iterable[tuple[str, NDArray[np.float32]]], model_id: str, folder: Path) -> None:
    """Put vectors that were made elsewhere into the cache, so that the next build need not make them.

    Args:
        vectors: Texts and their vectors.
        model_id: Model that made them.
        folder: Where the cache lies; made when missing.
    """
    _remember(folder / FILE, ((_name(model_id, text), _bytes(vector)) for text, vector in vectors))


def remember_views(viewed: Iterable[Viewed], model_id: str, folder: Path) -> None:
    """Put passages that were embedded elsewhere into the cache, as :func:`remember` does with texts."""
    _remember(folder / VIEWS, ((_name_of(model_id, one.passage), _bytes(one.vector, one.views)) for one in viewed))


class _Wanted(Protocol):
    """What a call wants of the cache.

    Attributes:
        sizes: Bytes of each row, by name.
        lengths: Characters that are embedded for it, by name.
    """

    sizes: dict[bytes, int]
    lengths: dict[bytes, int]

    def make(self, names: Sequence[bytes], progress: Progress | None) -> Iterable[bytes]:
        """Make some rows."""


class _Texts:
    """Texts, a row of which is a vector."""

    def __init__(self, texts: Sequence[str], embedder: Embedder) -> None:
        self._names = [_name(embedder.model_id, text) for text in texts]
        self._texts = dict(zip(self._names, texts, strict=True))
        self._embedder = embedder
        self.sizes = dict.fromkeys(self._texts, 4 * embedder.dimension)
        self.lengths = {name: len(text) for name, text in self._texts.items()}

    def make(self, names: Sequence[bytes], progress: Progress | None) -> Iterable[bytes]:
        return map(_bytes, self._embedder.embed([self._texts[name] for name in names], progress))

    def decoded(self, rows: Mapping[bytes, bytes]) -> NDArray[np.float32]:
        vectors = np.empty((len(self._names), self._embedder.dimension), dtype=np.float32)
        for row, name in enumerate(self._names):
            vectors[row] = np.frombuffer(rows[name], dtype="<f4")
        return vectors


class _Passages:
    """Passages, a row of which is a vector and what is seen of its sentences."""

    def __init__(self, passages: Sequence[Passage], embedder: Embedder) -> None:
        self._names = [_name_of(embedder.model_id, passage) for passage in passages]
        self._passages = dict(zip(self._names, passages, strict=True))
        self._every, self._embedder = passages, embedder
        rows = {name: 4 + len(passage.sentences) for name, passage in self._passages.items()}
        self.sizes = {name: embedder.dimension * row for name, row in rows.items()}
        self.lengths = {name: len(passage.embedded_text) for name, passage in self._passages.items()}

    def make(self, names: Sequence[bytes], progress: Progress | None) -> Iterable[bytes]:
        made = view([self._passages[name] for name in names], self._embedder, progress)
        return (_bytes(one.vector, one.views) for one in made)

    def decoded(self, rows: Mapping[bytes, bytes]) -> list[Viewed]:
        dimension, viewed = self._embedder.dimension, []
        for name, passage in zip(self._names, self._every, strict=True):
            vector = np.frombuffer(rows[name], dtype="<f4", count=dimension).astype(np.float32)
            views = np.frombuffer(rows[name], dtype=np.int8, offset=4 * dimension).reshape(-1, dimension)
            viewed.append(Viewed(passage, vector, views.copy()))  # a view of the row would keep its vector too
        return viewed


def _complete(
    path: Path, wanted: _Wanted, progress: Progress | None, kept: Collection[bytes] = ()
) -> dict[bytes, bytes]:
    """Return what is wanted, from the cache or made and written there; what is neither wanted nor kept goes."""
    with closing(_open(path)) as cache:
        known = dict(_read(cache, wanted.sizes))
        # By length, so that a batch needs little padding whatever the order of the texts.
        missing = _by_length(wanted, known)
        for begin in range(0, len(missing), _AT_ONCE):
            some = missing[begin : begin + _AT_ONCE]
            fresh = dict(zip(some, wanted.make(some, _shifted(progress, begin, len(missing))), strict=True))
            _write(cache, fresh)  # a build that is cut short goes on from here
            known.update(fresh)
        _keep_only(cache, {*wanted.sizes, *kept})
    return known


def _look_up(path: Path, wanted: _Wanted) -> dict[bytes, bytes]:
    """Return what is wanted, from the cache or made; the cache is left as it is."""
    known: dict[bytes, bytes] = {}
    if path.exists():
        # Not looked through for damage at each call: a row has a digest of its own.
        with suppress(sqlite3.Error), closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as cache:
            known = dict(_read(cache, wanted.sizes))
    missing = _by_length(wanted, known)
    return known | (dict(zip(missing, wanted.make(missing, None), strict=True)) if missing else {})


def _by_length(wanted: _Wanted, known: Mapping[bytes, bytes]) -> list[bytes]:
    return sorted(wanted.sizes.keys() - known.keys(), key=lambda name: (wanted.lengths[name], name))


def _remember(path: Path, rows: Iterable[tuple[bytes, bytes]]) -> None:
    rest = iter(rows)
    with closing(_open(path)) as cache:
        while some := dict(islice(rest, _AT_ONCE)):
            _write(cache, some)


def keep_latest(
    name: str, made_from: Iterable[bytes], make: Callable[[], NDArray[np.float32]], folder: Path
) -> NDArray[np.float32]:
    """Return what ``make`` makes, from the cache where the call before was given the same.

    Args:
        name: Which result it is: the latest of each name is kept.
        made_from: Everything that the result depends on.
        make: Makes it.
        folder: Where the cache lies; made when missing.
    """
    given = hashlib.sha256()
    for part in made_from:
        given.update(hashlib.sha256(part).digest())
    digest, path = given.digest(), folder / f"{name}.vectors"
    with suppress(OSError, ValueError):
        kept = path.read_bytes()
        # The first line names what it was made from and what follows.
        head, _, content = kept.partition(b"\n")
        found, checksum, width = head.decode().split()
        if found == digest.hex() and checksum == hashlib.sha256(content).hexdigest():
            return np.frombuffer(content, dtype="<f4").astype(np.float32).reshape(-1, int(width))
    made = make()
    content = made.astype("<f4").tobytes()
    folder.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    fresh.write_bytes(f"{digest.hex()} {hashlib.sha256(content).hexdigest()} {made.shape[1]}\n".encode() + content)
    fresh.replace(path)
    return made


def _shifted(progress: Progress | None, done: int, of: int) -> Progress | None:
    return None if progress is None else lambda more, _: progress(done + more, of)


def _open(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        return _connect(path)
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError):
            raise  # busy, full or not allowed: the file itself may be whole
        for leftover in path.parent.glob(f"{path.name}*"):
            leftover.unlink()
        return _connect(path)


def _connect(path: Path) -> sqlite3.Connection:
    cache = sqlite3.connect(path, timeout=60)
    try:
        cache.execute("PRAGMA secure_delete = ON")
        cache.execute(_SCHEMA)
        if cache.execute("PRAGMA quick_check").fetchone() != ("ok",):
            raise sqlite3.DatabaseError("the cache is damaged")
    except sqlite3.Error:
        cache.close()
        raise
    return cache


def _read(cache: sqlite3.Connection, sizes: Mapping[bytes, int]) -> Iterator[tuple[bytes, bytes]]:
    names = list(sizes)
    for begin in range(0, len(names), _NAMES_A_QUERY):
        some = names[begin : begin + _NAMES_A_QUERY]
        marks = ",".join("?" * len(some))
        query = f"SELECT name, vector, digest FROM vectors WHERE name IN ({marks})"  # noqa: S608 - only question marks
        for name, content, digest in cache.execute(query, some):
            if _digest(name, content) == digest and len(content) == sizes[name]:
                yield name, content


def _write(cache: sqlite3.Connection, rows: Mapping[bytes, bytes]) -> None:
    with cache:
        cache.executemany(
            "INSERT OR REPLACE INTO vectors VALUES (?, ?, ?)",
            ((name, content, _digest(name, content)) for name, content in rows.items()),
        )


def _keep_only(cache: sqlite3.Connection, names: Iterable[bytes]) -> None:
    with cache:
        cache.execute("CREATE TEMP TABLE used (name BLOB PRIMARY KEY) WITHOUT ROWID")
        cache.executemany("INSERT INTO used VALUES (?)", ((name,) for name in names))
        cache.execute("DELETE FROM vectors WHERE name NOT IN (SELECT name FROM used)")


def _name(model_id: str, text: str) -> bytes:
    return hashlib.sha256(f"{model_id}\n{text}".encode()).digest()


def _name_of(model_id: str, passage: Passage) -> bytes:
    places = " ".join(
        f"{span.start - passage.span.start}-{span.end - passage.span.start}" for span in passage.sentences
    )
    whole = f"{VIEWS_VERSION} {len(passage.context)} {places}\n{heading_text(passage)}\n{passage.embedded_text}"
    return _name(model_id, whole)


def _bytes(vector: NDArray[np.float32], views: NDArray[np.int8] | None = None) -> bytes:
    return vector.astype("<f4").tobytes() + (b"" if views is None else views.tobytes())


def _digest(name: bytes, content: bytes) -> bytes:
    return hashlib.sha256(name + content).digest()
