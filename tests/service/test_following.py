import time
from pathlib import Path

from corpus.records import Document, Section, Source, Span
from index.building import build_snapshot
from index.retrieving import Retriever
from index.snapshot import activate_snapshot, open_newest_intact
from service.answering.answerer import Answerer
from service.answering.replying import Replier
from service.following import Follower
from service.serving import Serving
from service.storage.database import open_database
from service.storage.documents import delete_document, store_document
from service.triage.screening import load_rules
from tests.service.fakes import StemEmbedder


def note(name: str, text: str) -> Document:
    source = Source(f"src_{name}", name, "Clinic", "Clinic", "")
    return Document(f"doc_{name}", source, name, text, (Section(("When?",), Span(0, len(text))),))


def publish(root: Path, *documents: Document) -> str:
    return build_snapshot(documents, StemEmbedder(), root).snapshot_id


def reopen(root: Path) -> tuple[Replier, tuple[str, ...]]:
    snapshot, damage = open_newest_intact(root, StemEmbedder.model_id)
    answerer = Answerer(Retriever(snapshot, StemEmbedder()), None)
    return Replier(load_rules(), answerer), () if damage is None else (str(damage),)


def texts(serving: Serving, query: str = "clinic opens") -> list[str]:
    return [hit.passage.text for hit in serving.replier.answerer.retriever.search(query)]


def test_what_is_published_is_served_and_so_is_what_is_rolled_back_to(tmp_path: Path) -> None:
    first = publish(tmp_path, note("a", "The clinic opens at nine."))
    serving = Serving(*reopen(tmp_path))
    follower = Follower(tmp_path, serving, lambda: reopen(tmp_path))
    assert not follower.look()
    held = serving.replier
    second = publish(tmp_path, note("a", "The clinic opens at ten."))
    assert follower.look()
    assert (serving.snapshot_id, texts(serving)) == (second, ["The clinic opens at ten."])
    assert held.answerer.retriever.snapshot.id == first
    activate_snapshot(tmp_path, first)
    assert follower.look()
    assert serving.snapshot_id == first
    assert not follower.look()


def test_a_damaged_snapshot_leaves_the_one_before_it_and_a_reason(tmp_path: Path) -> None:
    first = publish(tmp_path, note("a", "The clinic opens at nine."))
    serving = Serving(*reopen(tmp_path))
    follower = Follower(tmp_path, serving, lambda: reopen(tmp_path))
    second = publish(tmp_path, note("a", "The clinic opens at ten."))
    (tmp_path / second / "parts" / "0" / "passages.jsonl").write_bytes(b"{}")
    assert follower.look()
    assert serving.snapshot_id == first
    assert second in serving.reasons[0]
    assert not follower.look()
    publish(tmp_path, note("a", "The clinic opens at eleven."))
    assert follower.look()
    assert serving.reasons == ()


def test_a_pointer_that_is_gone_degrades_but_goes_on(tmp_path: Path) -> None:
    publish(tmp_path, note("a", "The clinic opens at nine."))
    serving = Serving(*reopen(tmp_path))
    (tmp_path / "CURRENT").unlink()
    assert not Follower(tmp_path, serving, lambda: reopen(tmp_path)).look()
    assert "no index" in serving.reasons[0]
    assert texts(serving) == ["The clinic opens at nine."]


def test_a_thread_of_its_own_follows(tmp_path: Path) -> None:
    publish(tmp_path, note("a", "The clinic opens at nine."))
    serving = Serving(*reopen(tmp_path))
    follower = Follower(tmp_path, serving, lambda: reopen(tmp_path), seconds=0.02)
    follower.start()
    try:
        second = publish(tmp_path, note("a", "The clinic opens at ten."))
        for _ in range(200):
            if serving.snapshot_id == second:
                break
            time.sleep(0.02)
        assert serving.snapshot_id == second
    finally:
        follower.stop()


def test_a_deletion_counts_at_the_next_request_in_every_worker_and_after_a_swap_back(tmp_path: Path) -> None:
    root = tmp_path / "snapshots"
    engine = open_database(tmp_path / "b.sqlite")
    kept, gone = note("kept", "The clinic opens at nine."), note("gone", "The clinic opens at ten.")
    for document in (kept, gone):
        store_document(engine, document)
    with_both = publish(root, kept, gone)
    workers = [Serving(*reopen(root), open_database(tmp_path / "b.sqlite")) for _ in range(2)]
    assert all(sorted(texts(worker)) == [kept.text, gone.text] for worker in workers)
    assert delete_document(engine, gone.id)
    assert all(texts(worker) == [kept.text] for worker in workers)
    publish(root, kept)
    followers = [Follower(root, worker, lambda: reopen(root)) for worker in workers]
    assert all(follower.look() for follower in followers)
    assert all(texts(worker) == [kept.text] for worker in workers)
    activate_snapshot(root, with_both)
    assert all(follower.look() for follower in followers)
    assert all(texts(worker) == [kept.text] for worker in workers)
    store_document(engine, gone)
    assert all(sorted(texts(worker)) == [kept.text, gone.text] for worker in workers)
