"""How the package's own person detector is made: pictures, training, the form it ships in."""

import pipeline  # noqa: F401 - switches usage reports off before OpenVINO is imported here
