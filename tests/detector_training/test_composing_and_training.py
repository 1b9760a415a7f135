"""Pictures for the detector: boxes lie on people, seeds repeat; training goes on after a stop."""

import numpy as np
import pytest
import torch

from assets import REPOSITORY

SKIN = (40, 80, 220)
TEACHER = REPOSITORY / "pipeline/detect/weights/person_detector_openvino_model"
"""Any YOLO model that takes 640 x 640 pixels will do."""


@pytest.fixture(scope="module", autouse=True)
def _scripts_on_the_path():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(REPOSITORY / "scripts"))
        yield


@pytest.fixture(scope="module")
def material():
    from detector_training.composition import Material
    from detector_training.people import Cutout

    body = np.full((120, 50, 3), SKIN, np.uint8)
    somebody = Cutout(body, np.ones((120, 50), np.float32), whole=True)
    wall = np.full((200, 300, 3), 110, np.uint8)
    from detector_training.labelled import Labelled

    nobody = Labelled(wall, np.empty((0, 4), np.float32))
    return Material([somebody], [somebody], [wall], [wall], [nobody])


@pytest.fixture(scope="module")
def pools(material, tmp_path_factory):
    from detector_training.composition import compose
    from detector_training.labelled import write_pool
    from detector_training.pools import SHARES

    folder = tmp_path_factory.mktemp("pools")
    for number, name in enumerate(SHARES):
        write_pool(
            folder / name,
            (compose(material, np.random.default_rng((number, k))) for k in range(4)),
        )
    return folder


def test_the_same_seed_composes_the_same_scene(material):
    from detector_training.composition import compose

    one, other = (compose(material, np.random.default_rng(5)) for _ in range(2))
    np.testing.assert_array_equal(one.image, other.image)
    np.testing.assert_array_equal(one.boxes, other.boxes)


def test_boxes_lie_within_the_picture_and_are_not_empty(material):
    from detector_training.composition import compose

    seen = 0
    for seed in range(40):
        scene = compose(material, np.random.default_rng(seed))
        height, width = scene.image.shape[:2]
        assert (scene.boxes >= 0).all()
        assert (scene.boxes <= [width, height, width, height]).all()
        assert (scene.boxes[:, 2:] > scene.boxes[:, :2]).all()
        seen += len(scene.boxes)
    assert seen > 40


def test_a_pool_comes_back_as_it_was_written(pools):
    from detector_training.labelled import is_finished, read_pool, write_pool

    assert all(is_finished(folder) for folder in pools.iterdir())
    stored = read_pool(pools / "composed")
    assert len(stored) == 4
    assert all(path.is_file() for path, _ in stored)
    assert write_pool(pools / "nothing", []) == 0
    assert read_pool(pools / "nothing") == []


def test_boxes_follow_the_piece_that_is_cut():
    from detector_training.batches import cut
    from detector_training.labelled import Labelled

    image = np.full((400, 700, 3), 60, np.uint8)
    image[100:300, 200:280] = SKIN
    picture = Labelled(image, np.array([[200, 100, 280, 300]], np.float32))
    seen = 0
    for seed in range(60):
        piece = cut(picture, (320, 320), (0.5, 1.2), np.random.default_rng(seed))
        assert piece.image.shape == (320, 320, 3)
        for left, top, right, bottom in piece.boxes:
            painted = np.abs(piece.image.astype(int) - SKIN).max(axis=2) < 40
            rows, columns = np.flatnonzero(painted.any(1)), np.flatnonzero(painted.any(0))
            edges = columns[0], rows[0], columns[-1] + 1, rows[-1] + 1
            np.testing.assert_allclose(edges, (left, top, right, bottom), atol=3)
            seen += 1
    assert seen > 30


def test_a_step_has_the_same_batch_every_time(pools):
    from detector_training.batches import Pieces

    sizes = [(64, 64, 3)] * 4
    whole = list(Pieces(pools, sizes=sizes, first=0, seed=1, teacher=TEACHER))
    later = list(Pieces(pools, sizes=sizes, first=2, seed=1, teacher=TEACHER))
    assert len(whole) == 4
    for one, other in zip(whole[2:], later, strict=True):
        torch.testing.assert_close(one["img"], other["img"])
        torch.testing.assert_close(one["bboxes"], other["bboxes"])
        torch.testing.assert_close(one["taught"], other["taught"])
        torch.testing.assert_close(one["map2"], other["map2"])


