"""Scores of a ranking and of decisions, compared with slow and obvious versions."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reid_model.cli import main
from reid_model.data.images import IdentityImage
from reid_model.errors import DatasetError
from reid_model.evaluation.protocol import Protocol, make_protocol
from reid_model.evaluation.ranking import query_gallery_distances, score_ranking
from reid_model.evaluation.report import centred
from reid_model.evaluation.reranking import rerank
from reid_model.evaluation.sets import read_set
from reid_model.evaluation.verification import Pairs, best_threshold, score_verification
from support.colour_network import write_colour_network
from support.people import write_people
from support.random_weights import write_random_weights


def unit(rows):
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def scattered(count, *, identities, cameras, seed, noise=0.8, dim=8):
    """Images of random identities and cameras, with vectors around their identity's centre."""
    rng = np.random.default_rng(seed)
    identity = rng.integers(0, identities, count)
    camera = rng.integers(0, cameras, count)
    centres = rng.normal(size=(identities, dim))
    vectors = unit(centres[identity] + noise * rng.normal(size=(count, dim)))
    query = np.sort(rng.choice(count, count // 4, replace=False))
    gallery = np.setdiff1d(np.arange(count), query)
    return vectors, Protocol(query, gallery, identity.astype(str), camera.astype(str))


def slow_scores(distance, protocol):
    """Rank-1/5/10 and mAP, one query and one place at a time."""
    hits, precisions = {1: [], 5: [], 10: []}, []
    for row, query in enumerate(protocol.query):
        ranked = []
        for column in sorted(range(len(protocol.gallery)), key=lambda c: (distance[row][c], c)):
            other = protocol.gallery[column]
            same = protocol.identity[other] == protocol.identity[query]
            if same and protocol.camera[other] == protocol.camera[query]:
                continue
            ranked.append(bool(same))
        if not any(ranked):
            continue
        for k, found in hits.items():
            found.append(any(ranked[:k]))
        right, sum_of_precisions = 0, 0.0
        for place, same in enumerate(ranked, start=1):
            if same:
                right += 1
                sum_of_precisions += right / place
        precisions.append(sum_of_precisions / right)
    return {k: np.mean(found) for k, found in hits.items()}, np.mean(precisions), len(precisions)


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    count=st.integers(16, 80),
    identities=st.integers(2, 8),
    cameras=st.integers(2, 4),
)
def test_ranking_scores_agree_with_a_slow_version(seed, count, identities, cameras):
    vectors, protocol = scattered(count, identities=identities, cameras=cameras, seed=seed)
    distance = query_gallery_distances(vectors, protocol)
    try:
        got = score_ranking(distance, protocol)
    except DatasetError:
        return  # nobody had a match
    ranks, average_precision, queries = slow_scores(distance, protocol)
    assert got.queries == queries
    assert (got.rank1, got.rank5, got.rank10) == pytest.approx((ranks[1], ranks[5], ranks[10]))
    assert got.mean_average_precision == pytest.approx(average_precision)


def test_images_by_the_querys_own_camera_do_not_count():
    identity, camera = np.array(["a", "a", "b", "a"]), np.array(["1", "1", "2", "2"])
    protocol = Protocol(np.array([0]), np.array([1, 2, 3]), identity, camera)
    scores = score_ranking(np.array([[0.0, 0.5, 0.9]], np.float32), protocol)
    assert scores.rank1 == 0  # the closest that counts is b
    assert scores.mean_average_precision == 0.5


def test_queries_without_a_match_are_left_out_and_all_of_them_are_an_error():
    identity, camera = np.array(["a", "b", "a"]), np.array(["1", "1", "2"])
    both = Protocol(np.array([0, 1]), np.array([2]), identity, camera)
    assert score_ranking(np.zeros((2, 1), np.float32), both).queries == 1
    nobody = Protocol(np.array([1]), np.array([2]), identity, camera)
    with pytest.raises(DatasetError, match="no query has"):
        score_ranking(np.zeros((1, 1), np.float32), nobody)


def test_the_first_image_of_every_identity_in_every_camera_is_a_query(tmp_path):
    images = [
        IdentityImage(tmp_path / f"{identity}_{camera}_{shot}.png", identity, camera)
        for shot in (1, 0)
        for identity in "ab"
        for camera in "12"
    ]
    protocol = make_protocol(images)
    assert sorted(images[row].path.name for row in protocol.query) == [
        "a_1_0.png",
        "a_2_0.png",
        "b_1_0.png",
        "b_2_0.png",
    ]
    assert not set(protocol.query) & set(protocol.gallery)


def slow_reranking(distance, queries, *, k1, k2, own_share):
    """k-reciprocal encoding with sets and loops, on a full matrix of squared distances."""
    count = len(distance)
    scaled = (distance / distance.max(axis=0)).T
    order = np.argsort(scaled, axis=1, kind="stable")

    def reciprocal(row, k):
        return [j for j in order[row][: k + 1] if row in order[j][: k + 1]]

    weights = np.zeros((count, count))
    for row in range(count):
        members = set(reciprocal(row, k1))
        for candidate in reciprocal(row, k1):
            wider = set(reciprocal(candidate, round(k1 / 2)))
            if len(wider & set(reciprocal(row, k1))) > 2 / 3 * len(wider):
                members |= wider
        chosen = sorted(members)
        own = np.exp(-scaled[row, chosen])
        weights[row, chosen] = own / own.sum()
    if k2 > 1:
        weights = np.array(
            [np.mean([weights[j] for j in order[row][:k2]], axis=0) for row in range(count)]
        )
    result = np.zeros((queries, count - queries))
    for row in range(queries):
        for column in range(queries, count):
            least = np.minimum(weights[row], weights[column]).sum()
            most = np.maximum(weights[row], weights[column]).sum()
            result[row, column - queries] = (1 - own_share) * (
                1 - least / most
            ) + own_share * scaled[row, column]
    return result


@pytest.mark.parametrize(("k1", "k2"), [(6, 3), (8, 1)])
def test_reranking_agrees_with_a_slow_version(k1, k2):
    vectors, protocol = scattered(48, identities=6, cameras=3, seed=4)
    rows = np.concatenate([protocol.query, protocol.gallery])
    squared = np.maximum(2 - 2 * vectors[rows] @ vectors[rows].T, 0)
    expected = slow_reranking(squared, len(protocol.query), k1=k1, k2=k2, own_share=0.3)
    got = rerank(vectors, protocol, k1=k1, k2=k2, own_share=0.3)
    np.testing.assert_allclose(got, expected, atol=1e-4)


def test_reranking_helps_where_identities_are_clouds():
    vectors, protocol = scattered(240, identities=12, cameras=4, seed=1, noise=0.7)
    plain = score_ranking(query_gallery_distances(vectors, protocol), protocol)
    better = score_ranking(rerank(vectors, protocol), protocol)
    assert better.mean_average_precision > plain.mean_average_precision


def test_the_best_threshold_makes_the_most_right_decisions():
    rng = np.random.default_rng(3)
    same = rng.random(60) < 0.5
    similarity = np.round(rng.normal(np.where(same, 0.6, 0.3), 0.2), 1).astype(np.float32)
    got = best_threshold(Pairs(similarity, same))
    right = [np.mean((similarity >= t) == same) for t in np.linspace(-1, 2, 3001)]
    assert np.mean((similarity >= got) == same) == pytest.approx(max(right))


def test_decisions_are_scored_on_identities_that_did_not_choose_the_threshold():
    vectors, protocol = scattered(200, identities=20, cameras=3, seed=2, noise=0.1)
    scores = score_verification(vectors, protocol)
    assert scores.accuracy > 0.95
    assert scores.roc_auc > 0.99
    assert scores.f1 == pytest.approx(
        2 * scores.precision * scores.recall / (scores.precision + scores.recall)
    )
    nothing = unit(np.random.default_rng(0).normal(size=(200, 8)))
    assert 0.35 < score_verification(nothing, protocol).accuracy < 0.65


def test_the_command_writes_the_public_keys(tmp_path):
    people = write_people(tmp_path / "people")
    weights = write_random_weights(tmp_path / "random.safetensors")
    report, picture = tmp_path / "out" / "scores.json", tmp_path / "distances.png"
    arguments = ["evaluate", "--data", str(people), "--weights", str(weights), "--rerank", "--flip"]
    assert main([*arguments, "--json", str(report), "--histogram", str(picture)]) == 0
    scores = json.loads(report.read_text())
    assert {"rank1", "rank5", "rank10", "mAP", "plain", "verification"} <= set(scores)
    assert scores["queries"] == 12
    assert scores["gallery"] == 24
    assert scores["reranked"]
    assert scores["flip"]
    assert picture.stat().st_size > 1000


def test_a_folder_without_images_is_one_line_and_exit_code_2(tmp_path, capsys):
    assert main(["evaluate", "--data", str(tmp_path)]) == 2
    message = capsys.readouterr().err
    assert "holds no images" in message
    assert len(message.strip().splitlines()) == 1


def test_several_sets_and_weights_stand_side_by_side(tmp_path, capsys):
    people = [write_people(tmp_path / name, cameras=3) for name in ("hall", "yard")]
    described = tmp_path / "doors.yaml"
    described.write_text(
        f"name: doors\ndata: {people[1]}\nids: {tmp_path / 'ids.json'}\n"
        "query_camera: 1\ngallery_camera: 3\n"
    )
    (tmp_path / "ids.json").write_text("[1, 2, 3, 4]")
    first = write_random_weights(tmp_path / "first.safetensors")
    other = write_colour_network(tmp_path / "colour.xml", is_described=False)
    assert main(["describe", str(other), "--like", "openvino-zoo"]) == 0
    arguments = ["evaluate", "--data", str(people[0]), "--data", str(described), "--centre"]
    arguments += ["--weights", str(first), "--weights", str(other)]
    report = tmp_path / "scores.json"
    assert main([*arguments, "--json", str(report)]) == 0
    scores = json.loads(report.read_text())["results"]
    assert [(each["data"], Path(each["weights"]).name) for each in scores] == [
        ("hall", "first.safetensors"),
        ("doors", "first.safetensors"),
        ("hall", "colour.xml"),
        ("doors", "colour.xml"),
    ]
    assert [each["queries"] for each in scores] == [18, 12, 18, 12]
    assert all(each["centred"]["mAP"] <= 1 for each in scores)
    said = capsys.readouterr().err
    assert "doors" in said
    assert "centred" in said
    assert main([*arguments, "--histogram", str(tmp_path / "h.png")]) == 2
    assert main([*arguments, "--data", str(people[0])]) == 2
    assert "two sets have one name" in " ".join(capsys.readouterr().err.split())


def test_centring_gives_every_camera_one_mean():
    vectors, _ = scattered(40, identities=8, cameras=4, seed=5)
    biased = unit(vectors + np.eye(4, vectors.shape[1])[np.arange(40) % 4])
    camera = np.array([str(row % 4) for row in range(40)])
    moved = centred(biased.astype(np.float32), camera)
    np.testing.assert_allclose(np.linalg.norm(moved, axis=1), 1, rtol=1e-5)
    means = np.stack([moved[camera == name].mean(axis=0) for name in np.unique(camera)])
    before = np.stack([biased[camera == name].mean(axis=0) for name in np.unique(camera)])
    assert np.ptp(means, axis=0).max() < 0.3 * np.ptp(before, axis=0).max()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: a\n", "data: Field required"),
        ("name: a\ndata: b\ncolour: c\n", "colour"),
        ("[", "no valid YAML"),
        ("name: a\ndata: people\nquery_camera: 1\n", "together"),
    ],
)
def test_a_set_that_is_described_badly_is_one_clear_error(tmp_path, monkeypatch, text, message):
    monkeypatch.chdir(tmp_path)
    write_people(tmp_path / "people")
    (tmp_path / "set.yaml").write_text(text)
    with pytest.raises(DatasetError, match=message):
        read_set(tmp_path / "set.yaml")
