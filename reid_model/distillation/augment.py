"""Changes to batches of crops, on whatever device they lie.

Images are ``(N, 3, H, W)`` float RGB in [0, 1], masks ``(N, 1, H, W)`` floats. Every image of a batch
is changed in its own way; ``share`` is how many of them are.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

__all__ = [
    "add_noise",
    "blur",
    "change_background",
    "change_clothes",
    "change_light",
    "cover",
    "draw_patterns",
    "erase",
    "make_coarse",
    "mix_people",
    "move",
]

YIQ = torch.tensor([[0.299, 0.587, 0.114], [0.596, -0.274, -0.322], [0.211, -0.523, 0.312]])
"""NTSC's colour space: hue is an angle and saturation a length in its last two coordinates."""


def _uniform(count: int, low: float, high: float, like: Tensor) -> Tensor:
    return (torch.rand(count, device=like.device) * (high - low) + low).view(-1, 1, 1, 1)


def _chosen(count: int, share: float, like: Tensor) -> Tensor:
    return (torch.rand(count, 1, 1, 1, device=like.device) < share).float()


def _luma(images: Tensor) -> Tensor:
    weights = YIQ[0].to(images.device).view(1, 3, 1, 1)
    return (images * weights).sum(1, keepdim=True)


def _rows(images: Tensor) -> Tensor:
    return torch.arange(images.shape[2], device=images.device).view(1, 1, -1, 1)


def _turn_colours(images: Tensor, angle: Tensor, saturation: Tensor) -> Tensor:
    """Rotate hues by angles in radians and scale saturation, both ``(N, 1, 1, 1)``."""
    yiq = YIQ.to(images.device)
    cosine, sine = (f(angle).flatten() * saturation.flatten() for f in (torch.cos, torch.sin))
    turn = torch.zeros(len(images), 3, 3, device=images.device)
    turn[:, 0, 0] = 1
    turn[:, 1, 1] = turn[:, 2, 2] = cosine
    turn[:, 1, 2], turn[:, 2, 1] = -sine, sine
    return torch.einsum("nij,njhw->nihw", torch.linalg.inv(yiq) @ turn @ yiq, images)


def draw_patterns(images: Tensor) -> Tensor:
    """Return stripes and checks of two colours each, in the shape of ``images``."""
    count, width = len(images), images.shape[3]
    rows = _rows(images)
    columns = torch.arange(width, device=images.device).view(1, 1, 1, -1)
    angle = _uniform(count, 0, math.pi, images)
    upright = (angle > math.pi / 2).float() * (math.pi / 2)
    angle = torch.where(_chosen(count, 0.6, images) > 0, upright, angle)
    step = 2 * math.pi / _uniform(count, 3, 26, images)
    phase = _uniform(count, 0, 2 * math.pi, images)
    along = torch.sin((columns * angle.cos() + rows * angle.sin()) * step + phase)
    across = torch.sin((rows * angle.cos() - columns * angle.sin()) * step)
    waves = torch.where(_chosen(count, 0.35, images) > 0, 2 * along * across, along)
    part = torch.sigmoid(waves * _uniform(count, 1.5, 9, images))
    one, other = torch.rand(2, count, 3, 1, 1, device=images.device)
    patterns: Tensor = one * part + other * (1 - part)
    return patterns


