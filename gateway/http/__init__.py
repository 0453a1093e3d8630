"""The HTTP API: listening, callers, parameters, answers, OpenAPI and AsyncAPI."""
