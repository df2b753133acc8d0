import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import pytest
from grpc.aio import AioRpcError, Metadata
from pymilvus import MilvusClient
from pymilvus.client.iterator import QueryIterator
from pymilvus.exceptions import MilvusException

from index.engines.milvus import _QUIET, MilvusPassages, MilvusServer, _errors, connect
from index.errors import EngineAwayError, EngineError, ForeignCollectionError
from index.viewing import view
from tests.index.engines.test_contract import EMBEDDER, made
from tests.servers import free_port


def test_a_collection_keeps_its_passages_between_connections_and_apart_from_others(milvus_server: str) -> None:
    passages = made(6)
    one = MilvusPassages(connect(milvus_server), "clinic", "hashing@1", 16, "apart")
    one.add(view(passages, EMBEDDER))
    assert len(MilvusPassages(connect(milvus_server), "clinic", "hashing@1", 16, "apart")) == 6
    assert len(MilvusPassages(connect(milvus_server), "other", "hashing@1", 16, "apart")) == 0


def test_another_models_collection_is_refused_by_name(milvus_server: str) -> None:
    MilvusPassages(connect(milvus_server), "clinic", "hashing@1", 16, "model")
    with pytest.raises(ForeignCollectionError, match="clinic was filled with another model than other@2"):
        MilvusPassages(connect(milvus_server), "clinic", "other@2", 16, "model")


def test_a_swap_leaves_no_collection_behind(milvus_server: str, open_milvus: Callable[[], MilvusPassages]) -> None:
    engine = open_milvus()
    with engine.replacing() as filling:
        filling.add(view(made(4), EMBEDDER))
    with pytest.raises(KeyError), engine.replacing():
        raise KeyError
    kept = [name for name in connect(milvus_server).list_collections() if name.startswith(engine._alias)]
    assert len(kept) == 1


class Timed:
    """A client that notes which calls have no deadline."""

    def __init__(self, client: MilvusClient) -> None:
        self._client = client
        self.endless: list[str] = []

    def __getattr__(self, name: str) -> Any:
        def call(*args: Any, **options: Any) -> Any:
            if name != "prepare_index_params" and options.get("timeout") is None:
                self.endless.append(name)
            return getattr(self._client, name)(*args, **options)

        return call


