"""The service put together: settings, model, snapshot, rules, calibration, database."""

import gc
import json
import logging
import logging.config
import resource
import socket
import sys
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

from sqlalchemy import Engine

from corpus.sources import Difference, load_differences
from index.batching import BatchingEmbedder
from index.embedding import Embedder, TokenCounter
from index.errors import DamagedSnapshotError, RetrievalError
from index.manifest import current_snapshot_id
from index.model_files import ModelFiles, check_model_files
from index.reranking import CrossEncoderReranker, Reranker
from index.retrieving import Retriever
from index.snapshot import Snapshot, open_newest_intact
from index.spelling import model_words
from service.answering.abstaining import Calibration, load_calibration
from service.answering.answerer import Answerer
from service.answering.chat_models import LangChainModel
from service.answering.errors import CalibrationError
from service.answering.generating import Generator
from service.answering.records import Mode, Question, Reply
from service.answering.replying import Replier
from service.building import load_embedder, open_workplace, publish_stored
from service.delivering import Deliverer
from service.following import Follower
from service.handing_over import HANDOFF, deliver_to
from service.helpdesk.calling import sender
from service.helpdesk.events import Event
from service.helpdesk.polling import Poller
from service.helpdesk.receiving import CHANNEL, Reception, conversation_of
from service.helpdesk.working import HelpdeskWorker
from service.http.app import LOOPBACK_HOSTS, connection_of, create_app
from service.http.presenting import notice_json, reply_json
from service.http.state import Background, Desk
from service.http.telemetry import Telemetry, log_configuration
from service.http.tracing import Tracing
from service.indexing import Workplace, elsewhere
from service.keeping import AnswerKeeper
from service.question_log import QuestionLog
from service.queueing import Gate
from service.rebuilding import Rebuilder
from service.redacting import redact
from service.serving import Serving
from service.settings import Settings, environment_text, load_settings
from service.sharing import open_shared
from service.storage.answers import StoredAnswer
from service.storage.collections import publishable, say_for
from service.storage.connections import asker_of
from service.storage.counters import open_counters
from service.storage.database import is_made, open_database
from service.storage.documents import stored_versions, withdrawn_versions
from service.storage.keys import list_keys
from service.triage.language import Warming
from service.triage.loading import Rules
from service.triage.records import Notice
from service.triage.screening import load_rules
from service.watching import EngineWatch

_log = logging.getLogger(__name__)

_SWITCH_SECONDS = 0.02
"""After so long a thread that computes in Python is interrupted for another."""

