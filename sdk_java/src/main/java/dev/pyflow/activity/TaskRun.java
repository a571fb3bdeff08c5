// Runs one task: decode, call, encode. Whatever happens, there is an outcome.
package dev.pyflow.activity;

import dev.pyflow.api.v1.Canceled;
import dev.pyflow.api.v1.Completed;
import dev.pyflow.api.v1.Failure;
import dev.pyflow.api.v1.Limits;
import dev.pyflow.api.v1.Outcome;
import dev.pyflow.api.v1.Payload;
import dev.pyflow.api.v1.Task;
import dev.pyflow.api.v1.WillCompleteLater;
import java.util.Map;
import java.util.Optional;

final class TaskRun {
    /** How far down a chain of causes a cancel is looked for: authors' thread pools wrap what passes through them. */
    private static final int CAUSES_SEARCHED_MAX = 20;

    private TaskRun() {}

    static Outcome run(Map<String, ActivityMethod> activities, TaskContext context, Limits limits) {
        Task task = context.task();
        Outcome.Builder outcome = Outcome.newBuilder().setTaskToken(task.getTaskToken());
        CurrentContext.set(context);
        try {
            Object result =
                    method(activities, task).call(task.hasInput() ? Optional.of(task.getInput()) : Optional.empty());
            if (context.completesLater()) {
                outcome.setWillCompleteLater(WillCompleteLater.getDefaultInstance());
            } else {
                outcome.setCompleted(Completed.newBuilder().setResult(result(result, task, limits)));
            }
        } catch (Throwable thrown) { // all of them: a task must never end without an outcome
            Optional<ActivityCanceled> canceled = canceled(thrown);
            if (canceled.isPresent()) {
                outcome.setCanceled(canceledOutcome(canceled.get(), limits));
            } else {
                outcome.setFailed(failure(thrown, limits));
            }
        } finally {
            CurrentContext.clear();
            Thread.interrupted(); // an interrupt meant for this task must not hit the next one
        }
        return outcome.build();
    }

    private static ActivityMethod method(Map<String, ActivityMethod> activities, Task task) {
        ActivityMethod method = activities.get(ActivityMethod.key(task.getActivityName(), task.getActivityVersion()));
        if (method == null) {
            throw new ActivityFailure(
                    "pyflow.UnknownActivity",
                    "this worker does not serve activity " + task.getActivityName() + " " + task.getActivityVersion()
                            + ": it serves " + activities.values());
        }
        return method;
    }

    private static Payload result(Object value, Task task, Limits limits) {
        Payload payload;
        try {
            payload = Json.write(value);
        } catch (Json.Unfit e) {
            throw new ActivityFailure(
                            "pyflow.BadResult",
                            "the result of " + name(task) + " has no JSON form: " + e.getMessage(),
                            e)
                    .asNonRetryable();
        }
        int bytes = payload.getData().size();
        int characters = Json.characters(payload);
        if (characters > limits.getResultCharsMax()) {
            throw tooLarge(task, characters + " characters", limits.getResultCharsMax());
        }
        if (bytes > limits.getPayloadBytesMax()) {
            throw tooLarge(task, bytes + " bytes", limits.getPayloadBytesMax());
        }
        return payload;
    }

    private static ActivityFailure tooLarge(Task task, String size, int limit) {
        String message = "the result of " + name(task) + " has " + size + " as JSON, at most " + limit
                + " are allowed: " + "store it elsewhere and return where";
        return new ActivityFailure("pyflow.ResultTooLarge", message).asNonRetryable();
    }

    private static String name(Task task) {
        return "activity " + task.getActivityName() + " " + task.getActivityVersion();
    }

    private static Optional<ActivityCanceled> canceled(Throwable thrown) {
        Throwable at = thrown;
        for (int depth = 0; at != null && depth < CAUSES_SEARCHED_MAX; depth++) {
            if (at instanceof ActivityCanceled canceled) {
                return Optional.of(canceled);
            }
            at = at.getCause();
        }
        return Optional.empty();
    }

    private static Canceled canceledOutcome(ActivityCanceled canceled, Limits limits) {
        Canceled.Builder outcome = Canceled.newBuilder();
        if (canceled.details().isPresent()) {
            try {
                Payload details = Json.write(canceled.details().get());
                if (Json.characters(details) > limits.getResultCharsMax()) {
                    throw new Json.Unfit("they are longer than " + limits.getResultCharsMax() + " characters", null);
                }
                outcome.setDetails(details);
            } catch (Json.Unfit e) {
                Log.warn("the details of a canceled activity were left out: " + e.getMessage());
            }
        }
        return outcome.build();
    }

    private static Failure failure(Throwable thrown, Limits limits) {
        try {
            return Failures.of(thrown, limits);
        } catch (RuntimeException | Error e) { // an exception that cannot even be described
            String message = "could not be described: " + e;
            return Failure.newBuilder()
                    .setType(thrown.getClass().getSimpleName())
                    .setMessage(message)
                    .setSourceLanguage(Failures.LANGUAGE)
                    .build();
        }
    }
}
