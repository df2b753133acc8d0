"""The service put together: settings, model, snapshot, rules, calibration, database."""

import fcntl
import logging
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from corpus.sources import Difference, load_differences, load_shipped_documents
from corpus.splitting import SPLITTER_VERSION
from index.building import build_snapshot
from index.embedding import Embedder, Progress, SentenceTransformersEmbedder, TokenCounter
from index.errors import ModelFileError, SnapshotError
from index.model_files import ModelFiles, check_model_files
from index.onnx_embedder import OnnxEmbedder, check_onnx_files
from index.onnx_export import export_onnx
from index.retrieving import Retriever
from index.snapshot import Manifest, drop_snapshots_with, open_newest_intact, open_snapshot
from index.spelling import model_words
from service.answering.abstaining import Calibration, load_calibration
from service.answering.answerer import Answerer
from service.answering.errors import CalibrationError
from service.answering.records import Question
from service.answering.replying import Replier
from service.following import Follower
from service.http.app import LOOPBACK_HOSTS, create_app
from service.http.schemas import notice_json, reply_json
from service.http.state import Desk
from service.rebuilding import Rebuilder
from service.serving import Serving
from service.settings import Settings, load_settings
from service.storage.database import open_database
from service.storage.documents import load_documents, stored_versions, withdrawn_versions
from service.triage.loading import Rules
from service.triage.screening import load_rules

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Application:
    """An opened service.

    Attributes:
        settings: Its settings.
        replier: Makes replies.
        backend: What runs the embedding model.
        reasons: Why the service is degraded, if it is.
    """

    settings: Settings
    replier: Replier
    backend: str
    reasons: tuple[str, ...] = ()

    def ask(
        self,
        question: str,
        history: tuple[str, ...] = (),
        mode: str = "extractive",
        top_k: int = 10,
        source_ids: Sequence[str] | None = None,
        collection: str = "default",
    ) -> dict[str, Any]:
        """Return the object of ``POST /v1/ask``; without a language model every ``mode`` is extractive."""
        del mode
        asked = Question(question, history, top_k, None if source_ids is None else tuple(source_ids), collection)
        return reply_json(self.replier.reply(asked))

    def screen(self, text: str, history: tuple[str, ...] = ()) -> dict[str, Any] | None:
        """Return the ``triage`` object alone, or None."""
        notice = self.replier.screen(Question(text, history))
        return None if notice is None else notice_json(notice)

    def features(self, question: str, history: tuple[str, ...] = ()) -> dict[str, float]:
        """Return what the calibration looks at."""
        return self.replier.answerer.features(Question(question, history))

    def compose_unconditionally(self, question: str, history: tuple[str, ...] = ()) -> tuple[set[str], list[str]]:
        """Return facts and sources of the answer that would be given at any probability: for calibration only."""
        answer = self.replier.answerer.compose_unconditionally(Question(question, history))
        facts = {fact for citation in answer.citations for fact in citation.facts}
        return facts, [citation.source.id for citation in answer.citations]

    @property
    def model_id(self) -> str:
        """Embedding model that runs."""
        return self.replier.answerer.retriever.snapshot.manifest.model_id


@dataclass(frozen=True, slots=True)
class Parts:
    """What stays the same while snapshots come and go.

    Attributes:
        settings: The settings.
        model_id: The embedding model.
        embedder: The loaded model.
        backend: What runs it.
        known_words: Words that spelling repair leaves alone.
        rules: The warning rules.
        calibration: Of the shipped corpus under this model, if there is one.
        differences: Where the sources differ.
    """

    settings: Settings
    model_id: str
    embedder: Embedder
    backend: str
    known_words: frozenset[str]
    rules: Rules
    calibration: Calibration | None
    differences: tuple[Difference, ...]

    def open_newest(self) -> tuple[Replier, tuple[str, ...]]:
        """Open the newest intact snapshot; say why it is not the current one, if it is not.

        Raises:
            SnapshotError: there is no snapshot, none is intact, or another model made it.
        """
        snapshot, damage = open_newest_intact(self.settings.snapshots, self.model_id)
        retriever = Retriever(snapshot, self.embedder, self.known_words)
        answerer = Answerer(retriever, self.calibration, self.differences)
        return Replier(self.rules, answerer), () if damage is None else (str(damage),)


def load_parts(settings: Settings) -> Parts:
    """Load everything but a snapshot.

    Raises:
        ModelFileError: the model is missing or changed.
    """
    files = check_model_files(settings.model)
    embedder, backend = load_embedder(files, settings)
    return Parts(
        settings,
        files.model_id,
        embedder,
        backend,
        model_words(TokenCounter(files.path).vocabulary()),
        load_rules(),
        _calibration(files.model_id),
        load_differences(),
    )


