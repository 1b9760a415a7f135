"""Tying the boxes of one camera to tracks."""
