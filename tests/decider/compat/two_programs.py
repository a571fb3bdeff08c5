"""Workflows written for pyflow-swf 2.0.0, run unchanged by 2.0.0 and by this decider."""

import pyflow

LOOSE = {"defaultTaskStartToCloseTimeout": 60, "defaultExecutionStartToCloseTimeout": 36000}


class Steps(pyflow.Workflow):
    """Everything 2.0.0 could do, one thing after another."""

    NAME = "Steps"
    VERSION = "1.0"
    OPTIONS = LOOSE

    double = pyflow.LambdaDescriptor("double")
    flaky = pyflow.LambdaDescriptor("flaky", timeout=60)
    shout = pyflow.ActivityDescriptor("shout", "1.0", timeout=100)
    broken = pyflow.ActivityDescriptor("broken", "1.0")
    slow = pyflow.ActivityDescriptor("slow", "1.0")
    child = pyflow.ChildWorkflowDescriptor("Child", "1.0")

    def run(self, number):
        out = [self.double(number).result()]
        out.append(self.flaky(a=1, b=2).result())
        first, second = self.shout("a"), self.shout("b")
        done = self.swf.wait_for_all(first, second)
        out.append([future.result() for future in done])
        out.append(self.swf.invoke_once(lambda: "once").result())
        try:
            self.broken().result()
        except pyflow.InvocationFailedException as error:
            out.append(str(error))
        self.swf.sleep(30)
        kid = self.child(7)
        try:
            self.swf.timed_wait_for_all(5, self.slow("x"), self.slow("y"))
        except pyflow.WaitTimedOutException:
            out.append("too slow")
        done = self.swf.timed_wait_for_any(1000, self.double(1), kid)
        out.append(len(done))
        out.append(kid.result())
        try:
            self.swf.invoke_once(fails_once).result()
        except pyflow.InvocationFailedException as error:
            out.append(str(error).splitlines()[0])
        timer = self.swf.start_timer(2)
        out.append(self.double(out[0]).result())
        timer.result()
        out.append(self.swf.workflow_time().isoformat())
        return out


def fails_once():
    raise ValueError("on purpose")


class Child(pyflow.Workflow):
    NAME = "Child"
    VERSION = "1.0"
    OPTIONS = LOOSE

    double = pyflow.LambdaDescriptor("double")

    def run(self, number):
        self.swf.sleep(3)
        return self.double(number).result() + 1


class FanOut(pyflow.Workflow):
    """Several things under way at once, taken as they finish."""

    NAME = "FanOut"
    VERSION = "1.0"
    OPTIONS = LOOSE

    wait = pyflow.ActivityDescriptor("wait", "1.0")
    double = pyflow.LambdaDescriptor("double")

    def run(self, numbers):
        waiting = [self.wait(seconds) for seconds in numbers]
        order = []
        while waiting:
            done = self.swf.wait_for_any(waiting)
            waiting = [future for future in waiting if future not in done]
            for future in done:
                order.append(self.double(future.result()).result())
        self.swf.invoke_once(order.count, 0)
        deadline = self.swf.start_timer(50)
        self.swf.wait_for_any(deadline, self.swf.start_timer(1), self.double(3))
        return order


class Fails(pyflow.Workflow):
    NAME = "Fails"
    VERSION = "1.0"
    OPTIONS = LOOSE

    double = pyflow.LambdaDescriptor("double")

    def run(self, number):
        if self.double(number).result() == 4:
            raise pyflow.WorkflowFailedException("FOUR", "did not want four")
        return


class OnceBesideATimer(pyflow.Workflow):
    """invoke_once whose outcome is waited for, while a timer brings the next decision in any case."""

    NAME = "OnceBesideATimer"
    VERSION = "1.0"
    OPTIONS = LOOSE

    double = pyflow.LambdaDescriptor("double")

    def run(self, number):
        out = []
        for each in range(number):
            timer = self.swf.start_timer(5)
            out.append(self.swf.invoke_once(pow, 2, each).result())
            timer.result()
        try:
            timer = self.swf.start_timer(5)
            self.swf.invoke_once(fails_once).result()
        except pyflow.InvocationFailedException as error:
            out.append(str(error).splitlines()[0])
        return [out, self.double(sum(out[:-1])).result()]


WORKFLOWS = [Steps, Child, FanOut, Fails, OnceBesideATimer]
