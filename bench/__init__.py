"""`make bench`: the gateway beside raw aio-pika, in one run, on the same message bytes."""
