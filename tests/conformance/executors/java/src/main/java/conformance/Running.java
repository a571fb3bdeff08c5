// Activities about waiting, progress, cancel, and results that come from elsewhere.
package conformance;

import dev.pyflow.activity.Activity;
import dev.pyflow.activity.ActivityCanceled;
import dev.pyflow.activity.ActivityCompletion;
import dev.pyflow.activity.ActivityContext;
import dev.pyflow.activity.ActivityFailure;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

final class Running {
    @Activity
    Object hold(String gate, Optional<Object> value) throws IOException, InterruptedException {
        Gates.begin(gate);
        Gates.awaitGo(gate);
        Gates.begin(gate + ".end");
        return value.orElse(null);
    }

    @Activity(name = "until_canceled")
    void untilCanceled(String gate) throws IOException, InterruptedException {
        ActivityContext context = ActivityContext.current();
        Gates.begin(gate);
        Gates.awaitCancel(context);
        throw new ActivityCanceled(Map.of("reason", context.cancelReason().orElse("")));
    }

    @Activity(name = "progress_after_cancel")
    void progressAfterCancel(String gate) throws IOException, InterruptedException {
        ActivityContext context = ActivityContext.current();
        Gates.begin(gate);
        Gates.awaitCancel(context);
        context.progress(Map.of("after", "cancel"));
        Gates.awaitGo(gate);
        context.throwIfCanceled();
    }

    @Activity
    int steps(int count, String gate) throws IOException, InterruptedException {
        for (int number = 1; number <= count; number++) {
            ActivityContext.current().progress(Map.of("step", number));
        }
        Gates.begin(gate);
        Gates.awaitGo(gate);
        return count;
    }

    @Activity(name = "progress_then")
    String progressThen(String what) {
        for (int call = 1; call <= 500; call++) {
            Map<String, Object> details = new LinkedHashMap<>();
            details.put("reached", what);
            details.put("call", call);
            ActivityContext.current().progress(details);
        }
        if (what.equals("failure")) {
            throw new Failing.CardExpired("right after progress", null);
        }
        return what;
    }

    @Activity(name = "long_progress")
    String longProgress(int length) {
        try {
            ActivityContext.current().progress("x".repeat(length));
        } catch (IllegalArgumentException e) {
            return "refused";
        }
        return "sent";
    }

    @Activity
    String later(String gate) throws IOException {
        Files.writeString(Path.of(gate + ".token"), ActivityContext.current().completeLater());
        Gates.begin(gate);
        return "not the result";
    }

    @Activity(name = "later_but_fails")
    void laterButFails() {
        ActivityContext.current().completeLater();
        throw new Failing.CardExpired("after all not", null);
    }

    @Activity(name = "finish_elsewhere")
    Object finishElsewhere(String token, String how, Object value) {
        try (ActivityCompletion host = ActivityCompletion.to(System.getenv("PYFLOW_HOST_ADDRESS"))) {
            return switch (how) {
                case "complete" -> host.complete(token, value);
                case "fail" ->
                    host.fail(token, new ActivityFailure("FromOutside", "told by another").withDetails(value));
                case "progress" -> host.progress(token, value);
                default -> host.cancel(token);
            };
        }
    }

    @Activity(name = "child_process")
    int childProcess() throws IOException, InterruptedException {
        return new ProcessBuilder("/bin/sh", "-c", "exit 3").start().waitFor();
    }

    @Activity
    void die() {
        ProcessHandle self = ProcessHandle.current();
        try {
            new ProcessBuilder("/bin/kill", "-9", Long.toString(self.pid())).start().waitFor();
        } catch (IOException | InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
