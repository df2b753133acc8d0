"""A plain service of LangChain, FAISS and FastAPI, as their guides show it."""

import json
import sys
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI
from langchain_community.vectorstores import FAISS  # type: ignore[import-not-found] # not in our environment
from langchain_huggingface import HuggingFaceEmbeddings  # type: ignore[import-not-found] # likewise


def load_model(model: str) -> Any:
    """Load the model."""
    return HuggingFaceEmbeddings(
        model_name=model, model_kwargs={"device": "cpu"}, encode_kwargs={"normalize_embeddings": True}
    )


def build(model: str, passages: str, folder: str) -> None:
    """Index every passage."""
    rows = [json.loads(line) for line in Path(passages).read_text(encoding="utf-8").splitlines()]
    store = FAISS.from_texts(
        [row["text"] for row in rows], load_model(model), metadatas=[{"id": row["id"]} for row in rows]
    )
    store.save_local(folder)


def serve(model: str, folder: str, port: str) -> None:
    """Answer ``POST /search`` with the ten nearest passages."""
    store = FAISS.load_local(folder, load_model(model), allow_dangerous_deserialization=True)
    app = FastAPI()

    @app.post("/search")
    def search(query: dict[str, str]) -> list[dict[str, Any]]:
        found = store.similarity_search_with_score(query["query"], k=10)
        return [{"id": one.metadata["id"], "text": one.page_content, "score": float(score)} for one, score in found]

    uvicorn.run(app, host="127.0.0.1", port=int(port), access_log=False)


if __name__ == "__main__":
    {"index": build, "serve": serve}[sys.argv[1]](*sys.argv[2:])
