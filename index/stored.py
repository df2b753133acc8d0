"""Passages and documents of an opened snapshot, and views of sentences, read from the disk when they are needed.

A snapshot of a million passages opens without reading one of them and takes no memory for those that nobody finds.
Every record is checked against what was noted of it when it was written, each time before it is parsed.
"""

import hashlib
import json
import os
import weakref
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from corpus.records import Attribution, Document, Page, Passage, Section, Source, Span
from index.errors import DamagedSnapshotError

KEPT_PASSAGES = 4_096
KEPT_DOCUMENTS = 256
"""Passages of a collection and documents of a snapshot, the last that were read, that stay in memory."""

DOCUMENTS = "documents"
PASSAGES = "passages"
VIEWS = "passage-views.int8"


def json_line(row: object) -> str:
    """Return a value as its line of a file."""
    return json.dumps(row, sort_keys=True, ensure_ascii=False) + "\n"


@dataclass(frozen=True, slots=True)
class Owners:
    """Which document and source each passage of a collection is of.

    Attributes:
        documents: Id and source of each document, in order of their first passages.
        rows: For each passage the number of its document, shape ``(passages,)``.
        keys: For each passage a number made from its id, shape ``(passages,)``.
    """

    documents: Sequence[tuple[str, str]]
    rows: NDArray[np.int32]
    keys: NDArray[np.uint64]

    @classmethod
    def of(cls, passages: Sequence[Passage]) -> "Owners":
        """Return those of some passages."""
        numbers: dict[tuple[str, str], int] = {}
        rows = [numbers.setdefault((one.document_id, one.source_id), len(numbers)) for one in passages]
        keys = [_key(one.id) for one in passages]
        return cls(tuple(numbers), np.array(rows, dtype=np.int32), np.array(keys, dtype=np.uint64))

    def rows_where(self, may: Callable[[str, str], bool]) -> NDArray[np.int64]:
        """Return the passages of which document id and source id pass, in order."""
        passing = np.array([may(*one) for one in self.documents], dtype=np.bool_)
        return np.flatnonzero(passing[self.rows]) if len(self.rows) else np.zeros(0, dtype=np.int64)

    def rows_named(self, passage_id: str) -> NDArray[np.int64]:
        """Return the passages that may have this id: hardly ever more than one."""
        return np.flatnonzero(self.keys == _key(passage_id))

    def by_source(self) -> Counter[str]:
        """Return how many passages each source has."""
        counts: Counter[str] = Counter()
        for (_, source), count in zip(self.documents, np.bincount(self.rows).tolist(), strict=True):
            counts[source] += count
        return counts


class StoredPassages(Sequence[Passage]):
    """The passages of a collection, in order of their rows.

    Args:
        lines: One a passage.
    """

    def __init__(self, lines: "_Records") -> None:
        self._count = len(lines)
        self._read = lru_cache(KEPT_PASSAGES)(lambda row: _passage(json.loads(lines.read(row))))

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, row: int) -> Passage: ...
    @overload
    def __getitem__(self, row: slice) -> Sequence[Passage]: ...
    def __getitem__(self, row: int | slice) -> Passage | Sequence[Passage]:
        """Return a passage, or some.

        Raises:
            IndexError: there is no such row.
            DamagedSnapshotError: the file was changed after it was opened.
        """
        if isinstance(row, slice):
            return [self._read(one) for one in range(*row.indices(self._count))]
        return self._read(range(self._count)[row])


class StoredViews(Sequence[NDArray[np.int8]]):
    """What is seen of the sentences of each passage of a collection, in order of the passages' rows.

    Args:
        records: One a passage.
        dimension: Length of a vector.
    """

    def __init__(self, records: "_Records", dimension: int) -> None:
        self._records = records
        self._dimension = dimension

    def __len__(self) -> int:
        return len(self._records)

    @overload
    def __getitem__(self, row: int) -> NDArray[np.int8]: ...
    @overload
    def __getitem__(self, row: slice) -> Sequence[NDArray[np.int8]]: ...
    def __getitem__(self, row: int | slice) -> NDArray[np.int8] | Sequence[NDArray[np.int8]]:
        """Return one passage's, shape ``(sentences, dimension)``, or those of some.

        Raises:
            IndexError: there is no such row.
            DamagedSnapshotError: the file was changed after it was opened.
        """
        if isinstance(row, slice):
            return [self[one] for one in range(*row.indices(len(self)))]
        record = self._records.read(range(len(self))[row])
        return np.frombuffer(record, dtype=np.int8).reshape(-1, self._dimension)


