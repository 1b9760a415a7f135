"""What a checkpoint must say about a network so that it can be built and fed again."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from reid_model.preprocess import Channels, Preprocessing

__all__ = ["Architecture"]


class Architecture(BaseModel):
    """Shape of the network and of its input."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    backbone: str = "efficientnet_b0"
    """Any EfficientNet that timm knows by this name."""
    embedding_dim: Annotated[int, Field(ge=8, le=4096)] = 512
    """Length of an embedding."""
    last_stride: Annotated[int, Field(ge=1, le=2)] = 2
    """Stride of the backbone's last reduction; 1 keeps a map of twice the size."""
    instance_norm: bool = False
    """Standardise the channels of every crop and normalise the stem by instance, not by batch:
    a camera's light and white balance drop out."""
    edge_weight: Annotated[float, Field(gt=0, le=10)] = 1.0
    """How much the cells at the edge of the last map count in the pooling, the others 1; part of what
    they see is padding."""
    input_height: Annotated[int, Field(ge=32, le=1024)] = 128
    """Height that crops are scaled to, pixels."""
    input_width: Annotated[int, Field(ge=16, le=1024)] = 64
    """Width that crops are scaled to, pixels."""
    mean: Channels = (0.485, 0.456, 0.406)
    """Subtracted from RGB in [0, 1]; ImageNet's."""
    std: Channels = (0.229, 0.224, 0.225)
    """Divides RGB after that; ImageNet's."""

    @property
    def input_size(self) -> tuple[int, int]:
        """Return ``(height, width)`` of the input, pixels."""
        return self.input_height, self.input_width

    @property
    def preprocessing(self) -> Preprocessing:
        """Return how crops become the input."""
        return Preprocessing(
            input_height=self.input_height,
            input_width=self.input_width,
            colour="rgb",
            scale=255.0,
            mean=self.mean,
            std=self.std,
        )
