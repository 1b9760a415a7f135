"""Pictures to compose scenes of, and pools of such scenes."""

import numpy as np
import pytest

from support.assets import REPOSITORY
from support.detector_material import SKIN


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