_FILES = 65_536


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
        sources = None if source_ids is None else tuple(source_ids)
        asked = Question(question, history, top_k, sources, collection, mode=cast("Mode", mode))
        return reply_json(self.replier.reply(asked))

    def screen(self, text: str, history: tuple[str, ...] = ()) -> dict[str, Any] | None:
        """Return the ``triage`` object alone, or None."""
        notice = self.replier.screen(Question(text, history))
        return None if notice is None else notice_json(notice)

    def features(self, question: str, history: tuple[str, ...] = ()) -> dict[str, float]:
        """Return what the calibration looks at."""
        return self.replier.answerer.features(Question(question, history))

    def compose_unconditionally(self, question: str, history: tuple[str, ...] = ()) -> tuple[set[str], list[str], str]:
        """Return facts, sources and text of the answer given at any probability: for calibration only."""
        answer = self.replier.answerer.compose_unconditionally(Question(question, history))
        facts = {fact for citation in answer.citations for fact in citation.facts}
        return facts, [citation.source.id for citation in answer.citations], answer.text

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
        embedder: The loaded model, for building.
        asked: The same for questions, which share batches of it.
        backend: What runs it.
        known_words: Words that spelling repair leaves alone.
        rules: The warning rules.
        calibration: Of the shipped corpus under this model, if there is one.
        differences: Where the sources differ.
        generator: Words answers; None where no language model is set.
        workplace: What brings documents to an engine elsewhere; None where everything is searched in this process.
        reranker: Looks at the best passages again; None where no model is set.
        gate: Whose turn it is to compute.
    """

    settings: Settings
    model_id: str
    embedder: Embedder
    asked: BatchingEmbedder
    backend: str
    known_words: frozenset[str]
    rules: Rules
    calibration: Calibration | None
    differences: tuple[Difference, ...]
    generator: Generator | None = None
    workplace: Workplace | None = None
    reranker: Reranker | None = None
    gate: Gate = field(default_factory=Gate)

    def open_newest(self) -> tuple[Replier, tuple[str, ...]]:
        """Open the newest intact snapshot; say why it is not the current one, if it is not.

        Raises:
            SnapshotError: there is no snapshot, none is intact, or another model made it.
            EngineError: it has collections on an engine elsewhere, and this process is not told of it.
        """
        snapshot, damage = open_newest_intact(self.settings.snapshots, self.model_id)
        remote = None if self.workplace is None else elsewhere(self.workplace)
        retriever = Retriever(snapshot, self.asked, self.known_words, remote, self.reranker, self.gate.aside)
        answerer = Answerer(retriever, self.calibration, self.differences)
        replier = Replier(self.rules, answerer, say_for(self.settings.database), self.generator)
        return replier, () if damage is None else (str(damage),)


def load_parts(settings: Settings, checked: Future[ModelFiles] | None = None) -> Parts:
    """Load everything but a snapshot.

    Args:
        settings: The settings.
        checked: The model's files, where somebody checks them already.

    Raises:
        ModelFileError: the model is missing or changed.
        ChatModelError: the language model's setting cannot be used.
    """
    generator = _generator(settings)
    with ThreadPoolExecutor(1) as pool:
        # Hashing the model and making ready to run it need a core, but hardly the interpreter.
        loading = pool.submit(_load_model, settings, checked)
        rules, differences = load_rules(), load_differences()
        files, embedder, backend = loading.result()
    engine = None if settings.engine == "embedded" else open_database(settings.database)
    return Parts(
        settings,
        files.model_id,
        embedder,
        BatchingEmbedder(embedder),
        backend,
        model_words(TokenCounter(files.path).vocabulary()),
        rules,
        _calibration(files.model_id),
        differences,
        generator,
        None if engine is None else open_workplace(settings, engine, embedder),
        None if settings.reranker is None else CrossEncoderReranker(settings.reranker),
    )


def _load_model(settings: Settings, checked: Future[ModelFiles] | None) -> tuple[ModelFiles, Embedder, str]:
    files = check_model_files(settings.model) if checked is None else checked.result()
    return files, *load_embedder(files, settings)


def open_application(settings: Settings | None = None) -> Application:
    """Open the newest intact snapshot and everything around it.

    Raises:
        ModelFileError: the model is missing or changed.
        SnapshotError: there is no snapshot, none is intact, or another model made it.
    """
    chosen = settings or load_settings()
    with suppress(DamagedSnapshotError):  # an older one may be whole
        current_snapshot_id(chosen.snapshots)  # where there is none, that is said before a model is loaded
    parts = load_parts(chosen)
    replier, reasons = parts.open_newest()
    if is_made(chosen.database):
        replier.answerer.retriever.withdraw(withdrawn_versions(open_database(chosen.database)))
    return Application(chosen, replier, parts.backend, reasons)


def open_desk(
    parts: Parts,
    *,
    open_reading: bool = True,
    public: bool = False,
    hosts: Sequence[str] = (),
    shared_counts: Path | None = None,
) -> Desk:
    """Put together what serves: the newest snapshot, what follows the next ones, and what builds them.

    Args:
        parts: What stays the same.
        open_reading: Whether asking, searching and reading need no key: on the loopback interface, or by --public-ask.
        public: Whether others than this machine may reach the service.
        hosts: Host names that are served beside the loopback interface's own.
        shared_counts: Folder in which several workers count together.

    Raises:
        SnapshotError: there is no snapshot, none is intact, or another model made it.
    """
    settings = parts.settings
    database = open_database(settings.database)
    serving = Serving(*parts.open_newest(), database)
    shared = open_shared(settings, database)
    follower = Follower(settings.snapshots, serving, parts.open_newest, bring=None if shared is None else shared.follow)
    rebuilder = Rebuilder(
        lambda: publish_stored(settings, parts.embedder),
        follower.look,
        is_behind=None if shared is None else shared.is_behind,
    )
    if _is_behind(serving.replier.answerer.retriever.snapshot, database, parts.workplace):
        rebuilder.request()  # the process ended between a change and its build
    keeper = AnswerKeeper(database, settings.keep_answers)
    questions = QuestionLog(settings.question_log, settings.log_questions)
    deliverer, poller = open_delivering(settings, database, serving, parts.gate, keeper)
    tracing = None if not settings.traces_url else Tracing(settings.traces_url)
    background: list[Background] = [follower, rebuilder, keeper, questions, deliverer, poller]
    background.append(Warming(parts.asked.probe, parts.rules.speller.prepare))
    return Desk(
        settings,
        serving,
        parts.backend,
        database,
        open_reading,
        rebuilder,
        keeper,
        (*background, *(() if tracing is None else (tracing,))),
        reception=Reception(database),
        questions=questions,
        gate=parts.gate,
        counters=open_counters(settings.counters),
        public=public,
        hosts=tuple(hosts),
        telemetry=Telemetry(shared_counts, tracing),
        watch=None if parts.workplace is None else EngineWatch(parts.workplace.server.check),
    )


def _is_behind(snapshot: Snapshot, database: Engine, workplace: Workplace | None) -> bool:
    """Whether something was stored or deleted that no build has seen."""
    if snapshot.documents.brought != stored_versions(database, but=snapshot.remote):
        return True
    return workplace is not None and workplace.is_behind


def open_delivering(
    settings: Settings,
    database: Engine,
    serving: Serving,
    gate: Gate,
    keeper: AnswerKeeper,
) -> tuple[Deliverer, Poller]:
    """Put together what reaches others: answers in help desks, and hand-overs to a person.

    Args:
        settings: The settings.
        database: Where connections and deliveries are kept.
        serving: What answers.
        gate: Lets so many questions in at once.
        keeper: Keeps what was answered.
    """
    send = sender(settings.helpdesk_allow)

    def ask(question: Question) -> Reply:
        open_to_others = replace(question, collection=publishable(database, question.collection))
        with gate:
            return serving.replier.reply(open_to_others)

    def screen(question: Question) -> Notice | None:
        return serving.replier.screen(question)

    def keep(event: Event, question: Question, reply: Reply) -> None:
        conversation = conversation_of(event.connection, event.conversation_ref)
        text = json.dumps(reply_json(reply, conversation), ensure_ascii=False)
        asker = asker_of(event.connection)
        kept = StoredAnswer(reply.id, asker, conversation, question.collection, question.text, text, reply.created)
        keeper.keep(kept)

    def earlier(event: Event) -> tuple[str, ...]:
        conversation = conversation_of(event.connection, event.conversation_ref)
        return keeper.earlier_questions(asker_of(event.connection), conversation) if keeper.keeps else ()

    worker = HelpdeskWorker(database, settings, ask, screen, send, keep, earlier)
    deliverer = Deliverer(
        database, settings.home / ".delivering.lock", {CHANNEL: worker.deliver, HANDOFF: deliver_to(settings)}
    )
    return deliverer, Poller(database, settings.home / ".polling.lock", send, timedelta(days=settings.keep_answers))


def _generator(settings: Settings) -> Generator | None:
    if not settings.llm:
        return None
    key = settings.llm_key.get_secret_value()
    return Generator(LangChainModel(settings.llm, settings.llm_url, key, settings.llm_seconds), redact)


def _calibration(model_id: str) -> Calibration | None:
    try:
        return load_calibration(model_id)
    except CalibrationError as error:
        _log.warning("no calibrated probability: %s", error.reason)
        return None


def has_keys(settings: Settings) -> bool:
    """Whether any key works now."""
    if not is_made(settings.database):
        return False
    now = datetime.now(UTC)
    return any(key.works_at(now) for key in list_keys(open_database(settings.database)))


def is_public(settings: Settings, host: str) -> bool:
    """Whether others than this machine may reach the service: by its address, or by a proxy that has a name for it."""
    return host not in LOOPBACK_HOSTS or bool(settings.hosts)


@dataclass(frozen=True, slots=True)
class Front:
    """Where the service answers, and for whom.

    Attributes:
        host: Address that is bound.
        port: Port that is bound.
        public: Whether others than this machine may reach it.
        open_reading: Whether asking, searching and reading need no key.
        hosts: Host names that are served beside the loopback interface's own.
    """

    host: str
    port: int
    public: bool
    open_reading: bool
    hosts: tuple[str, ...]


def serve_application(
    settings: Settings,
    host: str,
    port: int,
    *,
    public_ask: bool = False,
    workers: int = 1,
    checked: Future[ModelFiles] | None = None,
) -> None:
    """Open the service and serve it until it is told to stop.

    Args:
        settings: The settings.
        host: Address to bind.
        port: Port to bind.
        public_ask: Whether asking, searching and reading need no key though others may reach the service.
        workers: Processes that serve, on one socket.
        checked: The model's files, where somebody checks them already; of use to one process alone.

    Raises:
        RetrievalError: the service cannot be opened.
        OSError: the port is taken.
        WorkersError: the workers died again and again.
    """
    logging.config.dictConfig(log_configuration(settings.log_level))
    # A snapshot keeps a file open for each collection, and connections are files too.
    least, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(least, min(most, _FILES)), most))
    public = is_public(settings, host)
    hosts = settings.hosts if host in {*LOOPBACK_HOSTS, "0.0.0.0", "::"} else (host, *settings.hosts)  # noqa: S104
    front = Front(host, port, public, public_ask or not public, tuple(hosts))
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except OSError as error:
            raise OSError(error.errno, f"port {port} is taken; choose another with --port") from error
        if workers == 1:
            _serve(settings, front, listener, announce=True, checked=checked)
            return
        _announce(front, settings)
        from service.supervising import Supervisor

        gc.enable()
        if not Supervisor(serve_worker, (settings, front, listener), workers).run():
            raise WorkersError


class WorkersError(Exception):
    """The processes that serve could not be kept alive."""

    def __str__(self) -> str:
        return "the workers do not stay alive; the log says why"


def serve_worker(settings: Settings, front: Front, listener: socket.socket) -> None:
    """Serve in one process of several."""
    from service.supervising import CANNOT_OPEN

    gc.disable()  # until what is loaded now is there
    logging.config.dictConfig(log_configuration(settings.log_level))
    try:
        _serve(settings, front, listener, announce=False)
    except (RetrievalError, OSError) as error:
        _log.error("the service cannot be opened: %s", error)
        raise SystemExit(CANNOT_OPEN) from None


def _serve(
    settings: Settings,
    front: Front,
    listener: socket.socket,
    *,
    announce: bool,
    checked: Future[ModelFiles] | None = None,
) -> None:
    import uvicorn

    from service.draining import DrainingServer

    folder = environment_text("PROMETHEUS_MULTIPROC_DIR")  # the supervisor sets it, and the library reads it too
    desk = open_desk(
        load_parts(settings, checked),
        open_reading=front.open_reading,
        public=front.public,
        hosts=front.hosts,
        shared_counts=None if folder is None else Path(folder),
    )
    if announce:
        _announce(front, settings)
    app = create_app(desk)
    config = uvicorn.Config(
        app,
        http=connection_of(app),
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=10,
    )
    # A refusal waits until whoever computes lets go of the interpreter by itself, a few times in each answer: to be
    # interrupted for every one of them, and to come back, costs those who are answered more (decision 0014).
    sys.setswitchinterval(_SWITCH_SECONDS)
    gc.freeze()  # what the start has loaded is never looked through again
    gc.enable()
    DrainingServer(config, desk.stopping, settings.drain_seconds).run(sockets=[listener])


def _announce(front: Front, settings: Settings) -> None:
    """Print where the service answers, under which names, and who may ask."""
    address = f"http://{f'[{front.host}]' if ':' in front.host else front.host}:{front.port}"
    question = '{"question":"How long does a back spasm last?"}'
    key = "" if front.open_reading else " -H 'authorization: Bearer bl_…'"
    print(f"Backline answers at {address}/ (stop it with Ctrl+C). Try:")
    print(f"  curl -s {address}/v1/ask{key} -H 'content-type: application/json' -d '{question}'")
    if front.public:
        names = ", ".join((*front.hosts, *LOOPBACK_HOSTS))
        print(f"Others may reach it. Served host names: {names} (BACKLINE_HOSTS adds more).")
        collections = ", ".join(settings.public_collections)
        print(
            f"Anyone may ask without a key (--public-ask), of the collections {collections}."
            if front.open_reading
            else "Every question needs a key; --public-ask would let anyone ask."
        )
    sys.stdout.flush()
