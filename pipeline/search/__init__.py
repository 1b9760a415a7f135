"""Finding sightings that look alike."""
