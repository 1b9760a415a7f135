"""A figure of blocks, as small as one can be that stands, walks and is dressed."""

import json
import sys

import cv2
import numpy as np
import pytest

from support.assets import REPOSITORY

JOINTS = {
    "root": (None, (0, 0.5, 0)),
    "spine04": ("root", (0, 1.5, 0)),
    "spine03": ("spine04", (0, 2.5, 0)),
    "spine02": ("spine03", (0, 3.5, 0)),
    "neck01": ("spine02", (0, 5.8, 0)),
    "head": ("neck01", (0, 7.2, 0)),
}
for side, sign in (("L", 1), ("R", -1)):
    JOINTS |= {
        f"upperarm01.{side}": ("spine02", (1.7 * sign, 5.2, 0)),
        f"lowerarm01.{side}": (f"upperarm01.{side}", (3.1 * sign, 3.5, 0)),
        f"wrist.{side}": (f"lowerarm01.{side}", (4.3 * sign, 2.4, 1.0)),
        f"finger3-1.{side}": (f"wrist.{side}", (4.5 * sign, 2.0, 1.4)),
        f"upperleg01.{side}": ("root", (1.1 * sign, 0.4, 0)),
        f"lowerleg01.{side}": (f"upperleg01.{side}", (1.5 * sign, -3.7, 0)),
        f"foot.{side}": (f"lowerleg01.{side}", (2.0 * sign, -7.4, 0)),
    }
CORNERS = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)])
QUADS = np.array(
    [[0, 1, 3, 2], [4, 6, 7, 5], [0, 4, 5, 1], [2, 3, 7, 6], [0, 2, 6, 4], [1, 5, 7, 3]]
)
TARGETS = ("macrodetails/caucasian-male-young", "macrodetails/caucasian-male-old")


def model_of(joints, half):
    """Return a block around each joint, in the package's format."""
    names = list(JOINTS)
    points = np.concatenate([np.array(JOINTS[name][1]) + half * CORNERS for name in joints])
    quads = np.concatenate([QUADS + 8 * k for k in range(len(joints))])
    rows = [[11, *quad, 0, 0, 1, 2, 3] for quad in quads.tolist()]
    own = np.repeat([names.index(name) for name in joints], 8)
    return {
        "vertices": points.ravel().tolist(),
        "faces": np.array(rows).ravel().tolist(),
        "uvs": [[0.1, 0.1, 0.9, 0.1, 0.9, 0.9, 0.1, 0.9]],
        "bones": [{"name": f"{name}____head"} for name in names],
        "skinIndices": own.tolist(),
        "skinWeights": [1.0] * len(points),
    }


def write_garment(root, name, joints, texture):
    """Write a garment of larger blocks around some joints, which hides those beneath."""
    model = model_of(joints, 0.5)
    anchors = np.repeat([8 * list(JOINTS).index(joint) for joint in joints], 8)
    anchors = anchors + np.tile(np.arange(8), len(joints))
    hides = np.zeros(8 * len(JOINTS), int)
    hides[anchors] = 1
    model |= {
        "ref_vIdxs": np.repeat(anchors[:, None], 3, 1).tolist(),
        "weights": [[1, 0, 0]] * len(anchors),
        "offsets": np.tile(0.2 * CORNERS, (len(joints), 1)).tolist(),
        "materials": [{"mapDiffuse": "colours.png"}],
        "metadata": {"deleteVerts": hides.tolist()},
    }
    folder = root / "public" / "data" / "proxies" / "clothes" / name
    folder.mkdir(parents=True)
    (folder / f"{name}.json").write_text(json.dumps(model))
    cv2.imwrite(str(folder / "colours.png"), texture)


@pytest.fixture(scope="session", autouse=True)
def _scripts_on_the_path():
    patch = pytest.MonkeyPatch()
    patch.syspath_prepend(str(REPOSITORY / "scripts"))
    yield
    patch.undo()
    for name in [name for name in sys.modules if name.startswith("rendered_people")]:
        del sys.modules[name]


@pytest.fixture(scope="session")
def package(tmp_path_factory):
    root = tmp_path_factory.mktemp("makehuman") / "package"
    for folder in ("models", "targets", "skins/young_caucasian_male/textures"):
        (root / "public" / "data" / folder).mkdir(parents=True)
    for folder in ("rigs", "targets"):
        (root / "src" / "json" / folder).mkdir(parents=True)
    data = root / "public" / "data"
    (data / "models" / "human_full_size.json").write_text(json.dumps(model_of(list(JOINTS), 0.3)))
    rig = {
        "joints": {name: list(range(8 * k, 8 * k + 8)) for k, name in enumerate(JOINTS)},
        "bones": {name: {"head": name, "parent": JOINTS[name][0]} for name in reversed(JOINTS)},
    }
    (root / "src/json/rigs/default.json").write_text(json.dumps(rig))
    # The names are in no order; the rows are in that of the alphabet.
    listed = {"targets": {f"data/targets/{name}.target": [] for name in TARGETS}}
    (root / "src/json/targets/target-list.json").write_text(json.dumps(listed))
    rows = np.zeros((2, 8 * len(JOINTS), 3), np.int16)
    rows[0, :, 1], rows[1, :, 1] = 1000, 3000
    rows.tofile(data / "targets" / "targets.bin")
    skin = np.full((8, 8, 3), (60, 90, 120), np.uint8)
    cv2.imwrite(str(data / "skins/young_caucasian_male/textures/skin.png"), skin)
    cloth = np.full((8, 8, 3), 200, np.uint8)
    net = np.zeros((8, 8, 4), np.uint8)
    net[:, :4] = 255
    trunk = [name for name in JOINTS if name.startswith(("spine", "upperarm", "lowerarm"))]
    legs = [name for name in JOINTS if name.startswith(("root", "upperleg", "lowerleg"))]
    write_garment(root, "shirt", trunk, cloth)
    write_garment(root, "trousers", legs, cloth)
    write_garment(root, "net", ["head"], net)
    return root


@pytest.fixture(scope="session")
def assets(package):
    from rendered_people.assets import Assets

    return Assets(package)
