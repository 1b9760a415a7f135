"""Turning crops of persons into vectors."""
