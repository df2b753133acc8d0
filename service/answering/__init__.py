"""A question and a retriever in, an answer out; knows nothing of HTTP or databases."""
