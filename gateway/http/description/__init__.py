"""The API described: the table of its operations, and the OpenAPI and AsyncAPI documents made from it."""
