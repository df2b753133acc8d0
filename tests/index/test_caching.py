import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from corpus.records import Document, Passage
from corpus.splitting import split_document
from index import caching
from index.building import build_snapshot
from index.caching import FILE, VIEWS, embed_cached, keep_latest, remember, remember_views, view_cached, view_known
from index.embedding import Progress
from index.snapshot import open_snapshot
from index.viewing import Viewed, view
from tests.index.fakes import HashingEmbedder, make_document

TEXTS = ["heat helps", "ice numbs", "heat helps", ""]


def _rows(folder: Path, file: str = FILE) -> list[tuple[bytes, bytes, bytes]]:
    with closing(sqlite3.connect(folder / file)) as cache:
        return cache.execute("SELECT name, vector, digest FROM vectors ORDER BY name").fetchall()


def _change(folder: Path, statement: str) -> None:
    with closing(sqlite3.connect(folder / FILE)) as cache, cache:
        cache.execute(statement)


def test_vectors_are_the_embedders_own_in_order(tmp_path: Path) -> None:
    for _ in range(2):
        assert np.array_equal(embed_cached(TEXTS, HashingEmbedder(), tmp_path), HashingEmbedder().embed(TEXTS))


def test_only_new_texts_are_embedded_and_equal_ones_once(tmp_path: Path) -> None:
    first, second = HashingEmbedder(), HashingEmbedder()
    embed_cached(TEXTS, first, tmp_path)
    assert sorted(first.seen) == ["", "heat helps", "ice numbs"]
    vectors = embed_cached(["walking", "heat helps"], second, tmp_path)
    assert second.seen == ["walking"]
    assert np.array_equal(vectors, HashingEmbedder().embed(["walking", "heat helps"]))


def test_vectors_of_another_model_are_not_taken(tmp_path: Path) -> None:
    embed_cached(TEXTS, HashingEmbedder("hashing@1"), tmp_path)
    other = HashingEmbedder("hashing@2")
    embed_cached(TEXTS, other, tmp_path)
    assert len(other.seen) == 3


def test_what_a_build_does_not_use_is_gone(tmp_path: Path) -> None:
    embed_cached(TEXTS, HashingEmbedder(), tmp_path)
    private = HashingEmbedder().embed(["ice numbs"]).tobytes()
    assert private in (tmp_path / FILE).read_bytes()
    embed_cached(["heat helps"], HashingEmbedder(), tmp_path)
    assert len(_rows(tmp_path)) == 1
    assert all(private not in path.read_bytes() for path in tmp_path.iterdir())


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE vectors SET vector = zeroblob(64)",
        "UPDATE vectors SET vector = substr(vector, 1, 60)",
        "UPDATE vectors SET vector = (SELECT max(vector) FROM vectors), digest = (SELECT max(digest) FROM vectors)",
        "UPDATE vectors SET digest = zeroblob(32)",
        "DELETE FROM vectors",
        "DROP TABLE vectors",
    ],
)
def test_damaged_rows_are_embedded_again(damage: str, tmp_path: Path) -> None:
    embed_cached(TEXTS, HashingEmbedder(), tmp_path)
    whole = _rows(tmp_path)
    _change(tmp_path, damage)
    assert np.array_equal(embed_cached(TEXTS, HashingEmbedder(), tmp_path), HashingEmbedder().embed(TEXTS))
    assert _rows(tmp_path) == whole


@pytest.mark.parametrize("content", [b"this is no database, whatever its name says" * 9, b"\0" * 8192])
def test_a_damaged_file_is_made_anew(content: bytes, tmp_path: Path) -> None:
    embed_cached(TEXTS, HashingEmbedder(), tmp_path)
    (tmp_path / FILE).write_bytes(content)
    again = HashingEmbedder()
    assert np.array_equal(embed_cached(TEXTS, again, tmp_path), HashingEmbedder().embed(TEXTS))
    assert len(again.seen) == 3
    assert len(_rows(tmp_path)) == 3


