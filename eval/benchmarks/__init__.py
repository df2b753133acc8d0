"""Public test collections: judged runs in TREC's formats, and BEIR folders through the real index."""
