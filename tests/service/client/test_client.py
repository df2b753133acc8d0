"""Both clients against the real application on a real port: the same calls, the same replies."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from service.client import (
    Abstained,
    AsyncBackline,
    Backline,
    BacklineError,
    Done,
    Event,
    Found,
    InvalidRequestError,
    NotAllowedError,
    NotFoundError,
    Noticed,
    Said,
    ServiceError,
    TooManyRequestsError,
    UnavailableError,
    UnreachableError,
)
from service.storage.keys import create_key
from service.triage.screening import load_rules
from tests.service.http.running import listen, running
from tests.service.http.serving import Service, open_service

QUESTION = "How long does a back spasm last?"
URGENT = "my back hurts and I can't feel when I wipe"


@dataclass(frozen=True, slots=True)
class Running:
    """A service on a port."""

    service: Service
    address: str

    def key(self, *scopes: Any, rate: int | None = None) -> str:
        return create_key(self.service.database, "test", scopes, rate=rate)[0]


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    listener, address = listen()
    service = open_service(tmp_path_factory.mktemp("client") / "home", load_rules())
    with running(service.client.app, listener):
        yield Running(service, address)


class InStep:
    """The asynchronous client, each call run to its end, so that both go through the same tests."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self._runner = asyncio.Runner()
        self._client = self._runner.run(self._open(*arguments, **options))

    @staticmethod
    async def _open(*arguments: Any, **options: Any) -> AsyncBackline:
        return await AsyncBackline(*arguments, **options).__aenter__()

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._client, name)

        def call(*arguments: Any, **options: Any) -> Any:
            result = method(*arguments, **options)
            return self._runner.run(self._collect(result) if isinstance(result, AsyncIterator) else result)

        return call

    @staticmethod
    async def _collect(items: AsyncIterator[Any]) -> list[Any]:
        return [item async for item in items]

    def end(self) -> None:
        self._runner.run(self._client.__aexit__(None, None, None))
        self._runner.close()


Open = Callable[..., Any]


@pytest.fixture(params=["plain", "waiting"])
def connect(request: pytest.FixtureRequest, there: Running) -> Iterator[Open]:
    opened: list[Backline | InStep] = []

    def opener(key: str | None = None, address: str = there.address, **options: Any) -> Backline | InStep:
        client = (Backline if request.param == "plain" else InStep)(address, key, **options)
        opened.append(client)
        return client

    yield opener
    for client in opened:
        client.close() if isinstance(client, Backline) else client.end()


def test_an_answer_comes_typed_and_proved(connect: Open) -> None:
    client = connect()
    answer = client.ask(QUESTION, history=["What is a back spasm?"])
    assert answer.status in {"answered", "abstained"}
    assert answer.triage is None
    for citation in answer.citations:
        text = client.read_document(citation.document_id).text
        assert text[citation.source_start : citation.source_end] == citation.quote
    urgent = client.ask(URGENT)
    assert urgent.triage is not None
    assert urgent.triage.level == "emergency"


@pytest.mark.parametrize("question", [QUESTION, URGENT, "Who painted the Mona Lisa?"])
def test_a_stream_ends_with_the_whole_reply(connect: Open, question: str) -> None:
    client = connect()
    events: list[Event] = list(client.stream(question))
    last = events[-1]
    assert isinstance(last, Done)
    plain = client.ask(question)
    assert last.answer.sentences == plain.sentences
    assert [event.sentence for event in events if isinstance(event, Said)] == plain.sentences
    assert [event.notice for event in events if isinstance(event, Noticed)] == [
        notice for notice in [plain.triage] if notice is not None
    ]
    assert [event.passages for event in events if isinstance(event, Found)] == [plain.passages]
    assert [event.abstention for event in events if isinstance(event, Abstained)] == [
        abstention for abstention in [plain.abstention] if abstention is not None
    ]


def test_an_answer_is_read_again_and_judged(connect: Open, there: Running) -> None:
    client = connect(there.key("ask", "feedback"))
    answer = client.ask(QUESTION)
    assert client.read_answer(answer.id) == answer
    first = client.feedback(answer.id, "no", reason="hard", text="too long")
    assert (first.answer_id, first.citation_id, first.verdict, first.reason) == (answer.id, None, "no", "hard")
    again = client.feedback(answer.id, "yes")
    assert (again.id, again.verdict, again.reason) == (first.id, "yes", None)
    with pytest.raises(NotFoundError):
        client.feedback(answer.id, "yes", citation_id="c99")
    with pytest.raises(NotFoundError):
        connect().read_answer(answer.id)


def test_searching(connect: Open) -> None:
    found = connect().search("walking", top_k=1)
    assert [row.rank for row in found.data] == [1]
    assert found.triage is None


