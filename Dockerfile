# The job's image: Python, the job's packages and the job, all compiled; no pip, no compiler, no root.
# BASE is a Python 3.11 image by its digest; cloudbuild-job.yaml finds it out. By hand:
#   docker pull mirror.gcr.io/library/python:3.11-slim-bookworm
#   docker build --build-arg BASE="$(docker inspect --format='{{index .RepoDigests 0}}' mirror.gcr.io/library/python:3.11-slim-bookworm)" .
ARG BASE

FROM ${BASE} AS build
ARG BASE
RUN case "$BASE" in *@sha256:*) ;; *) echo "BASE must name an image by its digest: …@sha256:…" >&2; exit 1 ;; esac
ENV PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /app
COPY deploy/image/runtime.sh requirements-job.txt /build/
COPY main.py /app/
COPY job /app/job/
COPY shared /app/shared/
RUN /build/runtime.sh /usr/local/bin/python3 /build/requirements-job.txt /app \
    && chmod -R a+rX,go-w /app
# What installs and builds goes, and what nothing imports without it. The official image comes without compiled
# bytecode of the standard library: left so, every execution would compile what it imports of it.
RUN python3 -m pip uninstall --quiet --yes setuptools wheel pip \
    && cd /usr/local \
    && rm -rf bin/2to3* bin/idle* bin/pip* bin/pydoc* bin/*-config include lib/pkgconfig \
        lib/python3.11/config-* lib/python3.11/ensurepip lib/python3.11/idlelib lib/python3.11/lib2to3 \
        lib/python3.11/pydoc_data lib/python3.11/tkinter lib/python3.11/turtledemo /build ~/.cache /tmp/* \
    && python3 -m compileall -q -j 0 -x site-packages --invalidation-mode unchecked-hash lib/python3.11

# One layer, so that what was removed above is in none.
FROM scratch
COPY --from=build / /
ENV PATH=/usr/local/bin:/usr/bin:/bin LANG=C.UTF-8 PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /app
USER 65532:65532
ENTRYPOINT ["/usr/local/bin/python3", "/app/main.py"]
