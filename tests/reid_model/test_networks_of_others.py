"""Networks in other formats that others made: how they are fed, and what is refused."""

import numpy as np
import onnx
import openvino
import pytest
from onnx import TensorProto, helper

from reid_model.cli import main
from reid_model.description import Description, read_sidecar, sidecar_of, write_sidecar
from reid_model.errors import WeightsError
from reid_model.inference import load_embedder
from reid_model.preprocess import normalised
from support.assets import SHARED, needs_shared
from support.colour_network import write_colour_network
from support.people import write_people

SIZE = (32, 16)
AS_IS = Description(
    input_height=32, input_width=16, colour="bgr", scale=1, mean=(0, 0, 0), std=(1, 1, 1)
)
LIKE_TORCHREID = Description(
    input_height=32,
    input_width=16,
    colour="rgb",
    scale=255,
    mean=(0.485, 0.456, 0.406),
    std=(0.229, 0.224, 0.225),
)


def mean_network(folder, *, shape=("N", 3, *SIZE), notes=None, kind=TensorProto.FLOAT):
    """An ONNX network that gives the mean of each channel of its input."""
    images = helper.make_tensor_value_info("images", kind, list(shape))
    vector = helper.make_tensor_value_info("features", kind, [shape[0], 3])
    node = helper.make_node("ReduceMean", ["images", "axes"], ["features"], keepdims=0)
    axes = helper.make_tensor("axes", TensorProto.INT64, [2], [2, 3])
    graph = helper.make_graph([node], "means", [images], [vector], [axes])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    helper.set_model_props(model, notes or {})
    path = folder / "means.onnx"
    onnx.save(model, path)
    return path


def crops(count=3, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.integers(0, 255, (*SIZE, 3)).astype(np.uint8) for _ in range(count)]


def unit(rows):
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.mark.parametrize("description", [AS_IS, LIKE_TORCHREID], ids=["as it is", "torchreid"])
@pytest.mark.parametrize("kind", ["onnx", "openvino"])
def test_crops_are_made_the_input_that_the_sidecar_asks_for(tmp_path, description, kind):
    model = mean_network(tmp_path)
    if kind == "openvino":
        read = openvino.Core().read_model(model)
        model = tmp_path / "means.xml"
        openvino.save_model(read, model)
    write_sidecar(model, description)
    expected = unit(normalised(np.stack(crops()), description).mean(axis=(2, 3)))
    np.testing.assert_allclose(load_embedder(model).embed(crops()), expected, atol=1e-4)


def test_colours_and_scale_are_as_a_slow_loop_has_them():
    image = crops(1)[0]
    got = normalised(image[None], LIKE_TORCHREID)[0]
    for channel in range(3):
        value = image[5, 7, 2 - channel] / 255
        expected = (value - LIKE_TORCHREID.mean[channel]) / LIKE_TORCHREID.std[channel]
        assert got[channel, 5, 7] == pytest.approx(expected, rel=1e-5)
    np.testing.assert_array_equal(normalised(image[None], AS_IS)[0, 0], image[..., 0])


@pytest.mark.parametrize("kind", ["onnx", "openvino"])
def test_a_network_of_unknown_input_is_refused_with_the_way_out(tmp_path, kind):
    model = (
        mean_network(tmp_path)
        if kind == "onnx"
        else write_colour_network(tmp_path / "colour.xml", is_described=False)
    )
    with pytest.raises(WeightsError, match="run `reid-model describe"):
        load_embedder(model)


def test_half_precision_input_is_fed(tmp_path):
    model = mean_network(tmp_path, kind=TensorProto.FLOAT16)
    write_sidecar(model, LIKE_TORCHREID)
    expected = unit(normalised(np.stack(crops()), LIKE_TORCHREID).mean(axis=(2, 3)))
    np.testing.assert_allclose(load_embedder(model).embed(crops()), expected, atol=1e-2)


