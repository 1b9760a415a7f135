#!/bin/sh
# The steps of the image, for the Dockerfile, for a server without containers, and for
# scripts/check_image.sh: the light wheel in /opt/reid-pipeline, a user without rights, a folder
# for results. On Debian 12 or newer, as root:
#
#   configs/deploy/install.sh dist/reid_pipeline_lite-*.whl
set -eu
wheel=$1
here=$(dirname "$0")

export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -qq -y --no-install-recommends ca-certificates python3 python3-venv >/dev/null
rm -rf /var/lib/apt/lists/*

id reid >/dev/null 2>&1 ||
    useradd --uid 10001 --user-group --home-dir /nonexistent --no-create-home reid
python3 -m venv /opt/reid-pipeline
/opt/reid-pipeline/bin/pip install --quiet --no-cache-dir --disable-pip-version-check \
    --root-user-action=ignore "$wheel"
install -m 755 "$here/healthy.py" /opt/reid-pipeline/bin/reid-pipeline-healthy
# Embeddings and pictures are biometric data: their owner alone may read them.
install -d -o reid -g reid -m 700 /var/lib/reid-pipeline
