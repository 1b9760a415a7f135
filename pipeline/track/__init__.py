"""Single-camera tracking."""