def change_clothes(images: Tensor, masks: Tensor, prints: Tensor, share: float) -> Tensor:
    """Give the upper and the lower half of people other colours, brightness and patterns.

    Args:
        images: The crops.
        masks: Where the people are.
        prints: ``(N, 3, H, W)`` RGB in [0, 1]: patterns, for part of the clothes.
        share: How many of the people change.
    """
    count, _, height, _ = images.shape
    on = _chosen(count, share, images) * masks
    rows, luma = _rows(images), _luma(images)
    waist, neck = _uniform(count, 0.38, 0.58, images), _uniform(count, 0.12, 0.2, images)
    upper = torch.sigmoid((waist * height - rows) / 3)
    below_head = torch.sigmoid((rows - neck * height) / 2)
    out = images
    for part, kept, printed in ((upper * below_head, 0.25, 0.3), (1 - upper, 0.35, 0.18)):
        turned = _turn_colours(
            images, _uniform(count, -math.pi, math.pi, images), _uniform(count, 0.2, 2.2, images)
        )
        dyed = torch.rand(count, 3, 1, 1, device=images.device) * luma * 1.6
        dye = _uniform(count, 0, 0.7, images) * _chosen(count, 0.4, images)
        gain = torch.exp(_uniform(count, -0.9, 0.8, images))
        lift = _uniform(count, -0.12, 0.25, images) * _chosen(count, 0.5, images)
        clothes = (turned * (1 - dye) + dyed * dye) * gain + lift
        # A pattern lies under the light and the folds that the clothes had.
        ink = _uniform(count, 0.3, 1, images) * _chosen(count, printed, images)
        clothes = (clothes * (1 - ink) + prints * (luma * 1.3 + 0.35) * ink).clamp(0, 1)
        weight = part * on * _chosen(count, 1 - kept, images)
        out = out * (1 - weight) + clothes * weight
    return out


def change_background(images: Tensor, masks: Tensor, places: Tensor, share: float) -> Tensor:
    """Put people in front of other places; where the mask is empty nothing is changed."""
    found = (masks.mean((1, 2, 3), keepdim=True) > 0).float()
    on = _chosen(len(images), share, images) * found
    soft = functional.avg_pool2d(masks, 5, 1, 2)
    return images * (1 - on) + (images * soft + places * (1 - soft)) * on


def move(images: Tensor, *, zoom: float, shift: float, angle: float) -> Tensor:
    """Scale, shift, rotate and mirror, as if a detector had drawn the box in another way.

    Args:
        images: The crops.
        zoom: Largest logarithm of the scale.
        shift: Largest shift, as a share of half the image.
        angle: Largest angle, degrees.
    """
    count, _, height, width = images.shape

    def flat(low: float, high: float) -> Tensor:
        return _uniform(count, low, high, images).flatten()

    scale, aspect = torch.exp(flat(-zoom, zoom)), torch.exp(flat(-0.12, 0.12))
    turn = flat(-angle, angle) * math.pi / 180
    mirror = torch.where(flat(0, 1) < 0.5, -1.0, 1.0)
    wide, high, ratio = scale * aspect, scale / aspect, height / width
    across = torch.stack(
        [mirror * wide * turn.cos(), -high * turn.sin() * ratio, flat(-shift, shift)], 1
    )
    down = torch.stack(
        [mirror * wide * turn.sin() / ratio, high * turn.cos(), flat(-shift, shift)], 1
    )
    grid = functional.affine_grid(
        torch.stack([across, down], 1), [count, 3, height, width], align_corners=False
    )
    return functional.grid_sample(images, grid, padding_mode="reflection", align_corners=False)


def change_light(images: Tensor, strength: float, share: float) -> Tensor:
    """Change hue, saturation, white balance, exposure, contrast, gamma, and the side of the light."""
    count, _, height, width = images.shape

    def factor(low: float, high: float) -> Tensor:
        return torch.exp(_uniform(count, low, high, images) * strength)

    out = _turn_colours(images, _uniform(count, -0.35, 0.35, images) * strength, factor(-0.6, 0.5))
    balance = torch.rand(count, 3, 1, 1, device=images.device) - 0.5
    out = out * torch.exp(balance * 0.5 * strength) * factor(-0.6, 0.5)
    mean = out.mean((1, 2, 3), keepdim=True)
    out = (out - mean) * factor(-0.5, 0.4) + mean + _uniform(count, -0.1, 0.15, images) * strength
    out = out.clamp(1e-4, 1).pow(factor(-0.4, 0.4))
    down = torch.linspace(-1, 1, height, device=images.device).view(1, 1, -1, 1)
    across = torch.linspace(-1, 1, width, device=images.device).view(1, 1, 1, -1)
    lamp = _uniform(count, -0.3, 0.3, images) * down + _uniform(count, -0.25, 0.25, images) * across
    out = (out * (1 + lamp * strength)).clamp(0, 1)
    on, grey = _chosen(count, share, images), _chosen(count, 0.03, images)
    out = images * (1 - on) + out * on
    return out * (1 - grey) + _luma(out) * grey


