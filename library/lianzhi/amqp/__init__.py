"""The wire: connection, confirmed publishing, consuming.

`link` is one supervised connection. Out: `publisher`. In: `consumer` over many queues, each a `source`; `deliveries`
reads them from the socket. Beside them: `address` (which URLs are taken), `declare`, `message_limit`, `shelf`.
"""
