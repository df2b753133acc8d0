"""The exported model against the reference, on the sentences of the shipped corpus."""

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from corpus.records import Span
from corpus.sentences import split_sentences
from corpus.sources import load_shipped_documents
from index.embedding import SentenceTransformersEmbedder
from index.errors import ModelFileError
from index.model_files import ModelFiles
from index.onnx_embedder import EXPORT, OnnxEmbedder, check_onnx_files

ODD = ["", "   ", "Ice", "Étirez-vous — stretch “gently” 🙂 спина 腰痛", "\x00\u200b"]


@pytest.fixture
def own(model: ModelFiles, exports: Path, tmp_path: Path) -> Path:
    """A copy of the export that may be damaged; the weights are a link."""
    folder = check_onnx_files(model, exports).path
    copy = tmp_path / folder.name
    copy.mkdir()
    for name in (EXPORT, "model.onnx"):
        shutil.copyfile(folder / name, copy / name)
    (copy / "model.onnx.data").symlink_to(folder / "model.onnx.data")
    return copy


def test_the_vectors_and_the_ranking_are_the_references(
    exported: OnnxEmbedder, reference: SentenceTransformersEmbedder
) -> None:
    sentences = {span.slice(d.text) for d in load_shipped_documents() for span in split_sentences(d.text)}
    texts = ODD + sorted(sentences, key=lambda text: (len(text), text))[:500]
    assert len(texts) >= 500
    ours, theirs = exported.embed(texts), reference.embed(texts)
    assert ours.dtype == np.dtype("float32")
    assert ours.shape == (505, 384)
    assert np.abs(ours - theirs).max() <= 1e-5
    assert np.einsum("ij,ij->i", ours, theirs).min() >= 0.9999
    top = [np.argsort(-(vectors[:100] @ vectors.T), axis=1, kind="stable")[:, :10] for vectors in (ours, theirs)]
    assert (top[0] == top[1]).all(axis=1).mean() >= 0.99


def test_parts_are_what_the_reference_sees_of_them_in_their_text(
    exported: OnnxEmbedder, reference: SentenceTransformersEmbedder
) -> None:
    texts = ["  Heat helps. Étirez-vous 🙂! Walk.", "", "Rest. " * 300, "Ice numbs the skin."]
    parts = [[Span(2, 13), Span(14, 28), Span(29, 34), Span(28, 29)], [], [Span(0, 5), Span(1790, 1795)], [Span(0, 3)]]
    ours, theirs = exported.embed_parts(texts, parts), reference.embed_parts(texts, parts)
    assert np.array_equal(ours[0], exported.embed(texts))
    assert [one.shape for one in ours[1]] == [(4, 384), (0, 384), (2, 384), (1, 384)]
    for one, other in zip(ours[1], theirs[1], strict=True):
        assert one == pytest.approx(other, abs=1e-5)
        assert np.linalg.norm(one, axis=1) == pytest.approx(1.0, abs=1e-6)
    assert ours[1][0][3] == pytest.approx(ours[0][0], abs=1e-6)  # a space has no token
    assert ours[1][2][1] == pytest.approx(ours[0][2], abs=1e-6)  # it lies behind what the model reads
    alone = exported.embed(["Heat helps.", "Walk."])
    assert (ours[1][0][[0, 2]] * alone).sum(axis=1).min() > 0.5
    again = [part for text, own in zip(texts, parts, strict=True) for part in exported.embed_parts([text], [own])[1]]
    assert all(np.array_equal(one, other) for one, other in zip(again, ours[1], strict=True))


def test_of_a_model_that_does_not_average_parts_are_embedded_alone(
    model: ModelFiles, exported: OnnxEmbedder, exports: Path, monkeypatch: pytest.MonkeyPatch,
    reference: SentenceTransformersEmbedder,
) -> None:  # fmt: skip
    assert reference.averages
    monkeypatch.setattr(SentenceTransformersEmbedder, "averages", property(lambda _: False))
    other = OnnxEmbedder(model, replace(check_onnx_files(model, exports), averages=False))
    texts, parts = ["Heat helps. Walk.", "Rest."], [[Span(0, 11), Span(12, 17)], []]
    for embedder in (other, reference):
        vectors, alone = embedder.embed_parts(texts, parts)
        assert np.array_equal(vectors, embedder.embed(texts))
        assert alone[0] == pytest.approx(exported.embed(["Heat helps.", "Walk."]), abs=1e-5)
        assert alone[1].shape == (0, 384)
        assert embedder.embed_parts([], [])[1] == []


def test_a_text_that_is_too_long_is_cut_where_the_reference_cuts_it(
    exported: OnnxEmbedder, reference: SentenceTransformersEmbedder
) -> None:
    text = "A long walk, a warm bath and a good night. " * 40
    assert exported.embed([text])[0] == pytest.approx(reference.embed([text])[0], abs=1e-5)
    assert not np.array_equal(exported.embed([text])[0], exported.embed([text[:600]])[0])


