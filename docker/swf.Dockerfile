# The embedded SWF. Lambda functions are Python modules in /app; the data file lies in /data.
#   docker run -p 8042:8042 -v "$PWD:/app:ro" pyflow-swf:local --lambda NAME=module:function
# It takes requests of everybody who can reach it: keep it on a private network.
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
EXPOSE 8042
ENTRYPOINT ["pyflow", "dev", "--host", "0.0.0.0", "--insecure", "--data", "/data/swf.db"]
