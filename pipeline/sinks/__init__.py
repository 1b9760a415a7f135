"""Sinks: what a run writes while it goes."""