class StoredDocuments(Mapping[str, Document]):
    """The documents of a snapshot by id, in order of id; what is asked of many of them needs no reading.

    Args:
        lines: One a document.
        columns: ``ids``, ``versions``, ``collections`` and ``digests``: one entry a document.
    """

    def __init__(self, lines: "_Records", columns: Mapping[str, Sequence[Any]]) -> None:
        self._rows = {name: row for row, name in enumerate(columns["ids"])}
        self._columns = columns
        self._read = lru_cache(KEPT_DOCUMENTS)(lambda row: _document(json.loads(lines.read(row))))

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __contains__(self, name: object) -> bool:
        return name in self._rows

    def __getitem__(self, name: str) -> Document:
        """Return a document.

        Raises:
            KeyError: there is none of that id.
            DamagedSnapshotError: the file was changed after it was opened.
        """
        return self._read(self._rows[name])

    def version(self, name: str) -> str:
        """Return the version of a document.

        Raises:
            KeyError: there is none of that id.
        """
        version: str = self._columns["versions"][self._rows[name]]
        return version

    def collection(self, name: str) -> str:
        """Return the collection of a document.

        Raises:
            KeyError: there is none of that id.
        """
        collection: str = self._columns["collections"][self._rows[name]]
        return collection

    def is_digest(self, name: str) -> bool:
        """Whether there is a document of that id, and it is a digest of the shipped corpus."""
        return name in self._rows and bool(self._columns["digests"][self._rows[name]])

    @property
    def collections(self) -> set[str]:
        """The collections that have documents."""
        return set(self._columns["collections"])

    @property
    def digests(self) -> list[Document]:
        """The digests of the shipped corpus."""
        return [self[name] for name, digest in zip(self._rows, self._columns["digests"], strict=True) if digest]

    @property
    def brought(self) -> set[tuple[str, str]]:
        """Id and version of every document that is no digest."""
        columns = self._columns
        every = zip(columns["ids"], columns["versions"], columns["digests"], strict=True)
        return {(name, version) for name, version, digest in every if not digest}


def write_passages(folder: Path, passages: Iterable[Passage], owners: Owners) -> None:
    """Write passages, and what is known of them without reading them, into a folder."""
    _write_lines(folder, PASSAGES, passages, {"owners": owners.rows, "keys": owners.keys}, list(owners.documents))


def write_views(folder: Path, views: Iterable[NDArray[np.int8]]) -> None:
    """Write what is seen of the sentences of passages into a folder."""
    _write_records(folder / VIEWS, (one.tobytes() for one in views), {})


def open_views(root: Path, folder: str, dimension: int) -> StoredViews:
    """Open what :func:`write_views` wrote.

    Args:
        root: Folder of the snapshot.
        folder: Of the collection, below it.
        dimension: Length of a vector.
    """
    records, _ = _open_records(root, f"{folder}/{VIEWS}")
    return StoredViews(records, dimension)


def open_passages(root: Path, folder: str) -> tuple[StoredPassages, Owners]:
    """Open what :func:`write_passages` wrote.

    Args:
        root: Folder of the snapshot.
        folder: Of the collection, below it.
    """
    lines, arrays, documents = _open_lines(root, f"{folder}/{PASSAGES}")
    owners = Owners([(name, source) for name, source in documents], arrays["owners"], arrays["keys"])
    return StoredPassages(lines), owners


def write_documents(folder: Path, documents: Sequence[Document]) -> None:
    """Write documents, and what is known of them without reading them, into a folder."""
    columns = {
        "ids": [document.id for document in documents],
        "versions": [document.version for document in documents],
        "collections": [document.source.collection for document in documents],
        "digests": [document.source.digest for document in documents],
    }
    _write_lines(folder, DOCUMENTS, documents, {}, columns)


