"""The index built from what is stored, here and on the engine elsewhere, and whether that is needed."""

import hashlib
import logging
import os
import threading
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from sqlalchemy import Engine

import corpus
import index
from corpus.questions import load_questions
from corpus.sentences import split_sentences
from corpus.sources import load_shipped_documents
from corpus.splitting import SPLITTER_VERSION
from index.building import build_snapshot
from index.caching import remember, remember_views
from index.embedding import Embedder, MeteredEmbedder, Progress, SentenceTransformersEmbedder
from index.errors import EngineError, ModelFileError, SnapshotError
from index.fast import choose_embedder
from index.manifest import named_snapshots
from index.model_files import ModelFiles, check_model_files, expected_model_id
from index.onnx_embedder import check_onnx_files, is_outdated
from index.onnx_export import export_apart
from index.parts import RemotePart
from index.snapshot import (
    Manifest,
    check_current_snapshot,
    drop_snapshots_with,
    read_manifest,
    read_shipped,
)
from index.snapshot import remote_parts as read_remote_parts
from service.indexing import Server, Workplace, engine_name, holds, index_waiting, one_before, recipe_of, remote_parts
from service.settings import Settings
from service.sharing import OvertakenError, SharedSnapshots, open_shared
from service.storage.database import is_made, open_database
from service.storage.documents import (
    NOTHING_STORED,
    digest_of_stored,
    load_documents,
    stored_collections,
    withdrawn_versions,
)
from service.storage.indexing import load_installation, sizes
from service.storage.locking import Lock, lock_for, wait_for

_log = logging.getLogger(__name__)

_LOCK_SECONDS = 0.05
_AT_ONCE = 256


@dataclass(frozen=True, slots=True)
class Built:
    """What a build made, and what embedding had of its time.

    Attributes:
        manifest: Of the published snapshot.
        embedded: Texts that had to be embedded.
        embedding_seconds: Time that this took.
    """

    manifest: Manifest
    embedded: int
    embedding_seconds: float


def build_index(settings: Settings, progress: Progress | None = None) -> Built:
    """Build and publish a snapshot of the shipped corpus and of every stored document.

    Only new and changed texts are embedded; the first build exports the model for serving.

    Raises:
        ModelFileError: the model is missing or changed.
    """
    threads = os.cpu_count() or 1  # nobody waits for an answer of this process
    embedder, _ = load_embedder(check_model_files(settings.model), settings, export=True, threads=threads)
    metered = MeteredEmbedder(embedder)
    manifest = publish_stored(settings, metered, progress)
    return Built(manifest, metered.embedded, metered.seconds)


def work_off(settings: Settings, progress: Progress | None = None) -> int:
    """Bring documents that wait to the engine elsewhere, beside other workers; return how many this one brought.

    Raises:
        ModelFileError: the model is missing or changed.
        EngineError: the engine does not answer.
    """
    embedder, _ = load_embedder(check_model_files(settings.model), settings, export=True)
    at = open_workplace(settings, open_database(settings.database), embedder)
    return 0 if at is None else index_waiting(at, progress)


def bring_vectors(settings: Settings) -> int:
    """Put the vectors that the engine elsewhere holds into the cache of this home, so that a build need not make them.

    Returns:
        How many.

    Raises:
        ModelFileError: the model is missing or changed.
        EngineError: the engine does not answer.
    """
    database, model_id = open_database(settings.database), check_model_files(settings.model).model_id
    server, recipe = open_server(settings, database, model_id), recipe_of(database, model_id)
    count = 0
    for name, size in sizes(database, recipe).items():
        passages = server.open(engine_name(name, recipe)).everything()
        while some := list(islice(passages, _AT_ONCE)):  # a build may want them either way, by the collection's size
            remember(((one.passage.embedded_text, one.vector) for one in some), model_id, settings.home / "cache")
            remember_views(some, model_id, settings.home / "cache")
        count += size.passages
    return count


