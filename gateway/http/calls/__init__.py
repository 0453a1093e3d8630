"""The handlers of the API, by what they are about: requests, books, papers, and the calls that need no token."""
