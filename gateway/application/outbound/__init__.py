"""Messages to the queues: stored bytes are leased, published, and marked when the broker has confirmed them."""
