# Garita in a container: not root, read-only root file system, kernels compiled at build time.
#
#   docker build -t garita .
#   docker run --rm --read-only --tmpfs /run/garita --cap-drop ALL \
#     -v garita-state:/var/lib/garita -v "$PWD/site:/etc/garita:ro" -p 8088:8088 garita
ARG BASE=python:3.11-slim-bookworm
FROM ${BASE}

# libgl1 and libglib2.0-0: opencv-python links them. mosquitto: for `broker: auto`.
RUN apt-get update \
 && apt-get install -y --no-install-recommends \
      libgl1 libglib2.0-0 mosquitto python3 python3-venv tini \
 && rm -rf /var/lib/apt/lists/*

WORKDIR /opt/garita
COPY requirements.txt .
RUN python3 -m venv .venv \
 && .venv/bin/python -m pip install --no-cache-dir --require-hashes -r requirements.txt

COPY fusion fusion
COPY drivers drivers
COPY simulators simulators
COPY edge edge
COPY configs configs

# One kind of processor for the cache, so that the kernels compiled here fit wherever this runs.
ENV PYTHONPATH=/opt/garita \
    PYTHONDONTWRITEBYTECODE=1 \
    NUMBA_CPU_NAME=generic \
    NUMBA_CACHE_DIR=/opt/garita/kernel-cache
RUN .venv/bin/python -m compileall -q fusion drivers simulators edge \
 && .venv/bin/python -P -m edge.warmup \
 && useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin garita \
 && install -d -o garita -g garita /var/lib/garita /run/garita

USER 10001
VOLUME /var/lib/garita
EXPOSE 8088
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
  CMD ["/opt/garita/.venv/bin/python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8088/healthz', timeout=4)"]
ENTRYPOINT ["tini", "--", "/opt/garita/configs/deploy/entrypoint.sh"]
CMD ["run", "--config", "/etc/garita/checkpoint.yaml"]
