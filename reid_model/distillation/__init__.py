"""Training a network to see as stronger networks do, on crops that nobody labelled."""