def test_documents_come_and_go(connect: Open, there: Running) -> None:
    client = connect(there.key("ingest", "ask", "search"))
    one = client.add_document("Stretching helps stiff backs in the morning.", title="Morning", external_id="m1")
    two = client.add_document(b"# Evening\n\nA warm bath helps in the evening.\n", name="evening.md")
    names = {stored.id for stored in (*one.data, *two.data)}
    assert len(names) == 2
    assert names <= {document.id for document in client.documents()}
    assert list(client.documents("nothing-here")) == []
    for name in sorted(names):
        assert client.delete_document(name).document_id == name
    assert not names & {document.id for document in client.documents()}
    with pytest.raises(ValueError, match="name"):
        client.add_document(b"bytes")


def test_a_long_list_comes_page_by_page(connect: Open, there: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    client = connect(there.key("ingest", "ask"))
    monkeypatch.setattr("service.client.requests.PAGE", 2)
    names = [client.add_document(f"Exercise number {number} helps.").data[0].id for number in range(5)]
    listed = [document.id for document in client.documents()]
    assert listed == sorted(listed)
    assert set(names) <= set(listed)
    for name in names:
        client.delete_document(name)


def test_each_refusal_has_its_exception(connect: Open, there: Running) -> None:
    cases: list[tuple[type[BacklineError], str, int, Callable[[], Any]]] = [
        (InvalidRequestError, "invalid-request", 422, lambda: connect().ask("")),
        (NotFoundError, "not-found", 404, lambda: connect().read_document("doc_nothing")),
        (NotAllowedError, "no-key", 401, lambda: connect().add_document("text")),
        (NotAllowedError, "no-key", 401, lambda: connect("bl_wrong").ask(QUESTION)),
        (NotAllowedError, "key-not-allowed", 403, lambda: connect(there.key("search")).ask(QUESTION)),
        (NotAllowedError, "no-key", 401, lambda: list(connect("bl_wrong").stream(QUESTION))),
    ]
    for kind, code, status, act in cases:
        with pytest.raises(kind) as caught:
            act()
        error = caught.value
        assert (error.code, error.status) == (code, status)
        assert error.request_id
        assert error.detail
    with pytest.raises(InvalidRequestError) as invalid:
        connect().search("back", top_k=99)
    assert invalid.value.faults == (("top_k", "must be at most 50"),)


def test_a_rate_says_when_to_come_back(connect: Open, there: Running) -> None:
    client = connect(there.key("search", rate=1))
    client.search("back")
    with pytest.raises(TooManyRequestsError) as caught:
        client.search("back")
    assert caught.value.retry_after is not None
    assert 1 <= caught.value.retry_after <= 60


def test_nobody_there_is_an_exception_of_its_own(connect: Open) -> None:
    listener, address = listen()
    listener.close()
    for act in (
        lambda: connect(address=address).ask(QUESTION),
        lambda: list(connect(address=address).stream(QUESTION)),
    ):
        with pytest.raises(UnreachableError):
            act()


def canned(status: int, content: bytes, headers: dict[str, str] | None = None) -> httpx.MockTransport:
    return httpx.MockTransport(lambda _: httpx.Response(status, content=content, headers=headers))


def test_what_no_backline_sent_is_no_answer(connect: Open) -> None:
    with pytest.raises(ServiceError, match="not what was agreed"):
        connect(transport=canned(200, b"<html>Welcome</html>")).ask(QUESTION)
    with pytest.raises(UnavailableError) as caught:
        connect(transport=canned(503, b"<html>busy</html>", {"retry-after": "7"})).ask(QUESTION)
    assert caught.value.retry_after == 7


def test_a_stream_that_breaks_off_or_fails_is_noticed(connect: Open) -> None:
    half = b': open\n\nevent: passages\ndata: []\n\nevent: unknown\ndata: {"a": 1}\n\n'
    with pytest.raises(UnreachableError, match="broke off"):
        list(connect(transport=canned(200, half)).stream(QUESTION))
    failed = half + b'event: error\ndata: {"detail": "It failed.", "code": "internal-error", "request_id": "r1"}\n\n'
    with pytest.raises(ServiceError) as caught:
        list(connect(transport=canned(200, failed)).stream(QUESTION))
    assert (caught.value.code, caught.value.request_id) == ("internal-error", "r1")


def test_a_client_closes_with_its_block(there: Running) -> None:
    with Backline(there.address) as client:
        assert client.ready().status == "ready"
    with pytest.raises(RuntimeError):
        client.ready()


def test_the_client_loads_no_model_and_no_server() -> None:
    code = (
        "import sys, service.client\n"
        "heavy = {'torch', 'numpy', 'faiss', 'onnxruntime', 'sentence_transformers', 'fastapi', 'starlette', 'uvicorn'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, timeout=60, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("[]\n", "")
