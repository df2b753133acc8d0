"""The embedding model written once as an ONNX graph, from checked safetensors, and held to the reference on values."""

import json
import logging
import shutil
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

from index.embedding import Embedder, SentenceTransformersEmbedder, least_cosine
from index.errors import ModelFileError
from index.flushing import flush, flush_tree
from index.manifest import sha256_of
from index.model_files import ModelFiles
from index.onnx_embedder import EXPORT, GRAPH, OnnxEmbedder, OnnxFiles, check_onnx_files, export_folder

LEAST_COSINE = 0.9999
"""Of any text's vector with the reference's; an export below it is not kept."""

_ROOT = Path(__file__).resolve().parents[1]
_APART = "import sys; sys.path.insert(0, sys.argv[1]); from index.onnx_export import export_asked_for as e; e()"

_PROBES = (
    "",
    "Ice",
    "  How long does a back spasm last?  ",
    "Étirez-vous — stretch “gently” 🙂 before a walk; спина, 腰痛.",
    "Call a doctor when the pain goes down the leg. " * 4,
    "A text that is longer than the model can read is cut at the same place. " * 40,
)


def export_onnx(files: ModelFiles, home: Path, reference: SentenceTransformersEmbedder | None = None) -> OnnxFiles:
    """Export a model unless that was done, and return the checked files.

    Takes some 15 seconds and a gigabyte of memory; afterwards nothing needs torch. Pooling and unit length are
    inside the graph, batch and length are free. A crash leaves the old state or the whole export.

    Args:
        files: The checked model.
        home: Folder of all exports; made when missing.
        reference: The loaded reference, where there is one; else it is loaded.

    Raises:
        ModelFileError: the exported graph does not give the reference's vectors; the reference is to be used then.
    """
    try:
        return check_onnx_files(files, home)
    except ModelFileError:
        pass  # there is none, or none that is whole
    home.mkdir(parents=True, exist_ok=True)
    target = export_folder(files.model_id, home)
    embedder = reference or SentenceTransformersEmbedder(files)
    aside = Path(tempfile.mkdtemp(prefix=".exporting-", dir=home))
    try:
        folder = aside / target.name
        folder.mkdir()
        _write_graph(files, folder / GRAPH)
        _write_facts(files, embedder, folder)
        _hold_to_reference(OnnxEmbedder(files, check_onnx_files(files, aside)), embedder, target)
        flush_tree(folder)
        shutil.rmtree(target, ignore_errors=True)
        folder.rename(target)
        flush(home)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return check_onnx_files(files, home)


def export_apart(files: ModelFiles, home: Path) -> OnnxFiles:
    """Export a model as :func:`export_onnx` does, in a process of its own: the memory that torch takes goes with it.

    Raises:
        ModelFileError: the export did not come about.
    """
    try:
        return check_onnx_files(files, home)
    except ModelFileError:
        pass  # there is none, or none that is whole
    request = json.dumps(
        {"path": str(files.path), "model_id": files.model_id, "hashes": files.hashes, "home": str(home)}
    )
    done = subprocess.run(  # noqa: S603 - our own interpreter, our own code
        [sys.executable, "-I", "-c", _APART, str(_ROOT)], input=request, text=True, capture_output=True, check=False
    )
    if done.returncode:
        said = done.stderr.strip().rsplit("\n", 1)[-1] or f"the process ended with {done.returncode}"
        raise ModelFileError(export_folder(files.model_id, home), f"could not be made ({said})")
    return check_onnx_files(files, home)


def export_asked_for() -> None:
    """Export what standard input names. This is the other process's main function."""
    asked = json.load(sys.stdin)
    export_onnx(ModelFiles(Path(asked["path"]), asked["model_id"], asked["hashes"]), Path(asked["home"]))


def _write_graph(files: ModelFiles, path: Path) -> None:
    import torch
    from sentence_transformers import SentenceTransformer

    # Only eager attention is made of operations that ONNX has for every length.
    model = SentenceTransformer(
        str(files.path),
        device="cpu",
        local_files_only=True,
        trust_remote_code=False,
        model_kwargs={"attn_implementation": "eager"},
    ).eval()

    class Mean(torch.nn.Module):
        """The mean of the tokens of each text, whatever stands beside it in a batch.

        The exporter makes a sum of the usual pooling, and onnxruntime adds in another order for one text than for
        several. A matrix product adds in the order of the tokens, and what is padding adds exact zeros at the end;
        the second row, which is not used, keeps it one: a product of a single row has an order of its own.
        """

        def forward(self, features: dict[str, Any]) -> dict[str, Any]:
            mask = features["attention_mask"].unsqueeze(1).to(features["token_embeddings"].dtype)
            sums = torch.bmm(mask.expand(-1, 2, -1), features["token_embeddings"])[:, 0]
            return {**features, "sentence_embedding": sums / mask.sum(2).clamp(min=1)}

    for number, module in enumerate(model):
        if getattr(module, "pooling_mode", None) == "mean":
            model[number] = Mean()

    class Vectors(torch.nn.Module):
        """Token numbers in; a unit vector a text and a vector a token out."""

        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            features: dict[str, Any] = {"input_ids": input_ids, "attention_mask": attention_mask}
            told = self.model(features)
            return torch.nn.functional.normalize(told["sentence_embedding"], dim=1), told["token_embeddings"]

    ids = torch.randint(1, 1000, (3, 11), generator=torch.Generator().manual_seed(0))
    mask = torch.ones_like(ids)
    mask[0, 7:] = 0
    free = {0: torch.export.Dim.DYNAMIC, 1: torch.export.Dim.DYNAMIC}
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # notes of the exporter on its own insides, as in its log
        program = torch.onnx.export(
            Vectors(),
            (ids, mask),
            input_names=["input_ids", "attention_mask"],
            output_names=["vectors", "tokens"],
            dynamic_shapes={"input_ids": free, "attention_mask": free},
            dynamo=True,
            verbose=False,
        )
        if program is None:
            raise ModelFileError(path, "could not be made: the exporter gave no graph")
        program.save(str(path), external_data=True)


def _write_facts(files: ModelFiles, embedder: SentenceTransformersEmbedder, folder: Path) -> None:
    written = {path.name: sha256_of(path) for path in sorted(folder.iterdir())}
    facts = {
        "model": files.hashes,
        "files": written,
        "dimension": embedder.dimension,
        "token_budget": embedder.token_budget,
        "pad_id": embedder.pad_id,
        "averages": embedder.averages,
    }
    (folder / EXPORT).write_text(json.dumps(facts, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def _hold_to_reference(exported: Embedder, reference: Embedder, target: Path) -> None:
    lowest = least_cosine(exported, reference, list(_PROBES))
    if not lowest >= LEAST_COSINE:
        raise ModelFileError(
            target, f"does not give the reference's vectors (cosine {lowest:.6f}, at least {LEAST_COSINE} is needed)"
        )
