"""Weights are fitted to other places by their last layer alone."""

from pathlib import Path

import pytest
import torch

from reid_model.adaptation import adapted, whitened
from reid_model.architecture import Architecture
from reid_model.checkpoint import load_checkpoint, save_checkpoint
from reid_model.cli import main
from reid_model.network import SiameseNetwork
from support.people import write_people

SHAPE = Architecture(
    backbone="tf_efficientnet_lite0", embedding_dim=8, input_height=64, input_width=32
)


def make_network() -> SiameseNetwork:
    torch.manual_seed(3)
    network = SiameseNetwork(SHAPE).eval()
    neck = network.bn.state_dict()
    for name, low in (("running_mean", -1.0), ("running_var", 0.5), ("weight", 0.5)):
        neck[name].uniform_(low, 2)
    return network


def make_batches() -> list[torch.Tensor]:
    torch.manual_seed(4)
    return [torch.rand(32, 3, 64, 32) * torch.rand(32, 3, 1, 1) for _ in range(3)]


def embedded(network: SiameseNetwork, batches: list[torch.Tensor]) -> torch.Tensor:
    return torch.cat([network.features(each)[1] for each in batches]).detach()


def spread(vectors: torch.Tensor) -> torch.Tensor:
    """Return how uneven variances are: the logarithm of the largest by the third largest."""
    variances = torch.linalg.eigvalsh(torch.cov(vectors.T.double()))
    return (variances[-1] / variances[-3]).log()


def test_whitened_embeddings_are_centred_and_half_as_uneven() -> None:
    network, batches = make_network(), make_batches()
    before = embedded(network, batches)
    after = embedded(whitened(network, batches), batches)
    torch.testing.assert_close(after.mean(0), torch.zeros(8), atol=1e-3, rtol=0)
    assert float(spread(after) / spread(before)) == pytest.approx(0.5, rel=0.15)
    torch.testing.assert_close(embedded(network, batches), before)


def test_places_are_taken_out_each_counting_alike() -> None:
    network, batches = make_network(), make_batches()
    many, few = batches[:2], [batches[2][:5]]
    result = adapted(network, [many, few])
    means = [embedded(result, place).mean(0) for place in (many, few)]
    torch.testing.assert_close(means[0] + means[1], torch.zeros(8), atol=1e-3, rtol=0)
    before = [embedded(network, place).mean(0) for place in (many, few)]
    torch.testing.assert_close(means[0] - means[1], before[0] - before[1], atol=1e-3, rtol=0)


def test_what_changes_within_a_person_counts_less() -> None:
    network = make_network()
    shots = [torch.cat([each[:16], each[:16] * 0.6]) for each in make_batches()]
    numbers = [torch.arange(16).repeat(2) + 16 * place for place in range(3)]
    result = adapted(network, [], zip(shots, numbers, strict=True))
    apart = []
    for each in (network, result):
        vectors = [embedded(each, [batch]) for batch in shots]
        apart.append(torch.cat([own[:16] - own[16:] for own in vectors]))
    variances = [torch.linalg.eigvalsh(own.T.double() @ own.double()) for own in apart]
    shares = [float(each[-1] / each.sum()) for each in variances]
    assert shares[1] < shares[0] - 0.02


def test_the_pooling_can_be_sharpened() -> None:
    network, batches = make_network(), make_batches()
    result = adapted(network, [], exponent=6)
    assert float(result.p.detach()) == 6
    network.p.data.fill_(6)
    torch.testing.assert_close(embedded(result, batches), embedded(network, batches))


def test_the_edge_can_count_more_and_the_inside_of_a_map_less() -> None:
    torch.manual_seed(5)
    network = SiameseNetwork(SHAPE.model_copy(update={"input_height": 160, "input_width": 96}))
    images = torch.rand(2, 3, 160, 96)
    maps = network.eval().backbone(images).detach()  # 5 x 3 cells, 3 of them inside
    result = adapted(network, [], exponent=1, edge_weight=2)
    inside = maps.clamp(min=1e-6)[:, :, 1:4, 1:2]
    all_cells = maps.clamp(min=1e-6).sum(dim=(2, 3))
    expected = (2 * all_cells - inside.sum(dim=(2, 3))) / (2 * 12 + 3)
    torch.testing.assert_close(result._pool(maps), expected)
    assert network.architecture.edge_weight == 1
    # A map of one cell has no inside.
    small = result._pool(maps[:, :, :1, :1])
    torch.testing.assert_close(small, maps[:, :, 0, 0].clamp(min=1e-6))


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    path = tmp_path / "weights.safetensors"
    notes = {"teachers": ["t"], "calibration": {"fmr": []}, "scores": {"old": 1}}
    save_checkpoint(make_network(), path, notes=notes)
    return path


def test_command_writes_weights_without_the_calibration_of_before(weights: Path) -> None:
    people = write_people(weights.parent / "people", size=(64, 32))
    alike = write_people(weights.parent / "other" / "people", size=(64, 32), shots=1)
    out = weights.parent / "out.safetensors"
    arguments = ["adapt", str(weights), "--people", str(people)]
    arguments += ["--crops", str(people), "--crops", str(alike)]
    changes = ["--exponent", "4", "--edge-weight", "1.5"]
    assert main([*arguments, *changes, "--out", str(out)]) == 0
    written = load_checkpoint(out)
    assert written.architecture.edge_weight == 1.5
    notes = written.notes
    assert notes == {
        "teachers": ["t"],
        "adapted_by": {"crops": {"people": 48}, "persons": 6, "exponent": 4.0, "edge_weight": 1.5},
    }


def test_what_cannot_be_adapted_by_is_refused(
    weights: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    once = write_people(weights.parent / "once", cameras=1, shots=1, size=(64, 32))
    (weights.parent / "empty").mkdir()
    for arguments, said in (
        ([], "nothing to adapt by"),
        (["--crops", str(weights.parent / "empty")], "empty holds no pictures"),
        (["--crops", str(weights.parent / "missing")], "missing holds no pictures"),
        (["--people", str(once)], "shows nobody twice"),
    ):
        assert main(["adapt", str(weights), *arguments, "--out", str(once / "o.safetensors")]) == 2
        error = capsys.readouterr().err
        assert said in error
        assert len(error.strip().splitlines()) == 1
    assert main(["adapt", str(weights), "--exponent", "2", "--out", str(once / "o.txt")]) == 2
    assert "end it in .safetensors" in capsys.readouterr().err
    before = weights.read_bytes()
    assert main(["adapt", str(weights), "--exponent", "2", "--out", str(weights)]) == 2
    assert "exists already" in capsys.readouterr().err
    assert weights.read_bytes() == before
