"""The embedder: crops a second in every precision, with CUDA graphs, and whether vectors agree."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import torch

from gpu_checks.timing import peak_memory_mb, rate, recorded
from reid_model.checkpoint import load_checkpoint
from reid_model.errors import ReidModelError
from reid_model.inference import load_embedder
from reid_model.patterns import pattern_crops
from reid_model.stored_weights import default_weights

__all__ = ["compare_vectors", "crops_a_second", "training_images_a_second"]

PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
BATCHES = (1, 16, 64, 256, 1024)
MIN_COSINE = {"fp32": 0.9999, "bf16": 0.98, "fp16": 0.999}
"""Of every vector to that of the CPU in fp32."""
TRAINING_BATCH = 256
IDENTITIES = 512


def crops_a_second(device: torch.device, seconds: float) -> list[dict[str, Any]]:
    """Return the rate of the network alone by precision and batch, with and without a CUDA graph."""
    rows = []
    size = load_checkpoint(default_weights()).architecture.input_size
    for precision, dtype in PRECISIONS.items():
        network = load_checkpoint(default_weights()).network.eval()
        network = network.to(device, dtype, memory_format=torch.channels_last)
        for batch in BATCHES if device.type == "cuda" else BATCHES[:2]:
            images = torch.rand(batch, 3, *size, device=device, dtype=dtype)
            images = images.contiguous(memory_format=torch.channels_last)
            row: dict[str, Any] = {"precision": precision, "batch": batch}
            with torch.inference_mode():
                run = partial(network, images)
                row["crops_a_second"] = round(rate(run, device, each=batch, seconds=seconds))
                if device.type == "cuda":
                    fast = rate(recorded(run), device, each=batch, seconds=seconds)
                    row["with_cuda_graph"] = round(fast)
            row["memory_mb"] = peak_memory_mb(device)
            rows.append(row)
    return rows


def compare_vectors(device: torch.device) -> list[dict[str, Any]]:
    """Return, by precision, the least cosine of what a run embeds here to what it embeds on a CPU."""
    crops = pattern_crops(64)
    expected = load_embedder(backend="torch", device="cpu", precision="fp32").embed(crops)
    rows = []
    for precision, least in MIN_COSINE.items():
        try:
            found = load_embedder(backend="torch", device=str(device), precision=precision)  # type: ignore[arg-type]
        except ReidModelError as error:
            rows.append({"precision": precision, "skipped": str(error)})
            continue
        cosine = float(np.sum(found.embed(crops) * expected, axis=1).min())
        rows.append({"precision": precision, "min_cosine": round(cosine, 6), "ok": cosine >= least})
    return rows


def training_images_a_second(device: torch.device, seconds: float) -> dict[str, Any]:
    """Return the rate of steps of a training: forward, identity loss, backward, AdamW, in bfloat16."""
    checkpoint = load_checkpoint(default_weights())
    network = checkpoint.network.train().to(device, memory_format=torch.channels_last)
    batch = TRAINING_BATCH if device.type == "cuda" else 8
    images = torch.rand(batch, 3, *checkpoint.architecture.input_size, device=device)
    images = images.contiguous(memory_format=torch.channels_last)
    labels = torch.randint(IDENTITIES, (batch,), device=device)
    classes = torch.nn.Linear(checkpoint.architecture.embedding_dim, IDENTITIES).to(device)
    optimiser = torch.optim.AdamW([*network.parameters(), *classes.parameters()], lr=1e-4)

    def step() -> None:
        optimiser.zero_grad(set_to_none=True)
        with torch.autocast(device.type, torch.bfloat16):
            loss = torch.nn.functional.cross_entropy(classes(network(images)), labels)
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()

    found = rate(step, device, each=batch, seconds=seconds)
    return {"batch": batch, "images_a_second": round(found), "memory_mb": peak_memory_mb(device)}
