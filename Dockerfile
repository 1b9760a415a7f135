# The light installation: built-in networks on a CPU. docs/deployment.md says how it is run.
FROM debian:12-slim AS wheel
RUN apt-get update && apt-get install -y --no-install-recommends python3-venv ca-certificates
RUN python3 -m venv /build && /build/bin/pip install build
COPY . /tree
RUN /build/bin/python /tree/scripts/build_wheels.py --only reid-pipeline-lite --out /wheels

FROM debian:12-slim
RUN --mount=from=wheel,source=/wheels,target=/wheels \
    --mount=source=configs/deploy,target=/deploy \
    sh /deploy/install.sh /wheels/*.whl
USER 10001:10001
WORKDIR /var/lib/reid-pipeline
VOLUME /var/lib/reid-pipeline
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s \
    CMD ["/opt/reid-pipeline/bin/reid-pipeline-healthy"]
ENTRYPOINT ["/opt/reid-pipeline/bin/reid-pipeline"]
CMD ["--help"]
