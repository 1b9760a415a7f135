"""Sightings, names of identities, and all edits by hand."""
