"""The document pipeline: one child workflow for each text file, then a report that a person can read.

Every step is ordinary blocking Python. The steps themselves run elsewhere: a Lambda function, and activities in Ruby,
Java and Python. What is big (texts, fingerprints of all documents) stays in files; the workflows carry references.
"""

from datetime import timedelta

import pyflow

DOCUMENTS_AT_A_TIME = 8
RUBY_TASK_LIST = "documents-ruby"
JAVA_TASK_LIST = "documents-java"
PYTHON_TASK_LIST = "documents-python"

# Worker and host processes may die at any time; five attempts outlive more deaths than a run of a minute should see.
PATIENT = pyflow.RetryPolicy(maximum_attempts=5, initial_interval=1, backoff_coefficient=2, maximum_interval=10)


class IndexDocument(pyflow.Workflow):
    """Indexes one file: language, words, fingerprint and key sentences, stored as one entry of the report."""

    NAME = "IndexDocument"
    VERSION = "1.0"
    OPTIONS = {"defaultTaskStartToCloseTimeout": 10, "defaultExecutionStartToCloseTimeout": 600}

    detect_language = pyflow.LambdaDescriptor("detect_language", timeout=20)
    extract_words = pyflow.ActivityDescriptor("extract_words", "1.0", task_list=RUBY_TASK_LIST, retry=PATIENT)
    fingerprint = pyflow.ActivityDescriptor("fingerprint", "1.0", task_list=JAVA_TASK_LIST, retry=PATIENT)
    summarise = pyflow.ActivityDescriptor("summarise", "1.0", task_list=PYTHON_TASK_LIST, retry=PATIENT)
    store_entry = pyflow.ActivityDescriptor("store_entry", "1.0", task_list=PYTHON_TASK_LIST, retry=PATIENT)

    def run(self, document):
        """`document`: {"path", "name", "entries", "fail_first"}. Gives {"name", "failed": reason or None}."""
        try:
            entry = self._index(document)
        except pyflow.InvocationException as error:
            entry = {"failed": failure_text(error)}
        self.store_entry(entries=document["entries"], name=document["name"], entry=entry).result()
        return {"name": document["name"], "failed": entry.get("failed")}

    def _index(self, document):
        path = document["path"]
        words = self.extract_words(path=path, fail_first=document["fail_first"])
        fingerprint = self.fingerprint(path=path)
        summary = self.summarise(path=path, sentences=3).result()
        language = self.detect_language(text=summary["opening"])
        return {
            "language": language.result()["language"],
            "words": words.result(),
            "fingerprint": fingerprint.result(),
            "summary": summary["sentences"],
            "bytes": summary["bytes"],
        }


class DocumentPipeline(pyflow.Workflow):
    """Indexes every text file of a directory, waits for the signal `publish`, writes the report."""

    NAME = "DocumentPipeline"
    VERSION = "1.0"
    OPTIONS = {"defaultTaskStartToCloseTimeout": 10, "defaultExecutionStartToCloseTimeout": 3600}

    list_documents = pyflow.ActivityDescriptor("list_documents", "1.0", task_list=PYTHON_TASK_LIST, retry=PATIENT)
    store_entry = pyflow.ActivityDescriptor("store_entry", "1.0", task_list=PYTHON_TASK_LIST, retry=PATIENT)
    render_report = pyflow.ActivityDescriptor("render_report", "1.0", task_list=PYTHON_TASK_LIST, retry=PATIENT)
    index_document = pyflow.ChildWorkflowDescriptor("IndexDocument", "1.0")

    def run(self, job):
        """`job`: {"directory", "output", "time_limit_s"}. Gives what `render_report` found.

        A directory too large for one history goes on in another run, whose job also has "after", the last name that is
        done, and "time_left_s".
        """
        self.time_limit_s = job["time_limit_s"]
        time_left_s = job.get("time_left_s", self.time_limit_s)
        self.ends_at = self.swf.workflow_time() + timedelta(seconds=time_left_s)
        self.deadline = self.swf.start_timer(time_left_s)
        listing = self._index_all(job)
        self._await_publish()
        return self._within_time(self.render_report(entries=listing["entries"], output=job["output"]))

    def _index_all(self, job):
        """Page by page of the directory's listing; gives the last page."""
        after = job.get("after", "")
        while True:
            listing = self._list(job, after)
            self._index_page(listing, fail_first=not after)
            if not listing["more"]:
                return listing
            after = listing["names"][-1]
            if self.swf.should_continue_as_new:
                time_left = self.ends_at - self.swf.workflow_time()
                self.swf.continue_as_new({**job, "after": after, "time_left_s": max(1, time_left.total_seconds())})

    def _list(self, job, after):
        try:
            return self._within_time(self.list_documents(directory=job["directory"], output=job["output"], after=after))
        except pyflow.InvocationFailedException as error:
            raise pyflow.WorkflowFailedException(error.reason, failure_text(error)) from error

    def _index_page(self, listing, *, fail_first):
        waiting = [
            {
                "path": f"{listing['directory']}/{name}",
                "name": name,
                "entries": listing["entries"],
                # Shows a retry by policy, once in a run.
                "fail_first": fail_first and position == 0,
            }
            for position, name in enumerate(listing["names"])
        ]
        running = {}
        while waiting or running:
            while waiting and len(running) < DOCUMENTS_AT_A_TIME:
                document = waiting.pop(0)
                running[self.index_document(document)] = document
            self.swf.wait_for_any(*running, self.deadline)
            self._check_time()
            for child in [child for child in running if child.done]:
                self._note_end(child, running.pop(child))

    def _note_end(self, child, document):
        try:
            child.result()
        except pyflow.InvocationException as error:
            # The child itself could not finish: its entry is written in its place, and the others go on.
            entry = {"failed": failure_text(error)}
            self._within_time(self.store_entry(entries=document["entries"], name=document["name"], entry=entry))

    def _await_publish(self):
        self._within_time(self.swf.signal("publish"))

    def _within_time(self, future):
        self.swf.wait_for_any(future, self.deadline)
        if not future.done:
            self._check_time()
        return future.result()

    def _check_time(self):
        if self.deadline.done:
            raise pyflow.WorkflowFailedException(
                "TIME_LIMIT",
                f"The run took longer than its time limit of {self.time_limit_s} s. Give it more: --time-limit SECONDS",
            )


def failure_text(error):
    """The reason for a person: the innermost type and message where the failure carries them."""
    failure = getattr(error, "failure", None)
    return f"{failure.type}: {failure.message}" if failure is not None else str(error) or type(error).__name__
