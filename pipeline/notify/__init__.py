"""Delivery of events: a file of JSON lines, a webhook, MQTT."""
