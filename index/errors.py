"""What can go wrong while an index is built, opened or searched."""

from pathlib import Path


class RetrievalError(Exception):
    """Base of every error of this package."""


class DimensionMismatchError(RetrievalError):
    """Two sets of vectors differ in dimension.

    Attributes:
        expected: Dimension of the index.
        actual: Dimension that came.
    """

    def __init__(self, expected: int, actual: int) -> None:
        super().__init__(f"expected vectors of dimension {expected}, got {actual}")
        self.expected = expected
        self.actual = actual


class ModelFileError(RetrievalError):
    """A file of the embedding model is missing, changed or of a refused kind.

    Attributes:
        path: The file.
        reason: What is wrong and what to do.
    """

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path.name}: {reason}")
        self.path = path
        self.reason = reason


class SnapshotError(RetrievalError):
    """Base of what keeps a snapshot from being opened."""


class NoSnapshotError(SnapshotError):
    """There is no published snapshot, or none of the name that was asked for.

    Attributes:
        home: The folder that was looked into.
        snapshot_id: The name that was asked for; None where any would have done.
    """

    def __init__(self, home: Path, snapshot_id: str | None = None) -> None:
        super().__init__(
            "there is no index yet; make one with `backline index`"
            if snapshot_id is None
            else f"there is no snapshot {snapshot_id!r}"
        )
        self.home = home
        self.snapshot_id = snapshot_id


class DamagedSnapshotError(SnapshotError):
    """A file of a snapshot is missing or is not what the manifest says.

    Attributes:
        snapshot_id: The snapshot.
        file: The file at fault.
        reason: What differs.
    """

    def __init__(self, snapshot_id: str, file: str, reason: str) -> None:
        super().__init__(
            f"snapshot {snapshot_id} is damaged: {file} {reason}; make a new one with `backline index --rebuild`"
        )
        self.snapshot_id = snapshot_id
        self.file = file
        self.reason = reason


class ForeignSnapshotError(SnapshotError):
    """A snapshot was made by another model or in another format.

    Attributes:
        snapshot_id: The snapshot.
        made_with: What its manifest names.
        running: What this process has.
    """

    def __init__(self, snapshot_id: str, made_with: str, running: str) -> None:
        super().__init__(
            f"snapshot {snapshot_id} was made with {made_with}, but this process runs {running}; "
            "rebuild it with `backline index --rebuild` or run with the model that made it"
        )
        self.snapshot_id = snapshot_id
        self.made_with = made_with
        self.running = running


class StoreError(RetrievalError):
    """The store in which machines hand snapshots to each other does not answer, or refuses us.

    Attributes:
        reason: The kind of fault; its words may hold addresses.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(f"the store of snapshots (BACKLINE_SNAPSHOTS_URL) cannot be used: {reason}")
        self.reason = reason


class EngineError(RetrievalError):
    """A search engine on servers of its own does not answer, or refuses us."""


class EngineAwayError(EngineError):
    """It does not answer at all: nothing else that is asked of it now would be answered either."""


class ForeignCollectionError(EngineError):
    """A collection of an engine holds another model's vectors.

    Attributes:
        collection: The collection.
        running: The model that this process runs.
    """

    def __init__(self, collection: str, running: str) -> None:
        super().__init__(f"the collection {collection} was filled with another model than {running}, which runs here")
        self.collection = collection
        self.running = running
