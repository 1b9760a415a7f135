"""Finding persons in frames."""
