"""The web page of a live run, its API and its metrics."""
