"""One run of the pipeline seen from outside: start it, follow it, publish it, learn how it ended."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyflow
from progress import Progress
from stack import DECIDER_TASK_LIST, DOMAIN, ProcessEnded, Stack

REGISTRATION_TIMEOUT_S = 30
LOOK_INTERVAL_S = 0.2
TYPES = {"DocumentPipeline", "IndexDocument", "extract_words", "fingerprint", "summarise"}
LOCAL_LAMBDA_ROLE = "arn:aws:iam::123456789012:role/local"  # the embedded SWF asks for one, as Amazon SWF does


class PipelineRun:
    """Started by the constructor, which waits until decider and workers have registered their types."""

    def __init__(
        self,
        stack: Stack,
        swf: Any,
        *,
        directory: Path,
        output: Path,
        time_limit_s: int,
        lambda_role: str = LOCAL_LAMBDA_ROLE,
    ) -> None:
        self._swf = swf
        job = {"directory": str(directory.resolve()), "output": str(output.resolve()), "time_limit_s": time_limit_s}
        execution = self._start(stack, json.dumps(job), lambda_role)
        self.workflow_id: str = execution["workflowId"]
        self.run_id: str = execution["runId"]
        self.progress = Progress(swf, DOMAIN, self.workflow_id, self.run_id)
        self._published = False

    @property
    def close_event(self) -> dict[str, Any] | None:
        return self.progress.close_event

    def look(self) -> Iterator[str]:
        """Lines for what is new; sends the signal `publish` once every document is indexed."""
        yield from self.progress.news()
        all_done = self.progress.all_listed and self.progress.documents_done == self.progress.documents
        if all_done and not self._published:
            self._swf.signal_workflow_execution(domain=DOMAIN, workflowId=self.workflow_id, signalName="publish")
            self._published = True

    def _start(self, stack: Stack, job: str, lambda_role: str) -> dict[str, Any]:
        deadline = time.monotonic() + REGISTRATION_TIMEOUT_S
        while missing := self._missing_types():
            stack.check()
            if time.monotonic() > deadline:
                stories = "\n".join(stack.processes[name].story("so far") for name in stack.processes)
                raise ProcessEnded(f"nobody registered {', '.join(sorted(missing))}.\n{stories}")
            time.sleep(LOOK_INTERVAL_S)
        return pyflow.start_workflow(
            domain=DOMAIN,
            workflow_name="DocumentPipeline",
            workflow_version="1.0",
            task_list=DECIDER_TASK_LIST,
            lambda_role=lambda_role,
            input=job,
            client=self._swf,
        )

    def _missing_types(self) -> set[str]:
        """Types of the pipeline that SWF does not know yet."""
        registered: dict[str, Any] = {"domain": DOMAIN, "registrationStatus": "REGISTERED"}
        try:
            activities = self._swf.list_activity_types(**registered)["typeInfos"]
            workflows = self._swf.list_workflow_types(**registered)["typeInfos"]
        except self._swf.exceptions.UnknownResourceFault:
            return {f"domain {DOMAIN}"}
        known = {info["activityType"]["name"] for info in activities}
        return (TYPES - known) - {info["workflowType"]["name"] for info in workflows}
