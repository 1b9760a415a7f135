"""Small folders of drawn people: every identity has its own colours, every camera a tint."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np


def draw_person(identity: int, camera: int, shot: int, *, size=(32, 16)) -> np.ndarray:
    """An upper and a lower half in the identity's colours, with noise."""
    height, width = size
    colours = np.random.default_rng(identity).integers(30, 225, (2, 3))
    noise = np.random.default_rng([identity, camera, shot])
    image = np.repeat(colours, height // 2, axis=0)[:, None].repeat(width, axis=1)
    image = image + 8 * camera + noise.normal(0, 6, image.shape)
    return np.clip(image, 0, 255).astype(np.uint8)


def write_people(folder: Path, *, identities=6, cameras=2, shots=3, size=(32, 16)) -> Path:
    """A folder in Market-1501 naming."""
    folder.mkdir(parents=True, exist_ok=True)
    for identity in range(1, identities + 1):
        for camera in range(1, cameras + 1):
            for shot in range(shots):
                name = f"{identity:04d}_c{camera}s1_{shot:06d}_01.png"
                cv2.imwrite(str(folder / name), draw_person(identity, camera, shot, size=size))
    return folder


def write_recipe(path: Path, source: Path, *, steps=6, extra: str = "") -> Path:
    """A recipe that a test can afford."""
    path.write_text(
        f"""
images: {{source: {source}}}
validation: {{share: 0.34, every_steps: 3}}
architecture: {{embedding_dim: 16, input_height: 32, input_width: 16, last_stride: 1}}
batch: {{identities: 2, images: 2}}
losses:
  - name: IdentityLoss
  - name: TripletMarginLoss
    options: {{margin: 0.3}}
    miner: {{name: BatchHardMiner}}
optimiser: {{rate: 1.0e-3}}
schedule: {{steps: {steps}, warmup_steps: 2}}
averaging: {{decay: 0.9}}
workers: 0
save_every_steps: 2
{extra}
""",
        encoding="utf-8",
    )
    return path
