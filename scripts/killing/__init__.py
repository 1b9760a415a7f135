"""Commands that are ended at random moments, and what must hold afterwards."""