def test_a_zeroed_page_and_a_truncated_file_are_noticed(tmp_path: Path) -> None:
    texts = [f"text {n}" for n in range(500)]
    embed_cached(texts, HashingEmbedder(), tmp_path)
    whole = (tmp_path / FILE).read_bytes()
    for content in (whole[:8192] + bytes(4096) + whole[12288:], whole[: len(whole) // 2]):
        (tmp_path / FILE).write_bytes(content)
        assert np.array_equal(embed_cached(texts, HashingEmbedder(), tmp_path), HashingEmbedder().embed(texts))
        assert len(_rows(tmp_path)) == 500


def test_a_build_that_was_cut_short_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caching, "_AT_ONCE", 3)
    texts = [f"text {n}" for n in range(10)]

    class Tiring(HashingEmbedder):
        def embed(self, texts: Sequence[str], progress: Progress | None = None) -> NDArray[np.float32]:
            if len(self.seen) >= 6:
                raise KeyboardInterrupt
            return super().embed(texts, progress)

    with pytest.raises(KeyboardInterrupt):
        embed_cached(texts, Tiring(), tmp_path)
    told: list[tuple[int, int]] = []
    rest = HashingEmbedder()
    embed_cached(texts, rest, tmp_path, lambda done, of: told.append((done, of)))
    assert len(rest.seen) == 4
    assert told == [(3, 4), (4, 4)]


def test_a_build_with_a_cache_gives_the_same_snapshot_and_embeds_only_what_is_new(
    documents: list[Document], more_documents: list[Document], tmp_path: Path
) -> None:
    first, second = HashingEmbedder(), HashingEmbedder()
    cache = tmp_path / "cache"
    plain = build_snapshot(documents, HashingEmbedder(), tmp_path / "plain")
    assert build_snapshot(documents, first, tmp_path / "cached", cache=cache) == plain
    build_snapshot(more_documents, second, tmp_path / "cached", cache=cache)
    assert set(second.seen) == {
        "Sleep › Mattress\nA pillow under the knees helps side sleepers.",
        "A pillow under the knees helps side sleepers.",
        "Mattress",
    }
    assert len(open_snapshot(tmp_path / "cached", "hashing@1").passages) == 5


def passages_of(*texts: str) -> list[Passage]:
    document = make_document("guide", "Guide", *((f"Part {n}", text) for n, text in enumerate(texts)))
    return split_document(document, HashingEmbedder().count_tokens, 64)


def plain(viewed: Sequence[Viewed]) -> list[tuple[Passage, list[float], list[list[int]]]]:
    return [(one.passage, one.vector.tolist(), one.views.tolist()) for one in viewed]


def test_passages_are_kept_with_what_is_seen_of_their_sentences(tmp_path: Path) -> None:
    passages = passages_of("Heat helps. So does rest.", "Walk daily.")
    first, second = HashingEmbedder(), HashingEmbedder()
    for embedder in (first, second):
        assert plain(view_cached(passages, embedder, tmp_path)) == plain(view(passages, HashingEmbedder()))
    assert sorted(first.seen) == sorted(["Part 0", "Part 1", *(passage.embedded_text for passage in passages)])
    assert second.seen == []
    renamed = replace(passages[0], heading_path=("Cold",))  # under another heading, in the same context
    assert plain(view_cached([*passages, renamed], second, tmp_path))[2] == plain(view([renamed], HashingEmbedder()))[0]
    second.seen.clear()
    apart = replace(passages[0], sentences=(passages[0].sentences[0],))  # other sentences of the same text
    assert plain(view_cached([apart], second, tmp_path)) == plain(view([apart], HashingEmbedder()))
    assert second.seen == [apart.embedded_text, "Part 0"]
    assert len(_rows(tmp_path, VIEWS)) == 1
    assert view_cached([], second, tmp_path) == []
    assert _rows(tmp_path, VIEWS) == []


def test_what_is_in_the_cache_is_taken_from_it_and_it_is_left_as_it_is(tmp_path: Path) -> None:
    passages = passages_of("Heat helps. So does rest.", "Walk daily.")
    view_cached(passages[:1], HashingEmbedder(), tmp_path)
    before, embedder = _rows(tmp_path, VIEWS), HashingEmbedder()
    assert plain(view_known(passages, embedder, tmp_path)) == plain(view(passages, HashingEmbedder()))
    assert embedder.seen == [passages[1].embedded_text, "Part 1"]
    assert _rows(tmp_path, VIEWS) == before
    assert view_known([], embedder, tmp_path) == []


def test_without_a_cache_or_with_a_damaged_one_everything_is_embedded(tmp_path: Path) -> None:
    passages = passages_of("Heat helps. So does rest.")
    wanted = plain(view(passages, HashingEmbedder()))
    assert plain(view_known(passages, HashingEmbedder(), tmp_path)) == wanted
    assert not (tmp_path / VIEWS).exists()
    (tmp_path / VIEWS).write_bytes(b"no database" * 100)
    assert plain(view_known(passages, HashingEmbedder(), tmp_path)) == wanted


def test_passages_that_were_embedded_elsewhere_are_not_embedded_again(tmp_path: Path) -> None:
    passages, embedder = passages_of("Heat helps. So does rest.", "Walk daily."), HashingEmbedder()
    viewed = view(passages, HashingEmbedder())
    remember_views(viewed, embedder.model_id, tmp_path)
    assert plain(view_cached(passages, embedder, tmp_path)) == plain(viewed)
    assert embedder.seen == []


def test_vectors_that_were_made_elsewhere_are_not_made_again(tmp_path: Path) -> None:
    vectors = HashingEmbedder().embed(TEXTS)
    remember(zip(TEXTS, vectors, strict=True), HashingEmbedder().model_id, tmp_path)
    embedder = HashingEmbedder()
    assert np.array_equal(embed_cached(TEXTS, embedder, tmp_path), vectors)
    assert embedder.seen == []


def test_a_result_is_made_again_only_where_something_differs(tmp_path: Path) -> None:
    made: list[float] = []

    def take(name: str, part: bytes) -> NDArray[np.float32]:
        def make() -> NDArray[np.float32]:
            made.append(len(made))
            return np.full((2, 3), made[-1], dtype=np.float32)

        return keep_latest(name, (b"recipe", part), make, tmp_path / "cache")

    assert [take(*given)[1, 2] for given in [("a", b"x"), ("a", b"x"), ("b", b"x"), ("a", b"y"), ("a", b"x")]] == [
        *(0.0, 0.0, 1.0, 2.0, 3.0)
    ]
    kept = tmp_path / "cache" / "a.vectors"
    for content in (kept.read_bytes()[:-1], kept.read_bytes().replace(b"\n", b"\n\x01", 1), b"", b"\xff\n"):
        kept.write_bytes(content)
        before = len(made)
        assert take("a", b"x").shape == (2, 3)
        assert len(made) == before + 1