def test_people_who_are_half_hidden_have_the_box_of_what_is_seen(material):
    from detector_training import composition

    mask = np.zeros((40, 60), bool)
    mask[10:20, 5:9] = mask[15:30, 20:33] = True
    np.testing.assert_array_equal(composition._extent(mask), [5, 10, 33, 30])


def test_the_teacher_says_the_same_of_a_piece_wherever_it_is_laid_out():
    from detector_training.distillation import DenseTeacher

    teacher = DenseTeacher(TEACHER)
    rng = np.random.default_rng(0)
    grey = np.full((3, 320, 320), 114, np.uint8)
    piece = rng.integers(0, 256, (3, 10, 10)).astype(np.uint8).repeat(32, axis=1).repeat(32, axis=2)
    lessons = teacher(piece[None]), teacher(np.stack([piece, grey, grey, grey, piece]))
    alone, among = lessons[0].anchors[0], lessons[1].anchors
    assert [each.shape for each in lessons[1].maps] == [
        (5, 64, 40, 40),
        (5, 128, 20, 20),
        (5, 256, 10, 10),
    ]
    for one, others in zip(lessons[0].maps, lessons[1].maps, strict=True):
        np.testing.assert_allclose(others[[0, 4]], np.repeat(one, 2, axis=0), atol=1e-2)
        assert one.std() > 0
    assert alone.shape == (1600 + 400 + 100, 5)
    # The first lies in the upper left corner, and so does the fifth, on a canvas of its own.
    np.testing.assert_allclose(among[0], alone, atol=1e-3)
    np.testing.assert_allclose(among[4], alone, atol=1e-3)
    boxes = among[..., :4]
    middles = (boxes[..., :2] + boxes[..., 2:]) / 2
    strides = np.repeat([8, 16, 32], [1600, 400, 100])
    column = np.concatenate([np.tile(np.arange(n), n) for n in (40, 20, 10)])
    expected = (column + 0.5) * strides
    # Boxes lie around their anchors, in the piece's own pixels.
    assert np.median(np.abs(middles[:, :, 0] - expected)) < 32
    assert ((among[..., 4] >= 0) & (among[..., 4] <= 1)).all()


def test_the_teacher_counts_only_where_there_is_no_truth():
    from detector_training.distillation import TaughtAssigner

    anchors = 6
    truth = (
        torch.zeros(2, anchors),
        torch.full((2, anchors, 4), 7.0),
        torch.full((2, anchors, 1), 0.5),
        torch.ones(2, anchors, dtype=torch.bool),
        torch.zeros(2, anchors),
    )
    assigner = TaughtAssigner(lambda: truth)
    assert assigner() == truth
    taught = torch.full((2, anchors, 5), 3.0)
    taught[0, :, 4] = -1.0
    taught[1, :, 4] = torch.tensor([0.0, 0.05, 0.2, 0.5, 0.9, 1.0])
    assigner.taught = taught
    _, boxes, scores, is_person, _ = assigner()
    torch.testing.assert_close(boxes[0], truth[1][0])
    torch.testing.assert_close(boxes[1], taught[1, :, :4])
    torch.testing.assert_close(scores[0], truth[2][0])
    torch.testing.assert_close(scores[1, :, 0], taught[1, :, 4])
    assert is_person[0].all()
    assert is_person[1].tolist() == [False, False, True, True, True, True]


def test_what_the_teacher_sees_is_learnt_by_the_network():
    from detector_training.distillation import Apprentice
    from detector_training.training import TEACHER_MAPS, new_network

    torch.manual_seed(0)
    network = new_network("yolo11n.yaml").train()
    apprentice = Apprentice(network, TEACHER_MAPS)
    weights = [*network.parameters(), *apprentice.parameters()]
    optimiser = torch.optim.AdamW(weights, lr=3e-3)
    pixels = torch.rand(2, 3, 64, 64)
    sizes = zip(TEACHER_MAPS, (8, 4, 2), strict=True)
    maps = [torch.rand(2, channels, side, side) for channels, side in sizes]
    distances = []
    for _ in range(25):
        network(pixels)
        distance = apprentice(maps)
        optimiser.zero_grad()
        distance.backward()
        optimiser.step()
        distances.append(float(distance.detach()))
    assert distances[-1] < 0.7 * distances[0]
    # Through the network, and not by its own layers alone.
    assert all(each.grad is not None for each in network.model[0].parameters())