def publish_stored(settings: Settings, embedder: Embedder, progress: Progress | None = None) -> Manifest:
    """Build and publish from what is stored now; older snapshots that hold what was deleted are removed.

    One process builds at a time, from what is stored when its turn comes: the last one publishes the last state.

    Raises:
        OvertakenError: this one lost its turn before all machines were told.
    """
    settings.home.mkdir(parents=True, exist_ok=True)
    engine = open_database(settings.database)
    at = open_workplace(settings, engine, embedder)
    if at is not None:
        index_waiting(at, progress)  # beside whoever does the same; only the last step is for one alone
    shared = open_shared(settings, engine)
    lock = lock_for(engine, settings.home / ".building.lock")
    wait_for(lock, threading.Event(), _LOCK_SECONDS)
    try:
        changes = 0 if shared is None else shared.changes()
        if shared is not None and _was_built_elsewhere(settings, shared, changes):
            manifest = check_current_snapshot(settings.snapshots)
            _hand_over(shared, lock, manifest, changes)
            return manifest
        remote = {} if at is None else _remote_parts(at, settings, progress)
        cache, shipped = settings.home / "cache", shipped_digest()
        before = read_shipped(settings.snapshots, embedder.model_id, shipped)
        # Before the documents are read: one that comes meanwhile makes the snapshot outdated, never the reverse.
        stored = digest_of_stored(engine, but=remote)
        manifest = build_snapshot(
            [*load_shipped_documents(), *load_documents(engine, but=remote)],
            embedder,
            settings.snapshots,
            progress,
            cache=cache,
            most_sentences=settings.most_sentences,
            questions=load_questions(),
            remote=remote,
            made_from={"shipped": shipped, "stored": stored},
            before=before,
        )
        drop_snapshots_with(settings.snapshots, withdrawn_versions(engine))
        if shared is not None:
            _hand_over(shared, lock, manifest, changes)
        if at is not None:
            _drop_unused(at, settings)
    finally:
        lock.release()
        engine.dispose()
    return manifest


def _hand_over(shared: SharedSnapshots, lock: Lock, manifest: Manifest, changes: int) -> None:
    """Publish to all machines, unless the lock went with its connection: another may build by now."""
    if not lock.held():
        raise OvertakenError
    shared.hand_over(manifest.snapshot_id, changes)


def open_workplace(settings: Settings, database: Engine, embedder: Embedder) -> Workplace | None:
    """Return what brings documents to the engine elsewhere, or None where everything is searched in this process.

    Raises:
        EngineError: pymilvus is not installed.
    """
    if settings.engine == "embedded":
        return None
    server = open_server(settings, database, embedder.model_id, embedder.dimension)
    return Workplace(database, server, embedder, settings.home / "cache")


def open_server(settings: Settings, database: Engine, model_id: str, dimension: int = 0) -> Server:
    """Return the Milvus of the settings; nothing is asked of it yet.

    Args:
        settings: Where it is.
        database: Names what this installation keeps there.
        model_id: Model that makes the vectors.
        dimension: Length of a vector; 0 where no collection will be made.

    Raises:
        EngineError: pymilvus is not installed.
    """
    try:
        from index.engines.milvus import MilvusServer
    except ModuleNotFoundError:
        raise EngineError("for Milvus install the extra: pip install 'backline[milvus]'") from None
    name, token = load_installation(database).name, settings.milvus_token.get_secret_value()
    return MilvusServer(settings.milvus_uri, token, model_id, dimension, name)


def _remote_parts(at: Workplace, settings: Settings, progress: Progress | None) -> dict[str, RemotePart]:
    index_waiting(at, progress)
    parts = remote_parts(at, settings.most_sentences)
    before: dict[str, RemotePart] = {}
    with suppress(SnapshotError):
        before = read_remote_parts(settings.snapshots, check_current_snapshot(settings.snapshots))
    for name, part in parts.items():
        if before.get(name) != part:
            at.server.settle(part.name)
    return parts