def test_every_call_has_a_deadline(milvus_server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    timed = Timed(connect(milvus_server))
    monkeypatch.setattr("index.engines.milvus.connect", lambda *_: timed)
    server = MilvusServer(milvus_server, "", "hashing@1", 16, "timed")
    engine = server.open("clinic", make=True)
    engine.add(view(made(4), EMBEDDER))
    with engine.replacing() as filling:
        filling.add(view(made(2), EMBEDDER))
    with pytest.raises(KeyError), engine.replacing():
        raise KeyError
    assert len(list(engine.everything())) == 2
    server.settle("clinic")
    server.check()
    server.keep_only(list)
    assert not server.has("clinic")
    assert timed.endless == []


def test_a_fault_of_tidying_up_hides_no_other(
    open_milvus: Callable[[], MilvusPassages], monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = open_milvus()
    engine.add(view(made(4), EMBEDDER))

    def refuse(*_: object, **__: object) -> None:
        raise MilvusException(code=100)

    def break_off(*_: object) -> None:
        raise MilvusException(code=1_000)

    monkeypatch.setattr(QueryIterator, "close", refuse)
    assert len(list(engine.everything())) == 4
    monkeypatch.setattr(QueryIterator, "next", break_off)
    with pytest.raises(EngineError, match="code 1000"):
        list(engine.everything())
    monkeypatch.setattr(engine._client, "drop_collection", refuse)
    with pytest.raises(KeyError), engine.replacing():
        raise KeyError


def test_a_milvus_that_does_not_answer_is_an_error_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("index.engines.milvus._CHECK_SECONDS", 0.2)
    with pytest.raises(EngineAwayError, match="Milvus"):
        connect(f"http://127.0.0.1:{free_port()}")


def test_to_connect_takes_no_longer_than_to_check(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("index.engines.milvus._CHECK_SECONDS", 0.2)
    monkeypatch.setattr("index.engines.milvus._TIMEOUT_SECONDS", 3_600.0)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        server = MilvusServer(f"http://127.0.0.1:{silent.getsockname()[1]}", "", "hashing@1", 16, "silent")
        with pytest.raises(EngineAwayError, match="code 2"):
            server.check()
        with server._lock, pytest.raises(EngineAwayError, match="long to connect"):  # another is at it
            server.open("clinic")


def rpc_error(code: grpc.StatusCode) -> grpc.RpcError:
    return AioRpcError(code, Metadata(), Metadata())


def test_an_idle_connection_is_not_tested_and_closed_after_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, Any] = {}
    monkeypatch.setattr("index.engines.milvus.MilvusClient", lambda *_, **options: given.update(options))
    connect("http://127.0.0.1:19530")
    assert given["grpc_options"] == {"grpc.keepalive_permit_without_calls": 0, "grpc.client_idle_timeout_ms": 60_000}


def test_whoever_connects_gets_a_connection_with_our_options(milvus_server: str) -> None:
    # The library shares one connection among all clients of a process: the first one's options hold.
    assert connect(milvus_server)._handler._grpc_options["grpc.keepalive_permit_without_calls"] == 0


def test_a_connection_that_was_closed_for_idling_opens_anew(
    milvus_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(_QUIET, "grpc.client_idle_timeout_ms", 200)
    client = connect(milvus_server, "idle:idle")  # connections with the same token are shared
    idle = threading.Event()
    client._handler._channel.subscribe(lambda state: idle.set() if state is grpc.ChannelConnectivity.IDLE else None)
    assert idle.wait(10)
    assert not client.has_collection("unknown", timeout=5)


@pytest.mark.parametrize(
    ("error", "away", "said"),
    [
        (grpc.RpcError(), True, "RpcError"),
        (rpc_error(grpc.StatusCode.DEADLINE_EXCEEDED), True, "code DEADLINE_EXCEEDED"),
        (rpc_error(grpc.StatusCode.UNAVAILABLE), True, "code UNAVAILABLE"),
        (rpc_error(grpc.StatusCode.CANCELLED), True, "code CANCELLED"),
        (rpc_error(grpc.StatusCode.PERMISSION_DENIED), False, "code PERMISSION_DENIED"),
        (rpc_error(grpc.StatusCode.RESOURCE_EXHAUSTED), False, "code RESOURCE_EXHAUSTED"),
        (MilvusException(code=1), True, "code 1"),
        (MilvusException(code=100), False, "code 100"),
    ],
)
def test_a_refusal_is_not_an_absence(error: Exception, away: bool, said: str) -> None:  # noqa: FBT001 - a parameter of the test
    with pytest.raises(EngineError, match=said) as told, _errors():
        raise error
    assert isinstance(told.value, EngineAwayError) == away


def test_only_a_collection_that_may_be_made_is_made(milvus_server: str) -> None:
    server = MilvusServer(milvus_server, "", "hashing@1", 16, "lost")
    server.check()
    with pytest.raises(EngineError, match="backline index --rebuild"):
        server.open("clinic")
    passages = made(4)
    server.open("clinic", make=True).add(view(passages, EMBEDDER))
    server.settle("clinic")
    assert (server.has("clinic"), server.has("other")) == (True, False)
    assert len(server.open("clinic")) == len(passages)


def test_what_nothing_needs_is_removed_and_nobody_elses(milvus_server: str) -> None:
    ours, theirs = (MilvusServer(milvus_server, "", "hashing@1", 16, prefix) for prefix in ("keeps", "keep"))
    for server, name in ((ours, "clinic"), (ours, "old"), (theirs, "old")):
        server.open(name, make=True)
    ours.keep_only(lambda: ["clinic", "unknown"])
    ours.open("clinic")
    with pytest.raises(EngineError, match="lost a collection"):
        ours.open("old")
    theirs.open("old")


def test_what_is_made_while_it_is_asked_what_to_keep_stays(milvus_server: str) -> None:
    server = MilvusServer(milvus_server, "", "hashing@1", 16, "meanwhile")
    server.open("old", make=True)

    def kept() -> list[str]:
        server.open("new", make=True)
        return []

    server.keep_only(kept)
    assert (server.has("old"), server.has("new")) == (False, True)


def test_of_several_that_make_a_collection_at_once_all_write_into_the_same(milvus_server: str) -> None:
    server = MilvusServer(milvus_server, "", "hashing@1", 16, "race")
    passages = made(8)

    def write(number: int) -> None:
        some = passages[number : number + 1]
        server.open("clinic", make=True).add(view(some, EMBEDDER))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(8)))
    assert {one.passage.id for one in server.open("clinic").everything()} == {p.id for p in passages}
