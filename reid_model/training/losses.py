"""Losses and miners, composed from pytorch-metric-learning as a recipe says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any, NamedTuple

import torch
from pytorch_metric_learning import distances, losses, miners
from torch import Tensor, nn
from torch.nn import functional

from reid_model.errors import RecipeError
from reid_model.recipe import LossPart, LossTerm
from reid_model.training.stage_similarity import StageSimilarityLoss

__all__ = ["IdentityLoss", "LossSum", "Outputs"]


class Outputs(NamedTuple):
    """What the network says of a batch, as far as losses care.

    Attributes:
        before: ``(N, D)`` embeddings before the neck.
        after: ``(N, D)`` embeddings after it.
        maps: ``(N, C, H, W)`` of an early stage, or ``None`` where no loss compares it.
    """

    before: Tensor
    after: Tensor
    maps: Tensor | None


class IdentityLoss(nn.Module):
    """Classification of the training identities, with label smoothing.

    Args:
        dim: Length of an embedding.
        identities: How many there are.
        label_smoothing: Probability that is shared among all identities.
    """

    def __init__(self, *, dim: int, identities: int, label_smoothing: float = 0.1) -> None:
        super().__init__()
        self.classifier = nn.Linear(dim, identities, bias=False)
        nn.init.normal_(self.classifier.weight, std=0.001)
        self._smoothing = label_smoothing

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Return the mean loss of ``(N, D)`` embeddings with ``(N,)`` labels."""
        return functional.cross_entropy(
            self.classifier(embeddings), labels, label_smoothing=self._smoothing
        )


class _Term(nn.Module):
    """A loss of pytorch-metric-learning with its miner."""

    def __init__(self, loss: nn.Module, miner: nn.Module | None) -> None:
        super().__init__()
        self.loss = loss
        self.miner = miner

    def forward(self, embeddings: Tensor, labels: Tensor, tuples: Tensor) -> Tensor:
        if self.miner is not None:
            chosen = self.miner(embeddings, labels)
        else:
            chosen = tuple(tuples.unbind(1)) if len(tuples) else None
        value: Tensor = self.loss(embeddings, labels, chosen)
        return value


class LossSum(nn.Module):
    """The weighted sum of a recipe's losses.

    Args:
        terms: The recipe's.
        dim: Length of an embedding.
        identities: How many identities are trained on.

    Raises:
        RecipeError: A name or an option is unknown.
    """

    def __init__(self, terms: Sequence[LossTerm], *, dim: int, identities: int) -> None:
        super().__init__()
        self._settings = list(terms)
        self._modules_of_terms = nn.ModuleList(
            _built(term, dim=dim, identities=identities) for term in terms
        )

    @property
    def compares_stages(self) -> bool:
        """Whether a term needs the map of an early stage."""
        return any(isinstance(module, StageSimilarityLoss) for module in self._modules_of_terms)

    @property
    def names(self) -> list[str]:
        """Names of the terms, in order."""
        return [term.name for term in self._settings]

    def forward(
        self, outputs: Outputs, labels: Tensor, tuples: Tensor
    ) -> tuple[Tensor, Mapping[str, Tensor]]:
        """Return the sum and its unweighted terms by name."""
        parts: dict[str, Tensor] = {}
        total = outputs.before.new_zeros(())
        for settings, module in zip(self._settings, self._modules_of_terms, strict=True):
            if isinstance(module, StageSimilarityLoss):
                value = module(outputs.maps, labels)
            elif isinstance(module, IdentityLoss):
                value = module(outputs.after, labels)
            else:
                value = module(_choice(outputs, settings.on), labels, tuples)
            parts[settings.name] = value.detach()
            total = total + settings.weight * value
        return total, parts

    @torch.no_grad()
    def start_from(self, means: Tensor) -> None:
        """Point the identity classifier at ``(identities, D)`` mean embeddings, if there is one."""
        for module in self._modules_of_terms:
            if isinstance(module, IdentityLoss):
                module.classifier.weight.copy_(functional.normalize(means) * 0.3)


def _choice(outputs: Outputs, on: str) -> Tensor:
    if on == "before":
        return outputs.before
    return functional.normalize(outputs.after) if on == "unit" else outputs.after


def _built(term: LossTerm, *, dim: int, identities: int) -> nn.Module:
    if term.name == "IdentityLoss":
        return _constructed(IdentityLoss, term, {"dim": dim, "identities": identities})
    if term.name == "StageSimilarityLoss":
        return _constructed(StageSimilarityLoss, term, {})
    extra: dict[str, Any] = {}
    if term.distance is not None:
        extra["distance"] = _part(distances, term.distance, {})
    loss = _part(losses, term, extra)
    miner = None if term.miner is None else _part(miners, term.miner, {})
    return _Term(loss, miner)


def _part(module: ModuleType, part: LossPart, extra: Mapping[str, Any]) -> nn.Module:
    known = [name for name in dir(module) if name[0].isupper()]
    if part.name not in known:
        raise RecipeError(
            f"losses: {part.name!r} is not in {module.__name__}; it has {', '.join(known)}"
        )
    return _constructed(getattr(module, part.name), part, extra)


def _constructed(kind: Any, part: LossPart, extra: Mapping[str, Any]) -> nn.Module:
    try:
        built: nn.Module = kind(**part.options, **extra)
    except (TypeError, ValueError, AssertionError) as error:
        raise RecipeError(f"losses: {part.name}: {' '.join(str(error).split())}") from None
    return built
