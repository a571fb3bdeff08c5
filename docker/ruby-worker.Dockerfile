# A Ruby worker, by default with the activity of examples/documents. Other activities: mount a file and name it.
#   docker run pyflow-ruby-worker:local --host HOST:7233 --task-list documents-ruby
#   docker run -v "$PWD:/mine:ro" --entrypoint pyflow-activity pyflow-ruby-worker:local /mine/file.rb --host ...
ARG BASE=debian:bookworm-slim
FROM ${BASE}
RUN apt-get update \
 && apt-get install --yes --no-install-recommends ca-certificates ruby ruby-google-protobuf ruby-grpc \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --create-home --uid 10001 pyflow
COPY sdk_ruby /opt/pyflow-ruby
COPY words.rb /app/
ENV RUBYLIB=/opt/pyflow-ruby/lib PATH=/opt/pyflow-ruby/exe:$PATH
USER pyflow
WORKDIR /app
ENTRYPOINT ["pyflow-activity", "words.rb"]
