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


def test_the_teacher_says_at_every_anchor_what_its_model_says():
    import openvino

    from detector_training.distillation import DenseTeacher

    rng = np.random.default_rng(0)
    piece = rng.integers(0, 256, (3, 5, 10)).astype(np.uint8).repeat(32, axis=1).repeat(32, axis=2)
    grey = np.full_like(piece, 114)
    lesson = DenseTeacher(TEACHER)(np.stack([grey, piece]))
    exact = {"INFERENCE_PRECISION_HINT": "f32"}
    model = openvino.Core().compile_model(next(TEACHER.glob("*.xml")), "CPU", exact)
    raw = model(piece[None].astype(np.float32) / 255)[0][0].T
    assert lesson.anchors.shape == (2, 20 * 40 + 10 * 20 + 5 * 10, 5)
    corners = [raw[:, :2] - raw[:, 2:4] / 2, raw[:, :2] + raw[:, 2:4] / 2]
    np.testing.assert_allclose(lesson.anchors[1, :, :4], np.concatenate(corners, 1), atol=0.02)
    np.testing.assert_allclose(lesson.anchors[1, :, 4], raw[:, 4], atol=1e-4)
    shapes = {number: each.shape for number, each in lesson.maps.items()}
    assert sorted(shapes) == [2, 4, 6, 8, 9, 12, 15, 18, 21]
    assert shapes[2] == (2, 32, 40, 80)
    assert shapes[21] == (2, 256, 5, 10)
    assert all(each.astype(np.float32).std() > 0 for each in lesson.maps.values())


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


def _maps(network, pixels, numbers):
    """What stages of a network give."""
    maps = {}
    for number in numbers:
        network.model[number].register_forward_hook(
            lambda _module, _inputs, output, number=number: maps.update({number: output.detach()})
        )
    with torch.no_grad():
        network(pixels)
    return maps


def test_every_stage_learns_to_see_what_the_teachers_stage_sees():
    from detector_training.distillation import Apprentice
    from detector_training.training import new_network

    torch.manual_seed(0)
    pixels = torch.rand(2, 3, 64, 64)
    maps = _maps(new_network("yolov8n.yaml").train(), pixels, (2, 4, 6, 9, 12))
    network = new_network("yolov8n.yaml").train()
    apprentice = Apprentice(network)
    optimiser = torch.optim.AdamW(network.parameters(), lr=3e-3)
    distances = []
    for step in range(25):
        apprentice.listen(maps, share=max(0.0, 1 - step / 10), seed=step)
        network(pixels)
        distance = apprentice.distance()
        optimiser.zero_grad()
        distance.backward()
        optimiser.step()
        distances.append(float(distance.detach()))
    assert distances[-1] < 0.5 * distances[0]
    reached = [any(each.grad is not None for each in one.parameters()) for one in network.model]
    assert [number for number in range(13) if not reached[number]] == [10, 11]  # have no weights
    assert not any(reached[13:])


def test_the_teachers_maps_go_on_in_place_of_the_networks():
    from detector_training.distillation import Apprentice
    from detector_training.training import new_network

    torch.manual_seed(0)
    pixels = torch.rand(2, 3, 64, 64)
    teacher, network = new_network("yolov8n.yaml").eval(), new_network("yolov8n.yaml").eval()
    maps = _maps(teacher, pixels, (9, 12, 15, 18, 21))
    own = network(pixels)[0]
    apprentice = Apprentice(network)
    apprentice.listen(maps, share=0.0, seed=0)
    torch.testing.assert_close(network(pixels)[0], own)
    # From the last stages on, the network is the teacher where its head is the teacher's.
    network.model[-1].load_state_dict(teacher.model[-1].state_dict())
    apprentice.listen(maps, share=1.0, seed=0)
    torch.testing.assert_close(network(pixels)[0], teacher(pixels)[0])
    assert float(apprentice.distance().detach()) > 0.1
    alike = Apprentice(teacher)
    alike.listen(maps, share=0.0, seed=0)
    teacher(pixels)
    assert float(alike.distance().detach()) == pytest.approx(0, abs=1e-6)


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
    recipe = training.Recipe("yolov8n.yaml", steps=1, batch=2, rate=1e-3, seed=0)
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

    recipe = Recipe("yolov8n.yaml", steps=1000, batch=16, rate=0.002, seed=0)
    rates = [recipe.rate_at(step) for step in range(1000)]
    assert np.argmax(rates) in {WARM_UP - 1, WARM_UP}
    assert max(rates) == pytest.approx(0.002)
    assert rates[-1] < 0.05 * 0.002
    helped = [recipe.helped_at(step) for step in range(1000)]
    assert helped[0] == 1
    assert helped[:450] == [1] * 450
    assert helped[575] == pytest.approx(0.5)
    assert helped[700:] == [0] * 300
    height, width, count = recipe.sizes()[-1]
    assert (height, width) == (384, 640)
    assert count < 16


def test_training_goes_on_where_it_stopped(pools, tmp_path, monkeypatch):
    from detector_training import training

    monkeypatch.setattr(training, "PIECE", 64)
    monkeypatch.setattr(training, "WHOLE", (64, 64))
    monkeypatch.setattr(training, "LOG_EVERY", 1)
    # Constant rates: the number of steps must not matter for the first of them.
    monkeypatch.setattr(training.Recipe, "rate_at", lambda self, step: 1e-3)
    monkeypatch.setattr(training.Recipe, "helped_at", lambda self, step: 0.5)
    recipe = training.Recipe("yolov8n.yaml", steps=4, batch=2, rate=1e-3, seed=0)
    training.train(pools, tmp_path / "whole", recipe, teacher=TEACHER, device="cpu", workers=0)
    part = training.Recipe("yolov8n.yaml", steps=2, batch=2, rate=1e-3, seed=0)
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
    other = training.Recipe("yolo11n.yaml", steps=4, batch=2, rate=1e-3, seed=0)
    with pytest.raises(SystemExit, match="another recipe"):
        training.train(pools, tmp_path / "parts", other, teacher=TEACHER, device="cpu", workers=0)
