# Builds from the checkout alone: hash-locked requirements, then the wheel of this code.
# `--build-arg LOCK=research` adds what sweeps and the compiled backtests need, with the machine code made.
ARG PYTHON_IMAGE=python:3.13-slim

FROM ${PYTHON_IMAGE} AS build
ARG LOCK=base
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /build
# The environment has no pip of its own: what is not needed to trade is not in the image.
RUN python -m venv --without-pip /app/env
COPY requirements/base.lock requirements/research.lock requirements/build.lock requirements/
RUN pip install --no-cache-dir --require-hashes --only-binary=:all: --no-deps -r requirements/build.lock \
    && pip --python /app/env/bin/python install --no-cache-dir --require-hashes --only-binary=:all: --no-deps -r "requirements/${LOCK}.lock"
COPY pyproject.toml README.md LICENSE ./
COPY bot bot
RUN pip wheel --no-cache-dir --no-deps --no-build-isolation --wheel-dir dist . \
    && pip --python /app/env/bin/python install --no-cache-dir --no-deps --no-index dist/*.whl \
    && if [ "${LOCK}" = research ]; then /app/env/bin/ringfence warmup; fi

FROM ${PYTHON_IMAGE}
LABEL org.opencontainers.image.title="Ringfence" \
      org.opencontainers.image.description="A perpetual-futures trading bot that manages the isolated margin of open positions" \
      org.opencontainers.image.licenses="Apache-2.0"
# One thread per numeric library: the arrays are small, and on a host of many cores their pools
# would reach the limit on processes.
ENV PATH=/app/env/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    OPENBLAS_NUM_THREADS=1 \
    POLARS_MAX_THREADS=1 \
    RINGFENCE__RUN__DB=/data/paper.db
RUN groupadd --gid 1000 ringfence \
    && useradd --uid 1000 --gid 1000 --no-create-home --home-dir /data --shell /usr/sbin/nologin ringfence \
    && install --directory --owner=1000 --group=1000 --mode=0700 /data
COPY --from=build /app/env /app/env
COPY strategies /app/strategies
COPY config /app/config
WORKDIR /app
# Nothing outside this volume is written, so the root file system may be read-only.
VOLUME ["/data"]
USER 1000:1000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=10s --start-period=30s --retries=3 CMD ["ringfence", "doctor", "--live"]
ENTRYPOINT ["ringfence"]
CMD ["trade", "--headless", "--db", "/data/paper.db"]
