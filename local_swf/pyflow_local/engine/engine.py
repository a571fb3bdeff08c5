"""The engine's face: one call for a request, one for the passing of time, one for everything they produced."""

from __future__ import annotations

from collections.abc import Callable

from pyflow_local.engine import activity_tasks, deciding, decision_tasks, executions, registry, visibility
from pyflow_local.engine.activity_tasks import EMPTY_ACTIVITY_POLL, match_activities, time_out_activity
from pyflow_local.engine.decision_tasks import (
    EMPTY_DECISION_POLL,
    match_decisions,
    schedule_decision,
    time_out_decision,
)
from pyflow_local.engine.entities import ActivityTask, DecisionTask, Execution, LambdaTask, Timer
from pyflow_local.engine.faults import ClosedRun, Fault
from pyflow_local.engine.lambda_tasks import end_lambda, time_out_lambda
from pyflow_local.engine.lifecycle import terminate_overlong, time_out_run
from pyflow_local.engine.operations import OPERATIONS
from pyflow_local.engine.tokens import run_id
from pyflow_local.engine.validation import check_request
from pyflow_local.engine.values import ClosedLookup, JsonObject, LambdaOutcome, Outbox, Outcome, Reply
from pyflow_local.engine.world import World

_Rule = Callable[[World, JsonObject], Outcome]
_Poll = Callable[[World, JsonObject, int], Outcome]
_TYPE_RULES: dict[str, Callable[[World, JsonObject, str], Outcome]] = {
    "Register": registry.register_type,
    "Describe": registry.describe_type,
    "Deprecate": registry.deprecate_type,
    "Undeprecate": registry.undeprecate_type,
    "Delete": registry.delete_type,
}


def _of_kind(rule: Callable[[World, JsonObject, str], Outcome], kind: str) -> _Rule:
    return lambda world, request: rule(world, request, kind)


RULES: dict[str, _Rule] = {
    "CountClosedWorkflowExecutions": visibility.count_closed_workflow_executions,
    "CountOpenWorkflowExecutions": visibility.count_open_workflow_executions,
    "CountPendingActivityTasks": visibility.count_pending_activity_tasks,
    "CountPendingDecisionTasks": visibility.count_pending_decision_tasks,
    "DeprecateDomain": registry.deprecate_domain,
    "DescribeDomain": registry.describe_domain,
    "DescribeWorkflowExecution": visibility.describe_workflow_execution,
    "GetWorkflowExecutionHistory": visibility.get_workflow_execution_history,
    "ListClosedWorkflowExecutions": visibility.list_closed_workflow_executions,
    "ListDomains": registry.list_domains,
    "ListOpenWorkflowExecutions": visibility.list_open_workflow_executions,
    "ListTagsForResource": registry.list_tags_for_resource,
    "RecordActivityTaskHeartbeat": activity_tasks.record_activity_task_heartbeat,
    "RegisterDomain": registry.register_domain,
    "RequestCancelWorkflowExecution": executions.request_cancel_workflow_execution,
    "RespondActivityTaskCanceled": activity_tasks.respond_activity_task_canceled,
    "RespondActivityTaskCompleted": activity_tasks.respond_activity_task_completed,
    "RespondActivityTaskFailed": activity_tasks.respond_activity_task_failed,
    "RespondDecisionTaskCompleted": deciding.respond_decision_task_completed,
    "SignalWorkflowExecution": executions.signal_workflow_execution,
    "StartWorkflowExecution": executions.start_workflow_execution,
    "TagResource": registry.tag_resource,
    "TerminateWorkflowExecution": executions.terminate_workflow_execution,
    "UndeprecateDomain": registry.undeprecate_domain,
    "UntagResource": registry.untag_resource,
}
for _kind in (registry.WORKFLOW, registry.ACTIVITY):
    for _verb, _rule in _TYPE_RULES.items():
        RULES[f"{_verb}{_kind}"] = _of_kind(_rule, _kind)
    RULES[f"List{_kind}s"] = _of_kind(registry.list_types, _kind)

