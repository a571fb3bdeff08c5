"""The whole house in containers on a network of their own: embedded SWF, decider, host, workers in three languages."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

from pyflow.swf import ensure_domain, make_client
from stack import DOMAIN, ProcessEnded
from testcontainers.core.container import DockerContainer
from testcontainers.core.network import Network

EXAMPLE = Path(__file__).parents[2] / "examples/documents"
TAG = "local"
SWF_PORT = 8042
HOST_PORT = 7233
READY_TIMEOUT_S = 60.0
LINES_TOLD = 30
LOOK_INTERVAL_S = 0.2

SWF_CLIENT = {
    "AWS_ENDPOINT_URL_SWF": f"http://swf:{SWF_PORT}",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "made-up",
    "AWS_SECRET_ACCESS_KEY": "made-up",
    "AWS_EC2_METADATA_DISABLED": "true",
}
"""Another machine's endpoint needs credentials by AWS's rules; the embedded SWF takes any."""
WORKER = {"PYFLOW_HOST_ADDRESS": f"host:{HOST_PORT}", "PYFLOW_HOST_INSECURE": "1"}
"""The network is private, so that gRPC goes over it in plaintext."""


class Part:
    """One container by the name that the others find it under."""

    def __init__(self, name: str, container: DockerContainer) -> None:
        self.name = name
        self.container = container

    @property
    def output(self) -> str:
        out, err = self.container.get_logs()
        return (out + err).decode("utf-8", "replace")

    @property
    def ended(self) -> bool:
        wrapped = self.container.get_wrapped_container()
        wrapped.reload()
        return bool(wrapped.status == "exited")

    def story(self, what: str) -> str:
        last = "\n".join(f"    {line}" for line in self.output.splitlines()[-LINES_TOLD:])
        return f"container {self.name} {what}. Its last lines:\n{last}"


class ContainerStack:
    """All containers of one run; started one after the other, removed whatever happens."""

    def __init__(self, documents: Path, output: Path) -> None:
        self.processes: dict[str, Part] = {}
        self._documents = documents
        self._output = output
        self._undo = contextlib.ExitStack()

    def start(self) -> None:
        """Start everything and wait until SWF serves; the others wait for each other by themselves."""
        network = self._undo.enter_context(Network())
        swf = self._new("swf", network, "--lambda detect_language=functions:detect_language")
        swf.with_exposed_ports(SWF_PORT)
        self._start("swf", swf)
        self._wait_for("swf", "SWF endpoint: ")
        self.endpoint = f"http://127.0.0.1:{swf.get_exposed_port(SWF_PORT)}"
        ensure_domain(make_client(endpoint_url=self.endpoint), DOMAIN)

        classes = "pipeline:DocumentPipeline pipeline:IndexDocument"
        decider = self._new("decider", network, f"{classes} --domain {DOMAIN} --task-list documents")
        self._start("decider", decider.with_envs(**SWF_CLIENT))
        python_worker = "pyflow worker activities --task-list documents-python"
        command = f"--domain {DOMAIN} --listen 0.0.0.0:{HOST_PORT} --insecure --worker '{python_worker}'"
        host = self._with_files(self._new("host", network, command))
        self._start("host", host.with_envs(**SWF_CLIENT, PYFLOW_HOST_INSECURE="1"))
        for language in ("ruby", "java"):
            worker = self._new(f"{language}-worker", network, f"--task-list documents-{language}", example=False)
            self._start(f"{language}-worker", self._with_files(worker).with_envs(**WORKER))

    def check(self) -> None:
        """Raises ProcessEnded if a container has ended that should be running."""
        for part in self.processes.values():
            if part.ended:
                raise ProcessEnded(part.story("ended"))

    def stop(self) -> None:
        """Remove every container and the network."""
        self._undo.close()

    def _new(self, name: str, network: Network, command: str, *, example: bool = True) -> DockerContainer:
        container = DockerContainer(f"pyflow-{name}:{TAG}").with_network(network).with_network_aliases(name)
        if example:
            container.with_volume_mapping(str(EXAMPLE), "/app", "ro")
        return container.with_command(command)

    def _with_files(self, container: DockerContainer) -> DockerContainer:
        container.with_volume_mapping(str(self._documents), "/documents", "ro")
        return container.with_volume_mapping(str(self._output), "/output", "rw")

    def _start(self, name: str, container: DockerContainer) -> None:
        self._undo.callback(container.stop)
        self.processes[name] = Part(name, container.start())

    def _wait_for(self, name: str, words: str) -> None:
        until_s = time.monotonic() + READY_TIMEOUT_S
        part = self.processes[name]
        while words not in part.output:
            self.check()
            if time.monotonic() > until_s:
                raise ProcessEnded(part.story(f"did not say {words!r} within {READY_TIMEOUT_S} s"))
            time.sleep(LOOK_INTERVAL_S)


@contextlib.contextmanager
def running_containers(documents: Path, output: Path) -> Iterator[ContainerStack]:
    """A stack that is removed whatever happens."""
    stack = ContainerStack(documents, output)
    try:
        stack.start()
        yield stack
    finally:
        stack.stop()
