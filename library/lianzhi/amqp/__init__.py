"""The wire: connection, confirmed publishing, consuming. The only package that knows an AMQP client."""
