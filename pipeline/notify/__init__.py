"""Changes of identities told to others: a file of JSON lines, a webhook, MQTT."""
