"""Vectors kept between builds, so that only new or changed texts are embedded.

One SQLite file in a folder of its own, beside a file for each result that is made from all of them. A row is found by
the sha256 of model and text, and carries a sha256 over its own name and vector: a damaged row is embedded again, a
damaged file is made anew. After a build the rows that it did not use are gone, so that a deleted text leaves no vector
behind.

Under onnxruntime a vector does not depend on the batch that it was made in, so that a build from the cache gives the
snapshot of a fresh one. Under torch, and in an older export, its last bits do: about 1e-7 a value, too
little to show in what is found, but enough for another name of the snapshot.
"""

import hashlib
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, suppress
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from index.embedding import Embedder, Progress

FILE = "embeddings.sqlite"

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
    names = [_name(embedder.model_id, text) for text in texts]
    by_name = dict(zip(names, texts, strict=True))
    with closing(_open(folder)) as cache:
        known = dict(_read(cache, list(by_name), embedder.dimension))
        # By length, so that a batch needs little padding whatever the order of the texts.
        missing = sorted(by_name.keys() - known.keys(), key=lambda name: (len(by_name[name]), name))
        for begin in range(0, len(missing), _AT_ONCE):
            some = missing[begin : begin + _AT_ONCE]
            made = embedder.embed([by_name[name] for name in some], _shifted(progress, begin, len(missing)))
            fresh = dict(zip(some, made, strict=True))
            _write(cache, fresh)  # a build that is cut short goes on from here
            known.update(fresh)
        _keep_only(cache, by_name.keys() | {_name(embedder.model_id, text) for text in kept})
    vectors = np.empty((len(texts), embedder.dimension), dtype=np.float32)
    for row, name in enumerate(names):
        vectors[row] = known[name]
    return vectors


def embed_known(texts: Sequence[str], embedder: Embedder, folder: Path) -> NDArray[np.float32]:
    """Return one vector a text, taking from the cache what is there; it is left as it is.

    Args:
        texts: The texts.
        embedder: Makes the vectors that are not known.
        folder: Where the cache lies, if there is one.

    Returns:
        Shape ``(len(texts), dimension)``.
    """
    by_name = {_name(embedder.model_id, text): text for text in texts}
    known: dict[bytes, NDArray[np.float32]] = {}
    if (folder / FILE).exists():
        # Not looked through for damage at each call: a row has a digest of its own.
        with suppress(sqlite3.Error), closing(sqlite3.connect(f"file:{folder / FILE}?mode=ro", uri=True)) as cache:
            known = dict(_read(cache, list(by_name), embedder.dimension))
    missing = sorted(by_name.keys() - known.keys(), key=lambda name: (len(by_name[name]), name))
    if missing:
        known |= zip(missing, embedder.embed([by_name[name] for name in missing]), strict=True)
    vectors = np.empty((len(texts), embedder.dimension), dtype=np.float32)
    for row, text in enumerate(texts):
        vectors[row] = known[_name(embedder.model_id, text)]
    return vectors


def remember(vectors: Iterable[tuple[str, NDArray[np.float32]]], model_id: str, folder: Path) -> None:
    """Put vectors that were made elsewhere into the cache, so that the next build need not make them.

    Args:
        vectors: Texts and their vectors.
        model_id: Model that made them.
        folder: Where the cache lies; made when missing.
    """
    rest = iter(vectors)
    with closing(_open(folder)) as cache:
        while some := list(islice(rest, _AT_ONCE)):
            _write(cache, {_name(model_id, text): vector for text, vector in some})


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


def _open(folder: Path) -> sqlite3.Connection:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / FILE
    try:
        return _connect(path)
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError):
            raise  # busy, full or not allowed: the file itself may be whole
        for leftover in folder.glob(f"{FILE}*"):
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


def _read(
    cache: sqlite3.Connection, names: Sequence[bytes], dimension: int
) -> Iterator[tuple[bytes, NDArray[np.float32]]]:
    for begin in range(0, len(names), _NAMES_A_QUERY):
        some = names[begin : begin + _NAMES_A_QUERY]
        marks = ",".join("?" * len(some))
        query = f"SELECT name, vector, digest FROM vectors WHERE name IN ({marks})"  # noqa: S608 - only question marks
        for name, vector, digest in cache.execute(query, some):
            if _digest(name, vector) == digest and len(vector) == 4 * dimension:
                yield name, np.frombuffer(vector, dtype="<f4").astype(np.float32)


def _write(cache: sqlite3.Connection, vectors: dict[bytes, NDArray[np.float32]]) -> None:
    contents = ((name, vector.astype("<f4").tobytes()) for name, vector in vectors.items())
    with cache:
        cache.executemany(
            "INSERT OR REPLACE INTO vectors VALUES (?, ?, ?)",
            ((name, content, _digest(name, content)) for name, content in contents),
        )


def _keep_only(cache: sqlite3.Connection, names: Iterable[bytes]) -> None:
    with cache:
        cache.execute("CREATE TEMP TABLE used (name BLOB PRIMARY KEY) WITHOUT ROWID")
        cache.executemany("INSERT INTO used VALUES (?)", ((name,) for name in names))
        cache.execute("DELETE FROM vectors WHERE name NOT IN (SELECT name FROM used)")


def _name(model_id: str, text: str) -> bytes:
    return hashlib.sha256(f"{model_id}\n{text}".encode()).digest()


def _digest(name: bytes, vector: bytes) -> bytes:
    return hashlib.sha256(name + vector).digest()
