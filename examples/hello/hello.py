"""The example of pyflow-swf's README: two Lambda functions called like methods, and a failure with a reason."""

import pyflow

DOMAIN = "SWFSampleDomain"
TASK_LIST = "my-workflow-tasklist"
LAMBDA_ROLE = "arn:aws:iam::528461152743:role/swf-lambda"


class MyWorkflow(pyflow.Workflow):
    NAME = "MyWorkflow"
    VERSION = "1.0"

    some_func = pyflow.LambdaDescriptor("some_lambda_func")
    other_func = pyflow.LambdaDescriptor("other_lambda_func")

    def run(self, input_arg):
        if input_arg == "bad_input":
            raise pyflow.WorkflowFailedException("BAD_INPUT", "Received bad input")

        future1 = self.some_func(input_arg)
        x = future1.result() + 2
        future2 = self.other_func(x)
        return future2.result()
