"""Scores of a run against ground truth."""

from pipeline.metrics.scores import Score, Scores, score

__all__ = ["Score", "Scores", "score"]
