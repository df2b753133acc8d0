"""Passages in, ranked hits out: embedding, dense and lexical search, fusion, and the published snapshot."""
