"""Mistakes that a type checker must find: each line with a mistake ends in the error it must give."""

import pyflow


class Wrong(pyflow.Workflow):
    NAME = "Wrong"

    tax = pyflow.LambdaDescriptor("tax", returns=int)
    charge = pyflow.ActivityDescriptor("charge")  # E: call-overload
    pack = pyflow.ChildWorkflowDescriptor("Pack", "1.0", tag_lists=["a"])  # E: call-overload

    def run(self, given: str) -> str:
        self.swf.sleeep(1)  # E: attr-defined
        self.swf.invoke_once(len, 5).result()  # E: arg-type
        self.swf.spawn(self.count, "a", "b")  # E: call-overload
        pyflow.RetryPolicy(attempts=3)  # E: call-arg
        return self.tax(given).result()  # E: return-value

    def count(self, text: str, by: int) -> int:
        return len(text) * by
