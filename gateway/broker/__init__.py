"""RabbitMQ as the gateway uses it: topology, provisioning, its publisher and its consumer."""
