"""WorkflowEnvironment: runs whole workflows in a test, in one thread, on the embedded SWF's engine, skipping time.

A year of timers takes milliseconds; every timeout is exact; nothing sleeps and nothing is mocked but the functions
that stand in for Lambdas and activities.
"""

from __future__ import annotations

import heapq
import inspect
import json
import traceback
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, TypeAlias

from pyflow_local.engine.limits import Quotas
from pyflow_local.engine.values import LambdaInvocation, LambdaOutcome

from pyflow import payloads
from pyflow.core.execution import Execution
from pyflow.core.hub import GreenletPool
from pyflow.core.values import Decision, Event, ExecutionSettings
from pyflow.exceptions import FAILURE_MARK, PyflowException
from pyflow.options import duration_text
from pyflow.testing.clockwork import Clockwork, SwfFault
from pyflow.testing.handle import DOMAIN, WorkflowHandle
from pyflow.workflow import Workflow

__all__ = ["ActivityCanceled", "Fails", "HeldError", "Never", "Takes", "WorkflowEnvironment", "WorkflowHandle"]

Task: TypeAlias = "dict[str, Any]"
Answer: TypeAlias = "tuple[list[Decision], str | None]"
Decide: TypeAlias = "Callable[[Task], Answer | None]"
"""Decides a task; None loses it, as a decider that dies would: it times out."""

DECIDER_TASK_LIST = "decider"
ACTIVITY_TASK_LIST = "activities"
LAMBDA_ROLE = "arn:aws:iam::123456789012:role/test"
STEPS_MAX = 1_000_000
"""Tasks one call may work off; a workflow that never ends would go on for ever."""


class HeldError(PyflowException):
    """The decider holds an execution: its message says why."""


@dataclass(frozen=True, slots=True)
class Takes:
    """What a stand-in gives to say: this takes so many seconds of workflow time, then it is ``value``."""

    seconds: float
    value: Any = None


class Never:
    """What a stand-in gives (the class itself) to say: no answer ever comes. Its timeouts decide."""


class Fails(Exception):
    """Raised by a stand-in: the exact reason and details to fail with."""

    def __init__(self, reason: str, details: str | None = None) -> None:
        super().__init__(reason, details)
        self.reason = reason
        self.details = details


class ActivityCanceled(Exception):
    """Raised by a stand-in: the activity reports that it was canceled."""