def make_coarse(images: Tensor, share: float) -> Tensor:
    """Shrink to 28 to 128 rows and enlarge again; two sizes a batch."""
    size = images.shape[2:]
    out = images
    for _ in range(2):
        rows = int(torch.randint(28, 128, ()))
        columns = max(10, int(rows * (0.34 + 0.26 * float(torch.rand(())))))
        small = functional.interpolate(images, (rows, columns), mode="area")
        coarse = functional.interpolate(small, size, mode="bilinear", align_corners=False)
        on = _chosen(len(images), share / 2, images)
        out = out * (1 - on) + coarse * on
    return out


def blur(images: Tensor, share: float) -> Tensor:
    """Blur by one Gaussian a batch, in both directions or, as motion does, across."""
    places = torch.arange(-4, 5, device=images.device, dtype=images.dtype)
    sigma = 0.6 + 2.4 * float(torch.rand(()))
    kernel = torch.exp(-places.square() / (2 * sigma**2))
    kernel = (kernel / kernel.sum()).view(1, 1, 1, 9).expand(3, 1, 1, 9)
    padded = functional.pad(images, (4, 4, 0, 0), mode="reflect")
    out = functional.conv2d(padded, kernel, groups=3)
    if float(torch.rand(())) < 0.6:
        padded = functional.pad(out, (0, 0, 4, 4), mode="reflect")
        out = functional.conv2d(padded, kernel.transpose(2, 3), groups=3)
    on = _chosen(len(images), share, images)
    return images * (1 - on) + out * on


def add_noise(images: Tensor, share: float) -> Tensor:
    """Add Gaussian noise of a deviation up to 0.07."""
    deviation = _uniform(len(images), 0, 0.07, images) * _chosen(len(images), share, images)
    return (images + torch.randn_like(images) * deviation).clamp(0, 1)


def _boxes(
    images: Tensor, *, high: tuple[float, float], wide: tuple[float, float], at_bottom: bool
) -> Tensor:
    """Return ``(N, 1, H, W)`` masks of one box each; sides are shares of the image's."""
    count, _, height, width = images.shape
    tall, broad = _uniform(count, *high, images) * height, _uniform(count, *wide, images) * width
    top = height - tall if at_bottom else _uniform(count, 0, 1, images) * (height - tall / 2)
    left = _uniform(count, 0, 1, images) * (width + broad / 2) - broad / 2
    rows, columns = _rows(images), torch.arange(width, device=images.device).view(1, 1, 1, -1)
    inside = (rows >= top) & (rows < top + tall) & (columns >= left) & (columns < left + broad)
    return inside.float()


def cover(images: Tensor, share: float) -> Tensor:
    """Cover the legs or a side with a piece of another crop."""
    others = images[torch.randperm(len(images), device=images.device)]
    low = _boxes(images, high=(0.1, 0.4), wide=(0.6, 1.3), at_bottom=True)
    side = _boxes(images, high=(0.3, 1.0), wide=(0.15, 0.45), at_bottom=False)
    where = torch.where(_chosen(len(images), 0.5, images) > 0, low, side)
    where = where * _chosen(len(images), share, images)
    return images * (1 - where) + others * where


def erase(images: Tensor, share: float) -> Tensor:
    """Paint over a box with one colour."""
    where = _boxes(images, high=(0.08, 0.35), wide=(0.15, 0.6), at_bottom=False)
    where = where * _chosen(len(images), share, images)
    return images * (1 - where) + torch.rand(len(images), 3, 1, 1, device=images.device) * where


def mix_people(images: Tensor, *, blended: float, joined: float) -> Tensor:
    """Blend people, and join the upper half of one to the lower of another: people to ask about."""
    count, _, height, _ = images.shape

    def shuffled() -> Tensor:
        return images[torch.randperm(count, device=images.device)]

    part = _uniform(count, 0, 0.5, images) * _chosen(count, blended, images)
    out = images * (1 - part) + shuffled() * part
    waist = _uniform(count, 0.4, 0.6, images) * height
    lower = torch.sigmoid((_rows(images) - waist) / 3) * _chosen(count, joined, images)
    return out * (1 - lower) + shuffled() * lower
