"""The API of txtai over an index of its own, with its defaults."""

import json
import os
import sys
from pathlib import Path


def build(model: str, passages: str, folder: str) -> None:
    """Index every passage."""
    from txtai import Embeddings  # type: ignore[import-not-found] # not in our environment

    rows = [json.loads(line) for line in Path(passages).read_text(encoding="utf-8").splitlines()]
    embeddings = Embeddings(path=model, content=True)
    embeddings.index([(row["id"], row["text"], None) for row in rows])
    embeddings.save(folder)


def serve(model: str, folder: str, port: str) -> None:
    """Answer ``GET /search`` with the ten nearest passages."""
    import uvicorn

    configuration = Path(folder).with_suffix(".yml")
    # JSON is YAML too; without the key "embeddings" the route is missing.
    configuration.write_text(json.dumps({"path": folder, "embeddings": {"path": model, "content": True}}))
    os.environ["CONFIG"] = str(configuration)
    uvicorn.run("txtai.api:app", host="127.0.0.1", port=int(port), access_log=False)


if __name__ == "__main__":
    {"index": build, "serve": serve}[sys.argv[1]](*sys.argv[2:])