def _drop_unused(at: Workplace, settings: Settings) -> None:
    """Take out of the engine elsewhere what neither a kept snapshot nor a document needs that is stored or noted there.

    Of machines that share a database others may still search what was there before everything was made anew: it stays
    until the next time.
    """
    at.server.keep_only(lambda: _used(at, settings))


def _used(at: Workplace, settings: Settings) -> set[str]:
    recipe = at.recipe
    recipes = (recipe, one_before(recipe)) if isinstance(settings.database, str) else (recipe,)
    stored = stored_collections(at.database)
    used = {engine_name(name, one) for one in recipes for name in (*stored, *sizes(at.database, one))}
    for name in named_snapshots(settings.snapshots):
        with suppress(SnapshotError):
            manifest = read_manifest(settings.snapshots, name)
            used |= {part.name for part in read_remote_parts(settings.snapshots, manifest).values()}
    return used


def _was_built_elsewhere(settings: Settings, shared: SharedSnapshots, changes: int) -> bool:
    """Bring what another machine has published; return whether it is all that there is to build."""
    try:
        shared.follow()
    except SnapshotError as error:
        _log.warning("the published snapshot is of no use here: %s", error)
    return shared.holds(changes) and index_is_current(settings)


def index_is_current(settings: Settings) -> bool:
    """Whether the current snapshot was made of the corpus, documents, model and splitter as they are now.

    Where an earlier version exported the model, a build is wanted too: it exports it anew.

    Raises:
        ModelFileError: a model of the user's own is missing.
    """
    model_id = expected_model_id(settings.model)
    if is_outdated(model_id, settings.exports):
        return False
    try:
        manifest = check_current_snapshot(settings.snapshots)
    except SnapshotError:
        return False
    remote = read_remote_parts(settings.snapshots, manifest)
    if settings.engine == "milvus":
        if not holds(open_database(settings.database), model_id, remote, settings.most_sentences):
            return False
    elif remote:
        return False
    splitter = {"version": SPLITTER_VERSION, "most_sentences": settings.most_sentences}
    return (
        manifest.model_id == model_id
        and manifest.splitter.items() >= splitter.items()
        and manifest.made_from == {"shipped": shipped_digest(), "stored": _stored_digest(settings, remote)}
    )


def _stored_digest(settings: Settings, but: Collection[str]) -> str:
    return digest_of_stored(open_database(settings.database), but) if is_made(settings.database) else NOTHING_STORED


def shipped_digest() -> str:
    """Return a digest of the shipped corpus's files and of the code that makes an index of them."""
    digest = hashlib.sha256()
    for package, pattern in ((corpus, "*"), (index, "*.py")):
        home = Path(package.__path__[0])
        for path in sorted(home.rglob(pattern)):
            if path.is_file() and "__pycache__" not in path.parts:
                content = path.read_bytes()
                digest.update(f"{package.__name__}/{path.relative_to(home).as_posix()} {len(content)}\n".encode())
                digest.update(content)
    return digest.hexdigest()


def load_embedder(
    files: ModelFiles, settings: Settings, *, export: bool = False, threads: int = 1
) -> tuple[Embedder, str]:
    """Load the embedding model from checked files, and say what runs it.

    Args:
        files: The checked model.
        settings: Where its export lies.
        export: Whether to make the export when there is none: seconds once, and then no start needs torch.
        threads: Cores of one call; one is right where several questions come at once.

    Returns:
        The embedder, and ``onnxruntime``, ``openvino bf16`` (see :mod:`index.fast`) or ``torch``.
    """
    try:
        exported = export_apart(files, settings.exports) if export else check_onnx_files(files, settings.exports)
        return choose_embedder(files, exported, threads, _probes if export else None)
    except ModelFileError as error:
        _log.info("the model runs under torch: %s", error)
        return SentenceTransformersEmbedder(files), "torch"


def _probes() -> list[str]:
    """Return texts by which two ways of running the model are compared: the shipped sentences, in a fixed order."""
    texts = {
        span.slice(document.text) for document in load_shipped_documents() for span in split_sentences(document.text)
    }
    return sorted(texts, key=lambda text: hashlib.sha256(text.encode()).digest())
