"""What the detector learns from its teacher."""

import numpy as np
import pytest
import torch

from support.detector_material import TEACHER


def test_the_teacher_says_at_every_anchor_what_its_model_says():
    import openvino

    from detector_training.distillation import DenseTeacher

    rng = np.random.default_rng(0)
    piece = rng.integers(0, 256, (3, 5, 10)).astype(np.uint8).repeat(32, axis=1).repeat(32, axis=2)
    grey = np.full_like(piece, 114)
    outputs_of_teacher = DenseTeacher(TEACHER)(np.stack([grey, piece]))
    exact = {"INFERENCE_PRECISION_HINT": "f32"}
    model = openvino.Core().compile_model(next(TEACHER.glob("*.xml")), "CPU", exact)
    raw = model(piece[None].astype(np.float32) / 255)[0][0].T
    assert outputs_of_teacher.anchors.shape == (2, 20 * 40 + 10 * 20 + 5 * 10, 5)
    corners = [raw[:, :2] - raw[:, 2:4] / 2, raw[:, :2] + raw[:, 2:4] / 2]
    np.testing.assert_allclose(
        outputs_of_teacher.anchors[1, :, :4], np.concatenate(corners, 1), atol=0.02
    )
    np.testing.assert_allclose(outputs_of_teacher.anchors[1, :, 4], raw[:, 4], atol=1e-4)
    shapes = {number: each.shape for number, each in outputs_of_teacher.maps.items()}
    assert sorted(shapes) == [2, 4, 6, 8, 9, 12, 15, 18, 21]
    assert shapes[2] == (2, 32, 40, 80)
    assert shapes[21] == (2, 256, 5, 10)
    assert all(each.astype(np.float32).std() > 0 for each in outputs_of_teacher.maps.values())


def test_the_teacher_counts_only_where_there_is_no_truth():
    from detector_training.distillation import TeacherAssigner

    anchors = 6
    truth = (
        torch.zeros(2, anchors),
        torch.full((2, anchors, 4), 7.0),
        torch.full((2, anchors, 1), 0.5),
        torch.ones(2, anchors, dtype=torch.bool),
        torch.zeros(2, anchors),
    )
    assigner = TeacherAssigner(lambda: truth)
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
    from detector_training.distillation import Student
    from detector_training.training import new_network

    torch.manual_seed(0)
    pixels = torch.rand(2, 3, 64, 64)
    maps = _maps(new_network("yolov8n.yaml").train(), pixels, (2, 4, 6, 9, 12))
    network = new_network("yolov8n.yaml").train()
    student = Student(network)
    optimiser = torch.optim.AdamW(network.parameters(), lr=3e-3)
    distances = []
    for step in range(25):
        student.observe(maps, share=max(0.0, 1 - step / 10), seed=step)
        network(pixels)
        distance = student.distance()
        optimiser.zero_grad()
        distance.backward()
        optimiser.step()
        distances.append(float(distance.detach()))
    assert distances[-1] < 0.5 * distances[0]
    reached = [any(each.grad is not None for each in one.parameters()) for one in network.model]
    assert [number for number in range(13) if not reached[number]] == [10, 11]  # have no weights
    assert not any(reached[13:])


def test_the_teachers_maps_go_on_in_place_of_the_networks():
    from detector_training.distillation import Student
    from detector_training.training import new_network

    torch.manual_seed(0)
    pixels = torch.rand(2, 3, 64, 64)
    teacher, network = new_network("yolov8n.yaml").eval(), new_network("yolov8n.yaml").eval()
    maps = _maps(teacher, pixels, (9, 12, 15, 18, 21))
    own = network(pixels)[0]
    student = Student(network)
    student.observe(maps, share=0.0, seed=0)
    torch.testing.assert_close(network(pixels)[0], own)
    # From the last stages on, the network is the teacher where its head is the teacher's.
    network.model[-1].load_state_dict(teacher.model[-1].state_dict())
    student.observe(maps, share=1.0, seed=0)
    torch.testing.assert_close(network(pixels)[0], teacher(pixels)[0])
    assert float(student.distance().detach()) > 0.1
    alike = Student(teacher)
    alike.observe(maps, share=0.0, seed=0)
    teacher(pixels)
    assert float(alike.distance().detach()) == pytest.approx(0, abs=1e-6)