POLLS: dict[str, tuple[_Poll, Reply]] = {
    "PollForDecisionTask": (decision_tasks.poll_for_decision_task, EMPTY_DECISION_POLL),
    "PollForActivityTask": (activity_tasks.poll_for_activity_task, EMPTY_ACTIVITY_POLL),
}


class Engine:
    """SWF's rules over a World. It does no I/O and reads no clock: `now_ms` is an argument everywhere."""

    def __init__(self, world: World) -> None:
        self.world = world

    def handle(self, operation: str, body: object, now_ms: int, poll: int = 0) -> Outcome:
        """Answer one request; `poll` names it, should it be a poll that has to wait.

        A refused request changes nothing. The reply must not leave before `drain().journal` is committed.
        """
        world = self.world
        world.set_clock(now_ms)
        try:
            if operation not in OPERATIONS:
                raise Fault("UnknownOperationException", f"Unknown operation {operation}")
            gate = world.gate
            if gate is not None:
                gate.admit(operation, world.now_ms)
            request = check_request(operation, body)
            if gate is not None:
                gate.admit_to_execution(world.secret, operation, request, world.now_ms)
            rule = RULES.get(operation)
            outcome = rule(world, request) if rule is not None else POLLS[operation][0](world, request, poll)
        except Fault as fault:
            return Reply(fault.status, fault.body())
        except ClosedRun as closed:
            return self._closed_run(closed.run)
        self._settle()
        return outcome

    def advance(self, now_ms: int) -> None:
        """Let everything that is due at `now_ms` happen."""
        world = self.world
        world.set_clock(now_ms)
        while (what := world.agenda.take_due(now_ms)) is not None:
            self._fall_due(what)
            self._settle()

    def next_due_ms(self) -> int | None:
        """When `advance` has something to do next."""
        return self.world.agenda.next_due_ms()

    def lambda_ended(self, run: int, scheduled_id: int, outcome: LambdaOutcome, now_ms: int) -> None:
        """Report how an invocation ended."""
        self.world.set_clock(now_ms)
        end_lambda(self.world, run, scheduled_id, outcome)
        self._settle()

    def drop_poll(self, poll: int) -> bool:
        """A waiting poll's connection is gone or its time is over; False if it no longer waited."""
        return self.world.forget_poll(poll)

    def drain(self) -> Outbox:
        """What was produced since the last call: commit the journal first, then answer, then invoke."""
        return self.world.drain()

    def _fall_due(self, what: object) -> None:
        world = self.world
        if isinstance(what, ActivityTask):
            time_out_activity(world, what)
        elif isinstance(what, DecisionTask):
            time_out_decision(world, what)
        elif isinstance(what, Timer):
            execution = what.execution
            assert execution.timers is not None
            del execution.timers[what.timer_id]
            world.emit(execution, "TimerFired", {"timerId": what.timer_id, "startedEventId": what.started_id})
            schedule_decision(world, execution)
        elif isinstance(what, LambdaTask):
            time_out_lambda(world, what)
        else:
            assert isinstance(what, Execution)
            time_out_run(world, what)

    def _settle(self) -> None:
        """Do what follows from a step: effects outside the execution, the event limit, handing out tasks."""
        world = self.world
        while world.effects or world.overlong:
            if world.effects:
                world.effects.popleft()()
            else:
                execution = world.overlong.pop()
                if execution.close_status is None:
                    terminate_overlong(world, execution)
        while world.dirty_decisions:
            match_decisions(world, world.dirty_decisions.pop())
        while world.dirty_activities:
            match_activities(world, world.dirty_activities.pop())

    def _closed_run(self, run: int) -> Outcome:
        named = run_id(self.world.secret, run)

        def finish(row: object) -> Reply:
            raise visibility.closed_run_fault(row, named)  # type: ignore[arg-type]

        return ClosedLookup(run, finish)
