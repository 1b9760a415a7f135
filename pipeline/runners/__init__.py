"""Threads, queues and batches; the only place that has any."""