def test_metadata_of_model_api_say_how_to_feed_a_network(tmp_path):
    notes = {
        "model_info mean_values": "123.675 116.28 103.53",
        "model_info scale_values": "58.395 57.12 57.375",
        "model_info reverse_input_channels": "True",
    }
    got = load_embedder(mean_network(tmp_path, notes=notes)).embed(crops())
    expected = unit(normalised(np.stack(crops()), LIKE_TORCHREID).mean(axis=(2, 3)))
    np.testing.assert_allclose(got, expected, atol=1e-4)


@pytest.mark.parametrize("turned", ["True", "False"])
def test_what_was_built_in_by_the_converter_is_not_done_again(tmp_path, turned):
    xml = write_colour_network(tmp_path / "colour.xml", is_described=False)
    model = openvino.Core().read_model(xml)
    for key, value in {
        "mean_values": "data[123.675,116.28,103.53]",
        "scale_values": "data[58.395,57.12,57.375]",
        "reverse_input_channels": turned,
    }.items():
        model.set_rt_info(value, ["conversion_parameters", key])
    other = tmp_path / "converted.xml"
    openvino.save_model(model, other)
    if turned == "True":
        assert load_embedder(other).description == AS_IS
    else:  # in which order it wants colours is not said
        with pytest.raises(WeightsError, match="do not say how crops become their input"):
            load_embedder(other)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("colour: [", "no valid YAML"),
        ("colour: red", "colour"),
        ("colour: rgb", "Field required"),
        ("", "content"),
    ],
)
def test_a_faulty_sidecar_is_one_clear_error(tmp_path, text, message):
    model = mean_network(tmp_path)
    (tmp_path / "means.reid.yaml").write_text(text)
    with pytest.raises(WeightsError, match=rf"means\.reid\.yaml.*{message}"):
        load_embedder(model)


def identity_network(path, shape):
    """Write a network that gives back its input, with a sidecar."""
    images, out = (
        helper.make_tensor_value_info(name, TensorProto.FLOAT, list(shape))
        for name in ("images", "out")
    )
    node = helper.make_node("Identity", ["images"], ["out"])
    graph = helper.make_graph([node], "same", [images], [out])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.save(model, path)
    write_sidecar(path, AS_IS)
    return path


@pytest.mark.parametrize(
    "shape", [(8, 3, *SIZE), (1, *SIZE, 3), (1, 3, 64, 16), (1, 3, 32)], ids=str
)
def test_an_input_of_another_shape_is_named(tmp_path, shape):
    model = identity_network(tmp_path / "same.onnx", shape)
    with pytest.raises(WeightsError, match=r"same\.onnx take \(.*expected \(1, 3, 32, 16\)"):
        load_embedder(model)


def test_which_of_several_outputs_counts_must_be_said(tmp_path):
    xml = write_colour_network(tmp_path / "colour.xml", is_described=False, outputs=2)
    write_sidecar(xml, AS_IS)
    with pytest.raises(WeightsError, match=r"2 outputs .*--output"):
        load_embedder(xml)
    write_sidecar(xml, AS_IS.model_copy(update={"output": "embedding1"}))
    assert load_embedder(xml).dim == 64
    write_sidecar(xml, AS_IS.model_copy(update={"output": "logits"}))
    with pytest.raises(WeightsError, match="no output logits"):
        load_embedder(xml)


def test_an_output_that_is_no_vector_is_named(tmp_path):
    model = identity_network(tmp_path / "map.onnx", (1, 3, *SIZE))
    with pytest.raises(WeightsError, match=r"shape \(1, 3, 32, 16\), expected one vector"):
        load_embedder(model)


def test_how_a_network_is_fed_counts_for_whether_vectors_compare(tmp_path):
    xml = write_colour_network(tmp_path / "colour.xml", is_described=False)
    write_sidecar(xml, AS_IS)
    plain = load_embedder(xml)
    plain.store_calibration({"threshold": 0.3})
    again = load_embedder(tmp_path)
    assert again.sha256 == plain.sha256
    assert again.calibration == {"threshold": 0.3}
    write_sidecar(xml, AS_IS.model_copy(update={"colour": "rgb"}))
    assert load_embedder(xml).sha256 != plain.sha256


