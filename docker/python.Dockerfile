# The images of what is written in Python, each a target of this file: swf, decider, host.
# Python's packages come from the folder of wheels that scripts/images fills; no registry is asked.
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

FROM ${BASE} AS runtime
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

# The embedded SWF. Lambda functions are Python modules in /app; the data file lies in /data.
#   docker run -p 8042:8042 -v "$PWD:/app:ro" pyflow-swf:local --lambda NAME=module:function
# It takes requests of everybody who can reach it: keep it on a private network.
FROM runtime AS swf
EXPOSE 8042
ENTRYPOINT ["pyflow", "dev", "--host", "0.0.0.0", "--insecure", "--data", "/data/swf.db"]

# A decider. Workflow modules lie in /app; SWF is found by the AWS_... variables.
#   docker run -v "$PWD:/app:ro" -e AWS_REGION=... pyflow-decider:local MODULE:CLASS --domain DOMAIN --task-list LIST
FROM runtime AS decider
ENTRYPOINT ["pyflow", "decider"]
CMD ["--help"]

# An activity host, and Python workers, which it can start itself. Activity modules lie in /app, task-token keys in /data.
#   docker run -p 7233:7233 pyflow-host:local --domain DOMAIN --listen 0.0.0.0:7233 ...
FROM runtime AS host
ENV XDG_STATE_HOME=/data
EXPOSE 7233
ENTRYPOINT ["pyflow", "host"]
CMD ["--help"]
