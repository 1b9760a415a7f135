"""What several views of a picture say, and how it is learnt."""

import numpy as np
import pytest
import torch

from support.detector_material import TEACHER


def test_views_that_agree_count_more():
    from detector_training.views import fused

    left, right = [0, 0, 50, 100], [200, 0, 250, 100]
    shifted = [4, 0, 54, 100]
    views = [
        (np.array([left, right], np.float32), np.array([0.8, 0.6], np.float32)),
        (np.array([shifted], np.float32), np.array([0.4], np.float32)),
    ]
    boxes, scores = fused(views)
    np.testing.assert_allclose(scores, [0.6, 0.3])
    np.testing.assert_allclose(boxes[0], [4 / 3, 0, 50 + 4 / 3, 100], rtol=1e-5)
    np.testing.assert_allclose(boxes[1], right)


def test_two_people_of_one_view_stay_two():
    from detector_training.views import fused

    near = np.array([[0, 0, 50, 100], [10, 0, 60, 100]], np.float32)
    boxes, scores = fused([(near, np.array([0.9, 0.8], np.float32))])
    assert len(boxes) == 2
    np.testing.assert_allclose(scores, [0.9, 0.8])


def test_views_without_anybody_give_nobody():
    from detector_training.views import fused

    nobody = np.empty((0, 4), np.float32), np.empty(0, np.float32)
    boxes, scores = fused([nobody, nobody])
    assert boxes.shape == (0, 4)
    assert scores.shape == (0,)


def test_the_views_find_who_is_in_a_picture_whatever_its_size():
    import av

    from detector_training.views import ViewsTeacher
    from support.assets import SAMPLE_VIDEOS

    with av.open(str(SAMPLE_VIDEOS / "lobby.mp4")) as container:
        frames = list(container.decode(video=0))
    image = frames[len(frames) // 2].to_ndarray(format="bgr24")
    pictures = [image, np.ascontiguousarray(image[:, :401]), np.zeros((50, 70, 3), np.uint8)]
    answers = list(ViewsTeacher(TEACHER).answers(pictures))
    boxes, scores = answers[0]
    assert scores.max() > 0.5
    assert (boxes[:, 2:] > boxes[:, :2]).all()
    assert (boxes >= 0).all()
    assert (boxes <= np.array(image.shape[1::-1] * 2)).all()
    assert len(answers[2][0]) == 0


@pytest.fixture
def answered(pools, tmp_path):
    """The pools, on whose real pictures a teacher saw one person of whom it is half sure."""
    import shutil

    from detector_training.labelled import read_pool, write_answers
    from detector_training.pools import UNLABELLED

    shutil.copytree(pools, tmp_path / "pools")
    for name in UNLABELLED:
        pictures = read_pool(tmp_path / "pools" / name)
        box = np.array([[10, 20, 60, 140]], np.float32)
        answer = box, np.array([0.5], np.float32)
        write_answers(tmp_path / "pools" / name, [answer] * len(pictures))
    return tmp_path / "pools"


def test_answers_take_the_place_of_labels_on_real_pictures(answered):
    from detector_training.batches import Pieces
    from detector_training.pools import UNLABELLED

    sizes = [(320, 320, 8)] * 6
    pieces = Pieces(answered, sizes=sizes, first=0, seed=0, teacher=None)
    for name, pictures in pieces._pools.items():
        for _, boxes, sure in pictures:
            assert set(sure) == ({0.5} if name in UNLABELLED else {1.0} if len(boxes) else set())
    for batch in pieces:
        assert "taught" not in batch
        assert len(batch["certainty"]) == len(batch["bboxes"]) == len(batch["batch_idx"])
        assert set(batch["certainty"].tolist()) <= {0.5, 1.0}


def test_pools_nobody_was_asked_about_are_refused(pools):
    from detector_training.batches import Pieces

    with pytest.raises(SystemExit, match="no answers of the teacher"):
        Pieces(pools, sizes=[], first=0, seed=0, teacher=None)


def test_what_is_half_sure_is_asked_for_half():
    from detector_training.distillation import TeacherAssigner, by_picture

    numbers = torch.tensor([[0, 1, 0], [0, 0, 0]])
    usual = torch.zeros(2, 3), torch.zeros(2, 3, 4), torch.ones(2, 3, 1), numbers > -1, numbers
    assigner = TeacherAssigner(lambda: usual)
    certainty, pictures = torch.tensor([1.0, 0.5, 0.25]), torch.tensor([0.0, 0.0, 1.0])
    assigner.certainty = by_picture(certainty, pictures, 2)
    scores = assigner()[2][..., 0]
    assert scores.tolist() == [[1.0, 0.5, 1.0], [0.25, 0.25, 0.25]]


def test_each_layer_begins_with_the_first_file_that_has_its_size(tmp_path):
    from safetensors.torch import save_file

    from detector_training.beginning import beginning

    head = "model.22.cv3.0.2"
    other = {"model.0.conv.weight": torch.ones(4, 3), f"{head}.weight": torch.ones(80, 8)}
    other[f"{head}.weight"][0] = 2
    mine = {"model.0.conv.weight": torch.zeros(4, 3), f"{head}.weight": torch.zeros(1, 8)}
    save_file(other, tmp_path / "other.safetensors")
    save_file(mine, tmp_path / "mine.safetensors")
    files = [tmp_path / "other.safetensors", tmp_path / "mine.safetensors"]
    state = beginning(files, mine)
    assert (state["model.0.conv.weight"] == 1).all()
    assert (state[f"{head}.weight"] == 2).all()  # of the class of persons
    smaller = {**mine, f"{head}.weight": torch.zeros(1, 5)}
    with pytest.raises(SystemExit, match=r"model.22.cv3.0 has another size"):
        beginning(files, smaller)
    save_file(smaller, tmp_path / "mine.safetensors")
    assert beginning(files, smaller)[f"{head}.weight"].shape == (1, 5)