def describe(model, *flags):
    return main(["describe", str(model), *flags])


def test_describing_writes_what_the_file_does_not_say(tmp_path, capsys):
    model = mean_network(tmp_path)
    people = write_people(tmp_path / "people", size=(64, 32))
    assert describe(model) == 2
    assert "do not say their colour, scale, mean, std" in " ".join(capsys.readouterr().err.split())
    assert describe(model, "--like", "torchreid", "--data", str(people)) == 0
    assert read_sidecar(model) == LIKE_TORCHREID
    assert load_embedder(model).dim == 3
    assert describe(model, "--like", "torchreid") == 2
    assert "exists already" in capsys.readouterr().err
    given = ("--colour", "bgr", "--scale", "1", "--mean", "0,0,0", "--std", "1,1,1")
    assert describe(model, *given, "--overwrite") == 0
    assert read_sidecar(model) == AS_IS


@pytest.mark.parametrize("labelled", [True, False])
def test_describing_tries_the_network_on_pictures(tmp_path, capsys, labelled):
    xml = write_colour_network(tmp_path / "colour.xml", is_described=False)
    people = write_people(tmp_path / "people")
    if not labelled:
        for number, path in enumerate(sorted(people.iterdir())):
            path.rename(people / f"hall_{number:03d}.png")
    assert describe(xml, "--like", "openvino-zoo", "--data", str(people)) == 0
    said = capsys.readouterr().err
    assert "cosine with the mirror image" in said
    assert ("ROC AUC" in said) == labelled


def test_a_network_that_is_fed_the_wrong_way_is_not_described(tmp_path, capsys):
    xml = write_colour_network(tmp_path / "colour.xml", is_described=False)
    people = write_people(tmp_path / "people", identities=12)
    assert describe(xml, "--like", "fast-reid", "--scale", "0.1", "--data", str(people)) == 2
    assert "try --like" in " ".join(capsys.readouterr().err.split())
    assert not sidecar_of(xml).exists()


def test_a_network_that_sees_sides_instead_of_people_is_not_described(tmp_path, capsys):
    """One output for the left half and one for the right: a mirror image is somebody else."""
    images = helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, *SIZE])
    vector = helper.make_tensor_value_info("v", TensorProto.FLOAT, [1, 16])
    axes = helper.make_tensor("axes", TensorProto.INT64, [2], [1, 2])
    every = helper.make_tensor("every", TensorProto.INT64, [1], [1])
    nodes = [
        helper.make_node("ReduceMean", ["images", "axes"], ["columns"], keepdims=0),
        helper.make_node("ReduceMean", ["columns", "every"], ["mean"], keepdims=1),
        helper.make_node("Sub", ["columns", "mean"], ["v"]),
    ]
    graph = helper.make_graph(nodes, "sides", [images], [vector], [axes, every])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.save(model, tmp_path / "sides.onnx")
    people = write_people(tmp_path / "people")
    given = ("--like", "fast-reid", "--data", str(people))
    assert describe(tmp_path / "sides.onnx", *given) == 2
    assert "mirror images are hardly more alike" in " ".join(capsys.readouterr().err.split())
    assert not sidecar_of(tmp_path / "sides.onnx").exists()


def test_a_checkpoint_needs_no_description(tmp_path, capsys):
    (tmp_path / "own.safetensors").write_bytes(b"")
    assert describe(tmp_path / "own.safetensors") == 2
    assert describe(tmp_path / "none.onnx") == 2
    said = " ".join(capsys.readouterr().err.split())
    assert "checkpoints need no sidecar" in said
    assert "none.onnx do not exist" in said


@needs_shared
@pytest.mark.parametrize("name", ["0277", "0287", "0288"])
def test_networks_of_the_model_zoo_are_known(name):
    model = SHARED / "models" / "openvino_zoo" / f"person-reidentification-retail-{name}"
    network = load_embedder(model)
    expected = AS_IS.model_copy(update={"input_height": 256, "input_width": 128})
    assert network.description == expected
    assert network.dim == 256
