"""What ``backline doctor`` looks at."""

import errno
import ipaddress
import shutil
import socket
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection, HTTPException

from sqlalchemy.exc import SQLAlchemyError

from index.errors import EngineError, ModelFileError, RetrievalError, SnapshotError
from index.model_files import check_model_files
from index.onnx_embedder import check_onnx_files
from index.snapshot import open_snapshot
from service.building import open_server
from service.indexing import engine_name, recipe_of
from service.settings import Settings
from service.storage.connections import list_connections
from service.storage.database import MissingDriverError, is_made, open_database
from service.storage.documents import stored_versions
from service.storage.indexing import is_behind, sizes
from service.storage.keys import list_keys
from service.storage.migrating import NewerDatabaseError

_NEEDED_BYTES = 500_000_000
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_SOON = timedelta(days=14)
_QUESTION = "How long does a back spasm last?"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        ok: Whether it is as it should be.
        what: What was looked at.
        says: What was seen, and what to do when it is wrong.
    """

    ok: bool
    what: str
    says: str


def examine(settings: Settings) -> Iterator[Finding]:
    """Check Python, model files, index, database, keys, disk, port and what leaves the machine, one after the other."""
    version = ".".join(map(str, sys.version_info[:3]))
    yield Finding(sys.version_info >= (3, 11), "Python", f"{version} (3.11 or newer is needed)")
    model_id = None
    try:
        model_id = check_model_files(settings.model).model_id
        yield Finding(ok=True, what="model", says=f"{model_id}, every file as it should be")
        yield _export(settings)
    except ModelFileError as error:
        yield Finding(ok=False, what="model", says=str(error))
    if model_id is not None:
        try:
            snapshot = open_snapshot(settings.snapshots, model_id)
            passages = snapshot.manifest.counts["passages"]
            yield Finding(ok=True, what="index", says=f"{snapshot.id}, {passages} passages, intact")
        except SnapshotError as error:
            yield Finding(ok=False, what="index", says=str(error))
    database = _database(settings)
    yield database
    if database.ok:
        if settings.engine == "milvus" and model_id is not None:
            yield _engine(settings, model_id)
        yield _keys(settings)
        yield _leaving(settings)
    yield _disk(settings)
    yield _port(settings)


def examine_offline() -> Iterator[Finding]:
    """Open the service and ask it a question while every look-up of a name and every way out of the machine is barred.

    The bar stays for the rest of the process.
    """
    from service.application import open_application

    tried: list[str] = []

    def bar(event: str, arguments: tuple[object, ...]) -> None:
        if event in {"socket.getaddrinfo", "socket.gethostbyname"}:
            host = arguments[0]
        elif event in {"socket.connect", "socket.sendto"} and isinstance(arguments[1], tuple):
            host = arguments[1][0]
        else:
            return
        if not _is_here(str(host)):
            tried.append(str(host))
            raise ConnectionRefusedError(f"barred by backline doctor --offline: {host}")

    sys.addaudithook(bar)
    try:
        status = str(open_application().ask(_QUESTION)["status"])
    except RetrievalError as error:
        yield Finding(ok=False, what="offline", says=str(error))
        return
    if tried:
        says = f"something wanted to reach {', '.join(sorted(set(tried)))}; see where that is set"
        yield Finding(ok=False, what="offline", says=says)
    else:
        yield Finding(status == "answered", "offline", f"a question was {status} with every way out barred")


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host in {"localhost", ""}


def _export(settings: Settings) -> Finding:
    try:
        check_onnx_files(check_model_files(settings.model), settings.exports)
    except ModelFileError as error:
        says = f"{error}; `backline index --rebuild` makes it, until then questions need PyTorch"
        return Finding(ok=False, what="exported model", says=says)
    return Finding(ok=True, what="exported model", says="every file as it should be; serving needs no PyTorch")


def _keys(settings: Settings) -> Finding:
    now = datetime.now(UTC)
    found = list_keys(open_database(settings.database)) if is_made(settings.database) else []
    working = [key for key in found if key.works_at(now)]
    public = settings.host not in _LOOPBACK or bool(settings.hosts)
    if public and not working:
        says = "none works, and others can reach the service: `backline keys create NAME --scope ask`"
        return Finding(ok=False, what="keys", says=says)
    soon = [key.id for key in working if key.expires is not None and key.expires < now + _SOON]
    says = f"{len(working)} work" + (f"; within {_SOON.days} days {', '.join(soon)} end: make others" if soon else "")
    return Finding(ok=True, what="keys", says=says if working else "none works; asking on this machine needs none")


def _leaving(settings: Settings) -> Finding:
    ways = {
        "hand-overs (BACKLINE_HANDOFF_URL)": bool(settings.handoff_url),
        "traces (BACKLINE_TRACES_URL)": bool(settings.traces_url),
        "questions to a language model (BACKLINE_LLM)": bool(settings.llm),
        "snapshots (BACKLINE_SNAPSHOTS_URL)": bool(settings.snapshots_url),
        "the database (BACKLINE_DATABASE_URL)": bool(settings.database_url.get_secret_value()),
        "documents and questions to Milvus (BACKLINE_MILVUS_URI)": settings.engine == "milvus",
        "counters (BACKLINE_REDIS_URL)": bool(settings.redis_url.get_secret_value()),
        "help desks (backline connect list)": is_made(settings.database)
        and bool(list_connections(open_database(settings.database))),
    }
    named = [name for name, used in ways.items() if used]
    says = f"by your settings {', '.join(named)}" if named else "nothing; `backline doctor --offline` proves it"
    return Finding(ok=True, what="leaves this machine", says=says)


def _database(settings: Settings) -> Finding:
    place = settings.database
    if isinstance(place, str):
        return _shared_database(place)
    if not place.exists():
        return Finding(ok=True, what="database", says="none yet; the first ingest makes it")
    try:
        with sqlite3.connect(place) as connection:
            verdict = str(connection.execute("PRAGMA integrity_check").fetchone()[0])
    except sqlite3.Error as error:
        verdict = str(error)
    says = "intact" if verdict == "ok" else f"{verdict}; restore it from a backup"
    return Finding(verdict == "ok", "database", says)


def _shared_database(place: str) -> Finding:
    try:
        count = len(stored_versions(open_database(place)))
    except (SQLAlchemyError, MissingDriverError, NewerDatabaseError) as error:
        says = str(error) if not isinstance(error, SQLAlchemyError) else "PostgreSQL does not answer, or refuses us"
        return Finding(ok=False, what="database", says=says)
    return Finding(ok=True, what="database", says=f"PostgreSQL answers; {count} documents")


def _engine(settings: Settings, model_id: str) -> Finding:
    """Say whether Milvus answers, and holds what was brought there."""
    database = open_database(settings.database)
    recipe = recipe_of(database, model_id)
    try:
        server = open_server(settings, database, model_id)
        server.check()
        held = {name: len(server.open(engine_name(name, recipe))) for name in sizes(database, recipe)}
    except EngineError as error:
        return Finding(ok=False, what="engine", says=str(error))
    wrong = [name for name, size in sizes(database, recipe).items() if held.get(name) != size.passages]
    if wrong:
        says = f"Milvus holds other passages of {', '.join(wrong)} than were brought there: `backline index --rebuild`"
        return Finding(ok=False, what="engine", says=says)
    if is_behind(database, recipe):
        says = f"Milvus answers; {sum(held.values())} passages, and documents that wait: `backline index`"
        return Finding(ok=False, what="engine", says=says)
    says = f"Milvus answers; {sum(held.values())} passages, as many as there should be"
    return Finding(ok=True, what="engine", says=says)


def _disk(settings: Settings) -> Finding:
    folder = settings.home.resolve()
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    return Finding(
        free >= _NEEDED_BYTES, "disk", f"{free // 1_000_000} MB free ({_NEEDED_BYTES // 1_000_000} MB are needed)"
    )


def _port(settings: Settings) -> Finding:
    """Say whether the service could bind its port, or answers there already."""
    address = f"{settings.host}:{settings.port}"
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                says = f"{address} cannot be bound ({error.strerror}); set BACKLINE_HOST and BACKLINE_PORT"
                return Finding(ok=False, what="port", says=says)
        else:
            return Finding(ok=True, what="port", says=f"{address} is free")
    if _answers(settings):
        return Finding(ok=True, what="port", says=f"{address}: Backline answers there")
    says = f"{address} is taken by another program; set BACKLINE_PORT, or serve with --port"
    return Finding(ok=False, what="port", says=says)


def _answers(settings: Settings) -> bool:
    """Whether what listens on the port says of itself that it is Backline."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104 - everywhere is here too
    try:
        with closing(HTTPConnection(host, settings.port, timeout=2)) as connection:
            connection.request("GET", "/readyz")
            return b'"snapshot_id"' in connection.getresponse().read(4_096)
    except (OSError, HTTPException):
        return False
