"""Search for sightings by similarity."""