def test_pictures_are_held_out_of_the_pools_that_are_for_judging(pools):
    from detector_training.batches import Pieces

    pieces = Pieces(pools, sizes=[], first=0, seed=0, teacher=TEACHER)
    assert [path.stem for path, _ in pieces._pools["stock"]] == ["00001", "00002", "00003"]
    assert len(pieces._pools["videos"]) == 4


def test_weights_that_ship_can_be_begun_with(pools, tmp_path, monkeypatch):
    from safetensors.torch import load_file

    from detector_training import training

    monkeypatch.setattr(training, "PIECE", 64)
    monkeypatch.setattr(training, "WHOLE", (64, 64))
    monkeypatch.setattr(training.Recipe, "rate_at", lambda self, step: 0.0)
    recipe = training.Recipe("yolo11n.yaml", steps=1, batch=2, rate=1e-3, seed=0)
    shipped = TEACHER.with_name("person_detector.safetensors")
    training.train(
        pools, tmp_path, recipe, teacher=TEACHER, device="cpu", begin_with=shipped, workers=0
    )
    state = torch.load(tmp_path / training.STATE, weights_only=True)["network"]
    for name, tensor in load_file(shipped).items():
        if name.endswith((".weight", ".bias")):
            torch.testing.assert_close(state[name], tensor.float())


def test_the_rate_rises_then_falls():
    from detector_training.training import WARM_UP, Recipe

    recipe = Recipe("yolo11n.yaml", steps=1000, batch=16, rate=0.002, seed=0)
    rates = [recipe.rate_at(step) for step in range(1000)]
    assert np.argmax(rates) in {WARM_UP - 1, WARM_UP}
    assert max(rates) == pytest.approx(0.002)
    assert rates[-1] < 0.05 * 0.002
    height, width, count = recipe.sizes()[-1]
    assert (height, width) == (384, 640)
    assert count < 16


def test_training_goes_on_where_it_stopped(pools, tmp_path, monkeypatch):
    from detector_training import training

    monkeypatch.setattr(training, "PIECE", 64)
    monkeypatch.setattr(training, "WHOLE", (64, 64))
    monkeypatch.setattr(training, "LOG_EVERY", 1)
    # A constant rate: the number of steps must not matter for the first of them.
    monkeypatch.setattr(training.Recipe, "rate_at", lambda self, step: 1e-3)
    recipe = training.Recipe("yolo11n.yaml", steps=4, batch=2, rate=1e-3, seed=0)
    training.train(pools, tmp_path / "whole", recipe, teacher=TEACHER, device="cpu", workers=0)
    part = training.Recipe("yolo11n.yaml", steps=2, batch=2, rate=1e-3, seed=0)
    training.train(pools, tmp_path / "parts", part, teacher=TEACHER, device="cpu", workers=0)
    training.train(pools, tmp_path / "parts", recipe, teacher=TEACHER, device="cpu", workers=0)
    states = [
        torch.load(tmp_path / name / training.STATE, weights_only=True)
        for name in ("whole", "parts")
    ]
    assert [state["step"] for state in states] == [4, 4]
    for name, tensor in states[0]["network"].items():
        torch.testing.assert_close(tensor, states[1]["network"][name], rtol=1e-3, atol=1e-4)
    lines = (tmp_path / "parts" / training.CURVES).read_text().splitlines()
    assert [line.split(",")[0] for line in lines] == ["step", "1", "2", "3", "4"]
    other = training.Recipe("yolov8n.yaml", steps=4, batch=2, rate=1e-3, seed=0)
    with pytest.raises(SystemExit, match="another recipe"):
        training.train(pools, tmp_path / "parts", other, teacher=TEACHER, device="cpu", workers=0)