def test_what_is_known_of_the_model_is_the_references(
    exported: OnnxEmbedder, reference: SentenceTransformersEmbedder
) -> None:
    for one in (exported, reference):
        assert (one.model_id, one.dimension, one.token_budget) == ("all-MiniLM-L6-v2@53aa51172d14", 384, 256)
        assert one.count_tokens("back " * 1000) == 1002


def test_vectors_have_unit_length_whatever_the_text(exported: OnnxEmbedder) -> None:
    assert np.linalg.norm(exported.embed(ODD), axis=1) == pytest.approx(np.ones(len(ODD)), abs=1e-6)


def test_the_order_and_company_of_texts_do_not_change_a_bit(exported: OnnxEmbedder) -> None:
    texts = [f"Rest {'and walk ' * (n // 4)}" for n in range(40)]
    vectors = exported.embed(texts)
    assert np.array_equal(exported.embed(texts[::-1])[::-1], vectors)
    assert np.array_equal(np.concatenate([exported.embed([text]) for text in texts]), vectors)
    padded = exported._run([[101, 2045, 102], [101, *range(2000, 2040), 102]])
    alone = exported._run([[101, 2045, 102]])
    assert np.array_equal(padded[0][0], alone[0][0])
    assert np.array_equal(padded[1][0][:3], alone[1][0])


def test_two_threads_give_the_same_vectors(model: ModelFiles, exports: Path, exported: OnnxEmbedder) -> None:
    two = OnnxEmbedder(model, check_onnx_files(model, exports), threads=2)
    texts = ["heat or ice", "Ice", "How long does it last? " * 20]
    assert np.array_equal(two.embed(texts), exported.embed(texts))


def test_progress_is_told_and_nothing_embeds_to_nothing(exported: OnnxEmbedder) -> None:
    told: list[tuple[int, int]] = []
    exported.embed(["Ice"] * 40, lambda done, of: told.append((done, of)))
    assert told == [(32, 40), (40, 40)]
    assert exported.embed([]).shape == (0, 384)


@pytest.mark.parametrize("name", ["model.onnx", "model.onnx.data"])
def test_a_changed_or_missing_file_is_refused_by_its_name_before_it_is_parsed(
    name: str, model: ModelFiles, own: Path
) -> None:
    content = bytearray((own / name).read_bytes())
    content[len(content) // 2] ^= 1
    (own / name).unlink()
    with pytest.raises(ModelFileError, match="cannot be read") as caught:
        check_onnx_files(model, own.parent)
    assert caught.value.path == own / name
    (own / name).write_bytes(content)
    with pytest.raises(ModelFileError, match="has the sha256") as caught:
        check_onnx_files(model, own.parent)
    assert caught.value.path == own / name


def test_an_export_that_is_not_there_is_said_plainly(model: ModelFiles, tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match=r"export\.json: is missing: the model was not exported yet"):
        check_onnx_files(model, tmp_path)


@pytest.mark.parametrize("content", ["", "[]", "{}", "null"])
def test_facts_that_are_not_readable_are_refused(content: str, model: ModelFiles, own: Path) -> None:
    (own / EXPORT).write_text(content)
    with pytest.raises(ModelFileError, match="is not readable"):
        check_onnx_files(model, own.parent)


def test_an_export_of_other_model_files_is_refused(model: ModelFiles, own: Path) -> None:
    facts = json.loads((own / EXPORT).read_text())
    facts["model"]["vocab.txt"] = "0" * 64
    (own / EXPORT).write_text(json.dumps(facts))
    with pytest.raises(ModelFileError, match="is an export of another model than all-MiniLM-L6-v2@53aa51172d14"):
        check_onnx_files(model, own.parent)


def test_embedding_imports_no_torch(exports: Path) -> None:
    program = (
        "import sys\n"
        "from pathlib import Path\n"
        "from index.model_files import check_model_files\n"
        "from index.onnx_embedder import OnnxEmbedder, check_onnx_files\n"
        "files = check_model_files()\n"
        "OnnxEmbedder(files, check_onnx_files(files, Path(sys.argv[1]))).embed(['back'])\n"
        "heavy = {'torch', 'transformers', 'sentence_transformers', 'onnx', 'onnxscript'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    command = [sys.executable, "-c", program, str(exports)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_batch_holds_few_long_texts_and_many_short_ones(
    exported: OnnxEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[tuple[int, int]] = []
    run = exported._run

    def noted(tokens: Sequence[Sequence[int]]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        sizes.append((len(tokens), max(len(row) for row in tokens)))
        return run(tokens)

    monkeypatch.setattr(exported, "_run", noted)
    exported.embed(["pain"] * 40 + ["pain " * 300] * 20)
    assert sizes == [(32, 3), (8, 3), (16, 256), (4, 256)]
