# An activity host, and Python workers, which it can start itself. Activity modules lie in /app, task-token keys in /data.
#   docker run -p 7233:7233 pyflow-host:local --domain DOMAIN --listen 0.0.0.0:7233 ...
ARG BASE=debian:bookworm-slim

FROM ${BASE} AS build
RUN apt-get update \
 && apt-get install --yes --no-install-recommends python3 python3-venv \
 && rm -rf /var/lib/apt/lists/*
COPY requirements.lock /build/
COPY wheels /build/wheels
RUN python3 -m venv /opt/pyflow \
 && /opt/pyflow/bin/pip install --no-index --find-links /build/wheels --require-hashes -r /build/requirements.lock \
 && /opt/pyflow/bin/pip install --no-index --no-deps /build/wheels/pyflow_swf-*.whl

FROM ${BASE}
RUN apt-get update \
 && apt-get install --yes --no-install-recommends ca-certificates python3 \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --create-home --uid 10001 pyflow \
 && mkdir /app /data \
 && chown pyflow /data
COPY --from=build /opt/pyflow /opt/pyflow
ENV PATH=/opt/pyflow/bin:$PATH PYTHONUNBUFFERED=1
USER pyflow
WORKDIR /app
ENV XDG_STATE_HOME=/data
EXPOSE 7233
ENTRYPOINT ["pyflow", "host"]
CMD ["--help"]