class WorkflowEnvironment:
    """A domain with deciders and stand-ins for everything else.

    ``lambdas`` and ``activities`` map names to Python functions. They take the input as the real ones would: a JSON
    object as keyword arguments if the function has such parameters, else one value. They give the result, ``Takes``,
    or ``Never``; what they raise is the failure.

    >>> with WorkflowEnvironment([Order], activities={"charge": lambda order: "paid"}) as env:
    ...     assert env.run(Order, {"id": 7}) == "paid"
    """

    def __init__(
        self,
        workflows: Iterable[type[Workflow]],
        *,
        lambdas: Mapping[str, Callable[..., Any]] | None = None,
        activities: Mapping[str, Callable[..., Any]] | None = None,
        activity_versions: Iterable[str] = ("1.0",),
        settings: ExecutionSettings | None = None,
        cached: bool = True,
        decide: Decide | None = None,
        quotas: Quotas | None = None,
    ) -> None:
        self.swf = Clockwork(quotas=quotas)
        self._classes = {(cls.NAME, cls.VERSION): cls for cls in workflows}
        self._lambdas = dict(lambdas or {})
        self._activities = dict(activities or {})
        self._settings = settings or ExecutionSettings()
        self._cached = cached
        self._decide = decide or self.decide
        self._pool = GreenletPool()
        self._executions: dict[str, Execution] = {}
        self._polls: dict[int, tuple[str, str]] = {}
        self._later: list[tuple[int, int, Callable[[], None]]] = []
        self._laters = 0
        self._started = 0
        self._register(activity_versions)

    def __enter__(self) -> WorkflowEnvironment:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Unwind what is parked."""
        for execution in self._executions.values():
            execution.evict()
        self._executions.clear()
        self._pool.close()
        self.swf.close()

    def decode(self, text: str | None) -> str | None:
        """A payload text as its sender wrote it."""
        decode = self._settings.payload_decode
        return decode(text) if decode is not None and text is not None else text

    # ---- what tests do

    def start(
        self, workflow: type[Workflow], input: Any = None, *, workflow_id: str | None = None, **options: Any
    ) -> WorkflowHandle:
        """Start an execution. ``options`` are StartWorkflowExecution's own members."""
        self._started += 1
        workflow_id = workflow_id or f"{workflow.NAME}-{self._started}"
        body = {"lambdaRole": LAMBDA_ROLE, **options}
        if input is not None:
            body["input"] = payloads.to_json(input)
        reply = self.swf.call(
            "StartWorkflowExecution",
            domain=DOMAIN,
            workflowId=workflow_id,
            workflowType={"name": workflow.NAME, "version": workflow.VERSION},
            **body,
        )
        return WorkflowHandle(self, workflow_id, reply["runId"])

    def run(self, workflow: type[Workflow], input: Any = None, **options: Any) -> Any:
        """Start an execution, skip time until it closes, and give its result (or raise).

        A run that continues as new is followed into the next one.
        """
        handle = self.start(workflow, input, **options)
        self.run_until_closed(handle)
        while handle.close_status == "ContinuedAsNew":
            handle = handle.next_run()
            self.run_until_closed(handle)
        return handle.result()

    def run_until_closed(self, handle: WorkflowHandle) -> None:
        """Skip time until the execution is closed."""
        self.settle()
        while handle.close_event is None:
            due = self._next_due_ms()
            if due is None:
                raise PyflowException(f"{handle.workflow_id} waits for something that never comes")
            self._move_to(due)
            self.settle()

    def skip(self, seconds: float) -> None:
        """Let so much time pass; everything due meanwhile happens at its own time."""
        self.settle()
        end_ms = self.swf.now_ms + int(seconds * 1000)
        while True:
            due = self._next_due_ms()
            if due is None or due > end_ms:
                break
            self._move_to(due)
            self.settle()
        self.swf.move_to(end_ms)

    def settle(self) -> None:
        """Work off all tasks that are there, without letting time pass."""
        for _ in range(STEPS_MAX):
            self._poll("PollForDecisionTask", DECIDER_TASK_LIST)
            self._poll("PollForActivityTask", ACTIVITY_TASK_LIST)
            answer = self.swf.take_answer()
            if answer is not None:
                self._work(*answer)
            elif self.swf.invocations:
                self._invoke(self.swf.invocations.popleft())
            else:
                return
        raise PyflowException(f"{STEPS_MAX:,} tasks without coming to rest")

    def history(self, workflow_id: str, run_id: str) -> list[Event]:
        """All events of an execution."""
        events: list[Event] = []
        more: dict[str, Any] = {}
        while True:
            page = self.swf.call(
                "GetWorkflowExecutionHistory",
                domain=DOMAIN,
                execution={"workflowId": workflow_id, "runId": run_id},
                **more,
            )
            events += page["events"]
            if not page.get("nextPageToken"):
                return events
            more = {"nextPageToken": page["nextPageToken"]}

    def waiting_at(self, run_id: str) -> list[str]:
        """Where the code of an execution is parked: ``file.py:12``, oldest branch first."""
        execution = self._executions.get(run_id)
        return execution.waiting_at() if execution is not None else []

    def forget(self) -> None:
        """Drop all parked executions, as a restart of the decider would."""
        for execution in self._executions.values():
            execution.evict()
        self._executions.clear()

    def pass_time(self, seconds: float) -> None:
        """Let time pass in the middle of a decision: for ``decide`` functions of tests."""
        end_ms = self.swf.now_ms + int(seconds * 1000)
        while (due := self._next_due_ms()) is not None and due <= end_ms:
            self._move_to(due)
        self.swf.move_to(end_ms)

    # ---- deciding

    def decide(self, task: Task) -> Answer:
        """The decider of this environment: decisions and execution context for a task with its whole history."""
        execution = self.execution(task)
        advance = execution.advance(
            task["events"],
            previous_started_event_id=task["previousStartedEventId"],
            started_event_id=task["startedEventId"],
        )
        if advance.held is not None:
            self._executions.pop(task["workflowExecution"]["runId"], None)
            execution.evict()
            raise HeldError(advance.held.message)
        return advance.decisions, advance.execution_context

    def execution(self, task: Task) -> Execution:
        """The parked execution of a task, or a fresh one."""
        run_id = task["workflowExecution"]["runId"]
        execution = self._executions.get(run_id)
        if execution is not None and (
            not self._cached or execution.last_started_event_id != task["previousStartedEventId"]
        ):
            execution.evict()
            execution = None
        if execution is None:
            kind = (task["workflowType"]["name"], task["workflowType"]["version"])
            execution = self._executions[run_id] = Execution(
                self._classes[kind],
                domain=DOMAIN,
                workflow_id=task["workflowExecution"]["workflowId"],
                run_id=run_id,
                workflow_type=kind,
                settings=self._settings,
                pool=self._pool,
            )
        return execution

    # ---- inside

    def _register(self, activity_versions: Iterable[str]) -> None:
        self.swf.call("RegisterDomain", name=DOMAIN, workflowExecutionRetentionPeriodInDays="90")
        for cls in self._classes.values():
            options = {name: _text(value) for name, value in cls(None).options.items()}
            self.swf.call(
                "RegisterWorkflowType",
                domain=DOMAIN,
                name=cls.NAME,
                version=cls.VERSION,
                defaultTaskList={"name": DECIDER_TASK_LIST},
                **options,
            )
        for name in self._activities:
            for version in activity_versions:
                self.swf.call(
                    "RegisterActivityType",
                    domain=DOMAIN,
                    name=name,
                    version=version,
                    defaultTaskList={"name": ACTIVITY_TASK_LIST},
                    defaultTaskScheduleToStartTimeout="NONE",
                    defaultTaskScheduleToCloseTimeout="NONE",
                    defaultTaskStartToCloseTimeout="3600",
                    defaultTaskHeartbeatTimeout="NONE",
                )

    def _poll(self, operation: str, task_list: str) -> None:
        if (operation, task_list) not in self._polls.values():
            ident = self.swf.begin(operation, domain=DOMAIN, taskList={"name": task_list})
            self._polls[ident] = (operation, task_list)

    def _work(self, ident: int, reply: Task) -> None:
        operation, task_list = self._polls.pop(ident)
        if not reply.get("taskToken"):
            return
        if operation == "PollForActivityTask":
            self._perform(reply)
            return
        while reply.get("nextPageToken"):
            page = self.swf.call(
                operation, domain=DOMAIN, taskList={"name": task_list}, nextPageToken=reply["nextPageToken"]
            )
            page["events"] = reply["events"] + page["events"]
            reply = page
        answer = self._decide(reply)
        if answer is None:
            return
        decisions, context = answer
        self._watch_task_lists(decisions)
        more = {} if context is None else {"executionContext": context}
        self.swf.call("RespondDecisionTaskCompleted", taskToken=reply["taskToken"], decisions=decisions, **more)

    def _watch_task_lists(self, decisions: Iterable[Decision]) -> None:
        for decision in decisions:
            for member, operation in (
                ("scheduleActivityTaskDecisionAttributes", "PollForActivityTask"),
                ("startChildWorkflowExecutionDecisionAttributes", "PollForDecisionTask"),
            ):
                named = decision.get(member, {}).get("taskList")
                if named:
                    self._poll(operation, named["name"])

    def _next_due_ms(self) -> int | None:
        times = [time for time in (self.swf.next_due_ms(), self._later[0][0] if self._later else None) if time]
        return min(times) if times else None

    def _move_to(self, due_ms: int) -> None:
        self.swf.move_to(due_ms)
        while self._later and self._later[0][0] <= self.swf.now_ms:
            heapq.heappop(self._later)[2]()

    def _after(self, seconds: float, then: Callable[[], None]) -> None:
        self._laters += 1
        heapq.heappush(self._later, (self.swf.now_ms + int(seconds * 1000), self._laters, then))

    # ---- stand-ins

    def _perform(self, task: Task) -> None:
        token = task["taskToken"]
        try:
            value = _call(self._activities[task["activityType"]["name"]], self.decode(task.get("input")))
        except ActivityCanceled as error:
            self._respond("RespondActivityTaskCanceled", token, details=str(error))
        except Fails as error:
            more = {} if error.details is None else {"details": error.details}
            self._respond("RespondActivityTaskFailed", token, reason=error.reason, **more)
        except Exception as error:
            self._respond("RespondActivityTaskFailed", token, reason=type(error).__name__, details=_failure(error))
        else:
            self._finish(value, lambda result: self._respond("RespondActivityTaskCompleted", token, result=result))

    def _finish(self, value: Any, report: Callable[[str], None]) -> None:
        if value is Never:
            return
        if isinstance(value, Takes):
            text = payloads.to_json(value.value)
            self._after(value.seconds, lambda: report(text))
        else:
            report(payloads.to_json(value))

    def _respond(self, operation: str, token: str, **members: Any) -> None:
        try:
            self.swf.call(operation, taskToken=token, **members)
        except SwfFault as fault:
            if fault.code != "UnknownResourceFault":  # the task had ended meanwhile: as in life, too late
                raise

    def _invoke(self, invocation: LambdaInvocation) -> None:
        function = self._lambdas.get(invocation.name)
        if function is None:
            outcome = LambdaOutcome(reason="ResourceNotFoundException", details=f"no function {invocation.name}")
            self.swf.end_lambda(invocation, outcome)
            return
        try:
            value = _call(function, self.decode(invocation.payload))
        except Fails as error:
            self.swf.end_lambda(invocation, LambdaOutcome(reason=error.reason, details=error.details))
        except Exception as error:
            details = json.dumps({"errorType": type(error).__name__, "errorMessage": str(error)})
            self.swf.end_lambda(invocation, LambdaOutcome(reason="UnhandledError", details=details))
        else:
            self._finish(value, lambda result: self.swf.end_lambda(invocation, LambdaOutcome(result=result)))


def _text(value: Any) -> Any:
    return value if isinstance(value, dict | str) else duration_text(value)


def _call(function: Callable[..., Any], text: str | None) -> Any:
    value = payloads.from_json(text) if text else None
    if text is None or (value == {} and not inspect.signature(function).parameters):
        return function()
    if isinstance(value, dict):
        try:
            inspect.signature(function).bind(**value)
        except TypeError:
            return function(value)
        return function(**value)
    return function(value)


def _failure(error: BaseException) -> str:
    """A failure as the activity host writes it into details."""

    def link(each: BaseException | None) -> dict[str, Any] | None:
        if each is None:
            return None
        return {
            "type": type(each).__name__,
            "message": str(each),
            "stack_trace": "".join(traceback.format_tb(each.__traceback__)),
            "cause": link(each.__cause__),
            "details": None,
            "non_retryable": bool(getattr(each, "non_retryable", False)),
            "next_retry_delay_s": getattr(each, "next_retry_delay_s", None),
            "source_language": "python",
        }

    return json.dumps({FAILURE_MARK: 1, **(link(error) or {})})
