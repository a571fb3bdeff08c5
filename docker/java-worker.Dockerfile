# A Java worker, by default with the activity of examples/documents. Other activities: mount a jar and name it.
#   docker run pyflow-java-worker:local --host HOST:7233 --task-list documents-java
#   docker run -v "$PWD:/mine:ro" --entrypoint java pyflow-java-worker:local -jar /mine/worker.jar --host ...
ARG BASE=debian:bookworm-slim
FROM ${BASE}
RUN apt-get update \
 && apt-get install --yes --no-install-recommends ca-certificates openjdk-17-jre-headless \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --create-home --uid 10001 pyflow
COPY fingerprints.jar /app/
USER pyflow
WORKDIR /app
ENTRYPOINT ["java", "-jar", "fingerprints.jar"]
