# Garita in a container: not root, read-only root file system, kernels compiled at build time.
#
#   docker build -t garita .
#   docker run --rm --read-only --tmpfs /run/garita --cap-drop ALL \
#     -v garita-state:/var/lib/garita -v "$PWD/site:/etc/garita:ro" -p 8088:8088 garita
#
# `site` holds checkpoint.yaml, with `state_dir: /var/lib/garita` and, for -p to reach it,
# `http: {host: 0.0.0.0}`. A bound folder instead of the volume belongs to uid 10001.
#
# Any Debian or python:*-slim fits: --build-arg BASE=debian:bookworm-slim
ARG BASE=python:3.11-slim-bookworm

# The console's page is built with PyPI's Node, and nothing of that gets into the image.
FROM ${BASE} AS page
RUN python3 -c 'import ensurepip, venv' \
 || { apt-get update && apt-get install -y --no-install-recommends python3 python3-venv; }
WORKDIR /opt/garita
COPY requirements-page.txt .
RUN python3 -m venv .venv \
 && .venv/bin/python -m pip install --no-cache-dir --require-hashes -r requirements-page.txt
COPY edge edge
RUN .venv/bin/python -c 'from edge.console.build import build; build(print)'

FROM ${BASE}

# libgl1, libglib2.0-0: opencv-python links them. mosquitto: for `broker: auto`. Python: only
# where the base brings none. Nothing here draws: Mesa's drivers, 160 MB behind libgl1, stay out.
# hadolint ignore=DL3008 # a pinned Debian version disappears from the mirrors with the next mend
RUN printf 'path-exclude /usr/lib/*/%s\n' 'dri/*' 'libLLVM*' 'libz3*' >/etc/dpkg/dpkg.cfg.d/garita \
 && apt-get update \
 && apt-get install -y --no-install-recommends libgl1 libglib2.0-0 mosquitto tini \
 && { python3 -c 'import ensurepip, venv' \
      || apt-get install -y --no-install-recommends python3 python3-venv; } \
 && apt-get clean \
 && rm -rf /var/lib/apt/lists/*

WORKDIR /opt/garita
COPY requirements.txt .
# pip itself is not wanted any more once it has installed the rest.
RUN python3 -m venv .venv \
 && .venv/bin/python -m pip install --no-cache-dir --require-hashes -r requirements.txt \
 && .venv/bin/python -c 'import cv2' \
 && .venv/bin/python -m pip uninstall -qy setuptools pip

COPY fusion fusion
COPY drivers drivers
COPY simulators simulators
COPY edge edge
COPY --from=page /opt/garita/edge/console/web/dist edge/console/web/dist
COPY configs configs

# One kind of processor for the cache, so that the kernels compiled here fit wherever this runs.
ENV PYTHONPATH=/opt/garita \
    PYTHONDONTWRITEBYTECODE=1 \
    NUMBA_CPU_NAME=generic \
    NUMBA_CACHE_DIR=/opt/garita/kernel-cache
# /run/garita is open to all: a tmpfs put over it belongs to root and takes on its mode.
RUN .venv/bin/python -m compileall -q fusion drivers simulators edge \
 && .venv/bin/python -P -m edge.station.warmup \
 && groupadd --gid 10001 garita \
 && useradd --uid 10001 --gid garita --no-create-home --shell /usr/sbin/nologin garita \
 && install -d -o garita -g garita -m 0750 /var/lib/garita \
 && install -d -m 1777 /run/garita

USER 10001:10001
VOLUME /var/lib/garita
EXPOSE 8088
STOPSIGNAL SIGTERM
# For the usual http.port. http.client, not urllib: it asks no proxy for what is on this machine.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
  CMD ["/opt/garita/.venv/bin/python", "-I", "-S", "-c", "import http.client as h; c = h.HTTPConnection('127.0.0.1', 8088, timeout=4); c.request('GET', '/healthz'); raise SystemExit(c.getresponse().status != 200)"]
ENTRYPOINT ["tini", "--", "/opt/garita/configs/deploy/entrypoint.sh"]
CMD ["run", "--config", "/etc/garita/checkpoint.yaml"]