def open_documents(root: Path) -> StoredDocuments:
    """Open what :func:`write_documents` wrote into the folder of a snapshot."""
    lines, _, columns = _open_lines(root, DOCUMENTS)
    return StoredDocuments(lines, columns)


def read_versions(root: Path) -> set[tuple[str, str]]:
    """Return id and version of every document in the folder of a snapshot, also of one in an older format.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is no such file.
        LookupError: the same.
    """
    columns = root / f"{DOCUMENTS}.json"
    if columns.exists():
        fields = json.loads(columns.read_text(encoding="utf-8"))
        return set(zip(fields["ids"], fields["versions"], strict=True))
    with (root / f"{DOCUMENTS}.jsonl").open(encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    return {(row["id"], row["version"]) for row in rows}


class _Records:
    """The records of one file of a snapshot; several threads may read at once.

    Args:
        root: Folder of the snapshot.
        name: Name of the file below it.
        begins: Where each record begins, and one more for the end of the last.
        sums: CRC-32 of each record.
    """

    def __init__(self, root: Path, name: str, begins: NDArray[np.int64], sums: NDArray[np.uint32]) -> None:
        self._file = os.open(root / name, os.O_RDONLY | os.O_CLOEXEC)
        weakref.finalize(self, os.close, self._file)
        self._root, self._name = root, name
        self._begins, self._sums = begins, sums

    def __len__(self) -> int:
        return len(self._sums)

    def read(self, row: int) -> bytes:
        begin, end = int(self._begins[row]), int(self._begins[row + 1])
        record = os.pread(self._file, end - begin, begin)
        if zlib.crc32(record) != self._sums[row]:
            raise DamagedSnapshotError(self._root.name, self._name, "was changed after it was opened")
        return record


def _write_lines(
    folder: Path,
    name: str,
    records: Iterable[Passage] | Iterable[Document],
    arrays: Mapping[str, NDArray[Any]],
    said: object,
) -> None:
    """Write three files: one record a line, arrays with the place and the CRC-32 of each line, and ``said``."""
    lines = (json_line(asdict(record)).encode("utf-8") for record in records)
    _write_records(folder / f"{name}.jsonl", lines, arrays)
    (folder / f"{name}.json").write_text(json_line(said), encoding="utf-8")


def _open_lines(root: Path, name: str) -> tuple[_Records, dict[str, NDArray[Any]], Any]:
    lines, arrays = _open_records(root, f"{name}.jsonl")
    said = json.loads((root / f"{name}.json").read_text(encoding="utf-8"))
    return lines, arrays, said


def _write_records(path: Path, records: Iterable[bytes], arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write records one after the other, and beside them arrays with the place and the CRC-32 of each."""
    begins, sums = [0], []
    with path.open("wb") as file:
        for record in records:
            file.write(record)
            begins.append(begins[-1] + len(record))
            sums.append(zlib.crc32(record))
    begun, summed = np.array(begins, dtype=np.int64), np.array(sums, dtype=np.uint32)
    save_file({"begins": begun, "sums": summed, **arrays}, path.with_suffix(".safetensors"))


def _open_records(root: Path, name: str) -> tuple[_Records, dict[str, NDArray[Any]]]:
    arrays = load_file((root / name).with_suffix(".safetensors"))
    return _Records(root, name, arrays["begins"], arrays["sums"]), arrays


def _key(passage_id: str) -> int:
    return int.from_bytes(hashlib.sha256(passage_id.encode("utf-8")).digest()[:8], "little")


def _passage(row: Mapping[str, Any]) -> Passage:
    return Passage(
        **{
            **row,
            "span": Span(**row["span"]),
            "heading_path": tuple(row["heading_path"]),
            "sentences": tuple(Span(**span) for span in row["sentences"]),
        }
    )


def _document(row: Mapping[str, Any]) -> Document:
    return Document(
        id=row["id"],
        source=Source(**row["source"]),
        title=row["title"],
        text=row["text"],
        sections=tuple(map(Section.of_fields, row["sections"])),
        attributions=tuple(
            Attribution(Span(**a["span"]), tuple(a["facts"]), a["evidence"], Page(**a["page"]))
            for a in row["attributions"]
        ),
    )
