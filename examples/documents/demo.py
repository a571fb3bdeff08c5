"""Runs the document pipeline in Python, Ruby and Java, shows what happens, and ends by itself.

    demo.py [DIRECTORY] [--output FOLDER] [--time-limit SECONDS] [--verbose] [--aws --lambda-role ARN]

Exit code 0: the report is there. 1: the run failed. 2: it could not be started.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from pipeline_run import LOCAL_LAMBDA_ROLE, LOOK_INTERVAL_S, PipelineRun
from pyflow.swf import make_client
from stack import HERE, ROOT, ProcessEnded, Stack, running_stack

DEFAULT_DIRECTORY = "/usr/share/common-licenses"


def main() -> int:
    options = _options()
    signal.signal(signal.SIGTERM, _interrupt)
    options.output.mkdir(parents=True, exist_ok=True)
    try:
        with (
            tempfile.TemporaryDirectory(prefix="pyflow-") as directory,
            running_stack(Path(directory), embedded_swf=not options.aws, show=options.verbose) as stack,
        ):
            return _run(stack, options)
    except ProcessEnded as error:
        print(f"The demo cannot go on: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Interrupted; everything that was started has been stopped.", file=sys.stderr)
        return 130


def _run(stack: Stack, options: argparse.Namespace) -> int:
    run = PipelineRun(
        stack,
        make_client(endpoint_url=stack.endpoint),
        directory=options.directory,
        output=options.output,
        time_limit_s=options.time_limit,
        lambda_role=options.lambda_role or LOCAL_LAMBDA_ROLE,
    )
    started = time.monotonic()
    while run.close_event is None:
        stack.check()
        for line in run.look():
            print(f"{time.monotonic() - started:5.1f} s  {line}", flush=True)
        time.sleep(LOOK_INTERVAL_S)
    return _tell_end(run.close_event)


def _tell_end(close_event: dict[str, Any]) -> int:
    kind = close_event["eventType"]
    attributes = close_event.get(f"{kind[0].lower()}{kind[1:]}EventAttributes", {})
    if kind == "WorkflowExecutionCompleted":
        found = json.loads(attributes["result"])
        print(
            f"\n{found['documents']} documents, {found['duplicates']} pairs of near-duplicates,"
            f" {found['failed']} failed.\nReport: {found['report']}"
        )
        return 0
    reason = attributes.get("details") or attributes.get("reason") or "no reason given"
    print(f"\nThe run did not succeed ({kind}): {reason}", file=sys.stderr)
    return 1


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="demo.py", description="Indexes text files, in three languages.")
    parser.add_argument("directory", nargs="?", type=Path, default=Path(DEFAULT_DIRECTORY), help="text files to index")
    parser.add_argument("--output", type=Path, default=ROOT / "build/documents", help="where report.html goes")
    parser.add_argument("--time-limit", type=int, default=55, metavar="SECONDS", help="the run's own timer")
    parser.add_argument("--verbose", action="store_true", help="show the output of every process")
    parser.add_argument("--aws", action="store_true", help="use Amazon SWF as configured, not the embedded SWF")
    parser.add_argument("--lambda-role", metavar="ARN", help="with --aws: the role that may invoke detect_language")
    options = parser.parse_args()
    if options.aws and not options.lambda_role:
        parser.error("--aws needs --lambda-role: Amazon SWF invokes detect_language with it")
    if not (HERE / "java/target/fingerprints.jar").exists():
        print("The Java worker is not built: run `make setup` first.", file=sys.stderr)
        raise SystemExit(2)
    return options


if __name__ == "__main__":
    sys.exit(main())
