"""The service: questions in, cited answers out."""
