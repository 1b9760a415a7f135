#!/usr/bin/env bash
# Take the steps of the image in a fresh Debian, without a container engine, and live in it:
#
#   scripts/check_image.sh FOLDER                # as root; FOLDER is made unless it is there
#   SUITE=trixie scripts/check_image.sh OTHER    # Debian 13, with Python 3.13
#
# configs/deploy/install.sh runs in it as the Dockerfile runs it. Then `live` runs as compose.yaml
# runs it: process 1 of a process space of its own, as a user without name, home and rights, on a
# root that cannot be written. It has to be healthy, and to end at SIGTERM with its files closed.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$(realpath -m "$1")
port=18080
python=${PYTHON:-python3}

if [ ! -e "$root/etc/debian_version" ]; then
    # From where this machine has its own packages.
    mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' | head -1)
    debootstrap --variant=minbase "${SUITE:-bookworm}" "$root" "$mirror" >"$root.log" 2>&1 ||
        { tail -5 "$root.log"; exit 1; }
fi
mkdir -p "$root/wheels" "$root/deploy" "$root/clips"
rm -rf "$root"/wheels/*.whl "$root/opt/reid-pipeline"  # pip passes over a version that is installed
"$python" scripts/build_wheels.py --only reid-pipeline-lite --out "$root/wheels"
cp configs/deploy/* "$root/deploy/"
cp sample_videos/lobby.mp4 "$root/clips/"

echo "installing"
# What this machine needs to reach package indexes is shown to the fresh system while it installs,
# read-only: its packages must never write over those of this machine.
unshare --mount bash -c '
    set -e
    root=$1
    mount -t proc proc "$root/proc"
    for each in /etc/resolv.conf /etc/hosts /etc/pip.conf; do
        [ -e "$each" ] || continue
        touch "$root$each"
        mount --bind "$each" "$root$each"
        mount -o remount,bind,ro "$root$each"
    done
    cp /etc/ssl/certs/ca-certificates.crt "$root/deploy/"
    certificates=/deploy/ca-certificates.crt
    export PIP_CERT=$certificates REQUESTS_CA_BUNDLE=$certificates SSL_CERT_FILE=$certificates
    unset CURL_CA_BUNDLE PIP_FIND_LINKS
    exec chroot "$root" sh -c "sh /deploy/install.sh /wheels/*.whl"
' _ "$root"

echo "living"
rm -rf "$root"/var/lib/reid-pipeline/*
unshare --mount --pid --fork --kill-child bash -c '
    set -e
    root=$1 port=$2
    mount --bind "$root" "$root"
    mount --bind "$root/var/lib/reid-pipeline" "$root/var/lib/reid-pipeline"
    mount -o remount,bind,ro "$root"
    mount -t proc proc "$root/proc"
    mount -t tmpfs tmpfs "$root/tmp"
    mount -t tmpfs -o size=256m tmpfs "$root/dev/shm"
    exec chroot --userspec=10001:10001 "$root" /usr/bin/env -i PATH=/usr/bin:/bin CI=true \
        /opt/reid-pipeline/bin/reid-pipeline live --cams /clips/lobby.mp4 --realtime --loop \
        --port "$port" --out /var/lib/reid-pipeline
' _ "$root" "$port" 2>"$root.live.log" &
space=$!
trap 'kill $space 2>/dev/null || true' EXIT
healthy() {
    chroot --userspec=10001:10001 "$root" /usr/bin/env -i \
        REID_PIPELINE_HEALTH="http://127.0.0.1:$port/healthz" \
        /opt/reid-pipeline/bin/reid-pipeline-healthy 2>/dev/null
}
for _ in $(seq 120); do
    healthy && break
    kill -0 $space 2>/dev/null || { cat "$root.live.log"; exit 1; }
    sleep 1
done
healthy || { cat "$root.live.log"; echo "not healthy within two minutes"; exit 1; }
echo "healthy; ending process 1"
sleep 5
kill -TERM "$(pgrep -P $space)"
code=0
wait $space || code=$?
trap - EXIT
[ $code = 0 ] || { cat "$root.live.log"; echo "ended with $code, not 0"; exit 1; }
[ -s "$root/var/lib/reid-pipeline/recording.json" ]
find "$root/var/lib/reid-pipeline" -name '*.mp4' -size +0 | grep -q .
! grep -q "not end within" "$root.live.log"
[ -z "$(find "$root/var/lib/reid-pipeline" ! -user 10001)" ]
echo "ended within its time, with its files closed"
