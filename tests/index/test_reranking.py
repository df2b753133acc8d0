"""A cross-encoder's second look, with a tiny model that is made here."""

import json
import shutil
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from corpus.records import Document
from index.building import build_snapshot
from index.errors import ModelFileError
from index.reranking import CrossEncoderReranker
from index.retrieving import Retriever
from index.snapshot import open_snapshot
from tests.index.fakes import HashingEmbedder

TEXTS = ["An ice pack can numb soreness.", "Walk a little every hour.", "The warm bath is on the second floor."]


class Longest:
    """Prefers long passages."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def score(self, question: str, texts: Sequence[str]) -> NDArray[np.float32]:
        self.asked.append(question)
        return np.array([len(text) for text in texts], dtype=np.float32)


class Indifferent:
    def score(self, question: str, texts: Sequence[str]) -> NDArray[np.float32]:
        assert question
        return np.zeros(len(texts), dtype=np.float32)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cross-encoder of one layer with weights by seed."""
    import torch
    from tokenizers import Tokenizer
    from tokenizers.models import WordPiece
    from tokenizers.pre_tokenizers import Whitespace
    from tokenizers.processors import BertProcessing
    from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast

    folder = tmp_path_factory.mktemp("tiny")
    letters = "abcdefghijklmnopqrstuvwxyz.?"
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *letters, *(f"##{letter}" for letter in letters)]
    vocabulary = {piece: number for number, piece in enumerate(pieces)}
    tokenizer = Tokenizer(WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()  # type: ignore[assignment, unused-ignore] # the stubs lack the setter
    tokenizer.post_processor = BertProcessing(("[SEP]", 3), ("[CLS]", 2))  # type: ignore[assignment, unused-ignore] # likewise
    wrapped = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call] # the library types only part
        tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]"
    )
    wrapped.save_pretrained(folder)
    torch.manual_seed(4)
    shape: dict[str, Any] = {
        "hidden_size": 16,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 32,
    }
    config = BertConfig(vocab_size=len(pieces), initializer_range=0.8, **shape)
    config.num_labels = 1
    BertForSequenceClassification(config).save_pretrained(folder)
    return folder


def search(
    documents: list[Document], root: Path, reranker: Longest | Indifferent | CrossEncoderReranker | None
) -> Retriever:
    embedder = HashingEmbedder()
    if not root.exists():
        build_snapshot(documents, embedder, root)
    return Retriever(open_snapshot(root, embedder.model_id), embedder, reranker=reranker)


def test_passages_come_in_the_order_that_the_reranker_gives_them(documents: list[Document], tmp_path: Path) -> None:
    plain = search(documents, tmp_path / "s", None).search("an ice pack in a towel")
    reranker = Longest()
    hits = search(documents, tmp_path / "s", reranker).search("an ice pack in a towel")
    lengths = [len(hit.passage.embedded_text) for hit in hits]
    assert lengths == sorted(lengths, reverse=True)
    assert {hit.passage.id for hit in hits} == {hit.passage.id for hit in plain}
    assert [hit.passage.id for hit in hits] != [hit.passage.id for hit in plain]
    assert [hit.rank for hit in hits] == list(range(1, len(hits) + 1))
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    assert reranker.asked == ["an ice pack in a towel"]
    unmoved = search(documents, tmp_path / "s", Indifferent()).search("an ice pack in a towel")
    assert [hit.passage.id for hit in unmoved] == [hit.passage.id for hit in plain]


def test_those_behind_keep_their_place(
    documents: list[Document], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = search(documents, tmp_path / "s", None).search("stretch")
    monkeypatch.setattr("index.retrieving.RERANKED", 2)
    hits = search(documents, tmp_path / "s", Longest()).search("stretch")
    assert hits[2:] == plain[2:]
    assert {hit.passage.id for hit in hits[:2]} == {hit.passage.id for hit in plain[:2]}
    assert hits[1].score > hits[2].score


def test_a_cross_encoder_reads_question_and_passage_together(
    tiny: Path, documents: list[Document], tmp_path: Path
) -> None:
    reranker = CrossEncoderReranker(tiny)
    scores = reranker.score("does ice help?", TEXTS)
    assert scores.shape == (3,)
    assert scores.dtype == np.float32
    assert len(set(scores.tolist())) == 3
    assert np.array_equal(reranker.score("does ice help?", TEXTS), scores)
    assert not np.allclose(reranker.score("when may i walk?", TEXTS), scores)
    hits = search(documents, tmp_path / "s", reranker).search("does ice help?")
    texts = [hit.passage.embedded_text for hit in hits]
    order = np.argsort(-reranker.score("does ice help?", texts), kind="stable")
    assert order.tolist() == [0, 1, 2]


def test_one_asks_the_model_at_a_time(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reranker = CrossEncoderReranker(tiny)
    inside = threading.Semaphore(1)

    def predict(pairs: Sequence[tuple[str, str]], **_: object) -> NDArray[np.float32]:
        assert inside.acquire(blocking=False), "Already borrowed"
        time.sleep(0.01)
        inside.release()
        return np.zeros(len(pairs), dtype=np.float32)

    monkeypatch.setattr(reranker._model, "predict", predict)
    with ThreadPoolExecutor(8) as pool:
        assert all(scores.shape == (3,) for scores in pool.map(lambda _: reranker.score("ice?", TEXTS), range(8)))


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"architectures": ["BertModel"]}, "its architecture is BertModel"),
        ({"architectures": None}, "its architecture is not named"),
        ({"num_labels": 3, "id2label": {"0": "a", "1": "b", "2": "c"}, "hidden_size": 32}, "RuntimeError"),
        ({"model_type": "no such"}, "no such"),
    ],
)
def test_a_model_of_another_kind_is_refused(config: dict[str, Any], said: str, tiny: Path, tmp_path: Path) -> None:
    folder = tmp_path / "other"
    shutil.copytree(tiny, folder)
    told = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(told | config))
    with pytest.raises(ModelFileError, match=f"other: is no cross-encoder with one score .*{said}"):
        CrossEncoderReranker(folder)


def test_a_folder_that_is_no_such_model_or_could_run_code_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="BACKLINE_RERANKER"):
        CrossEncoderReranker(tmp_path / "none")
    (tmp_path / "config.json").write_text(json.dumps({}))
    with pytest.raises(ModelFileError, match=r"tokenizer\.json: is missing"):
        CrossEncoderReranker(tmp_path)
    (tmp_path / "pytorch_model.bin").write_bytes(b"")
    with pytest.raises(ModelFileError, match="is a pickle"):
        CrossEncoderReranker(tmp_path)
