"""Scores: ranking by Market-1501's rules, re-ranking, and same/different decisions."""