def open_application(settings: Settings | None = None) -> Application:
    """Open the newest intact snapshot and everything around it.

    Raises:
        ModelFileError: the model is missing or changed.
        SnapshotError: there is no snapshot, none is intact, or another model made it.
    """
    chosen = settings or load_settings()
    parts = load_parts(chosen)
    replier, reasons = parts.open_newest()
    if chosen.database.exists():
        replier.answerer.retriever.withdraw(withdrawn_versions(open_database(chosen.database)))
    return Application(chosen, replier, parts.backend, reasons)


def open_desk(parts: Parts, *, open_reading: bool = True) -> Desk:
    """Put together what serves: the newest snapshot, what follows the next ones, and what builds them.

    Args:
        parts: What stays the same.
        open_reading: Whether asking, searching and reading need no key: only on the loopback interface.

    Raises:
        SnapshotError: there is no snapshot, none is intact, or another model made it.
    """
    settings = parts.settings
    database = open_database(settings.database)
    serving = Serving(*parts.open_newest(), database)
    follower = Follower(settings.snapshots, serving, parts.open_newest)
    rebuilder = Rebuilder(lambda: publish_stored(settings, parts.embedder), follower.look)
    documents = serving.replier.answerer.retriever.snapshot.documents.values()
    if {(d.id, d.version) for d in documents if not d.source.digest} != stored_versions(database):
        rebuilder.request()  # the process ended between a change and its build
    return Desk(settings, serving, parts.backend, database, open_reading, rebuilder, (follower, rebuilder))


def build_index(settings: Settings, progress: Progress | None = None) -> Manifest:
    """Build and publish a snapshot of the shipped corpus and of every stored document.

    Only new and changed texts are embedded; the first build exports the model for serving.

    Raises:
        ModelFileError: the model is missing or changed.
    """
    embedder, _ = load_embedder(check_model_files(settings.model), settings, export=True)
    return publish_stored(settings, embedder, progress)


def publish_stored(settings: Settings, embedder: Embedder, progress: Progress | None = None) -> Manifest:
    """Build and publish from what is stored now; older snapshots that hold what was deleted are removed.

    One process builds at a time, from what is stored when its turn comes: the last one publishes the last state.
    """
    settings.home.mkdir(parents=True, exist_ok=True)
    with (settings.home / ".building.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        engine = open_database(settings.database)
        documents = [*load_shipped_documents(), *load_documents(engine)]
        manifest = build_snapshot(documents, embedder, settings.snapshots, progress, cache=settings.home / "cache")
        drop_snapshots_with(settings.snapshots, withdrawn_versions(engine))
        engine.dispose()
    return manifest


def index_is_current(settings: Settings) -> bool:
    """Whether the current snapshot was made of the corpus, documents, model and splitter as they are now.

    Raises:
        ModelFileError: the model is missing or changed.
        CorpusError: the shipped corpus contradicts itself.
    """
    files = check_model_files(settings.model)
    try:
        snapshot = open_snapshot(settings.snapshots, files.model_id)
    except SnapshotError:
        return False
    stored = load_documents(open_database(settings.database)) if settings.database.exists() else []
    wanted = {document.id: document for document in (*load_shipped_documents(), *stored)}
    return snapshot.manifest.splitter["version"] == SPLITTER_VERSION and dict(snapshot.documents) == wanted


def load_embedder(files: ModelFiles, settings: Settings, *, export: bool = False) -> tuple[Embedder, str]:
    """Load the embedding model from checked files, and say what runs it.

    Args:
        files: The checked model.
        settings: Where its export lies.
        export: Whether to make the export when there is none: seconds once, and then no start needs torch.

    Returns:
        The embedder, and ``onnxruntime`` or ``torch``.
    """
    try:
        exported = export_onnx(files, settings.exports) if export else check_onnx_files(files, settings.exports)
        return OnnxEmbedder(files, exported), "onnxruntime"
    except ModelFileError as error:
        _log.info("the model runs under torch: %s", error)
        return SentenceTransformersEmbedder(files), "torch"


def _calibration(model_id: str) -> Calibration | None:
    try:
        return load_calibration(model_id)
    except CalibrationError as error:
        _log.warning("no calibrated probability: %s", error.reason)
        return None


def serve_application(settings: Settings, host: str, port: int) -> None:
    """Open the service and serve it until it is told to stop.

    Raises:
        RetrievalError: the service cannot be opened.
        OSError: the port is taken.
    """
    import uvicorn

    app = create_app(open_desk(load_parts(settings), open_reading=host in LOOPBACK_HOSTS))
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except OSError as error:
            raise OSError(error.errno, f"port {port} is taken; choose another with --port") from error
        address = f"http://{f'[{host}]' if ':' in host else host}:{port}"
        question = '{"question":"How long does a back spasm last?"}'
        print(f"Backline answers at {address}/ (stop it with Ctrl+C). Try:")
        print(f"  curl -s {address}/v1/ask -H 'content-type: application/json' -d '{question}'", flush=True)
        config = uvicorn.Config(
            app, log_level=settings.log_level, access_log=False, server_header=False, timeout_graceful_shutdown=10
        )
        uvicorn.Server(config).run(sockets=[listener])
