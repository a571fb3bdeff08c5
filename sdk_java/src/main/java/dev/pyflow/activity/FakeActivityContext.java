// Stands in for a task in the tests of an author's activities.
package dev.pyflow.activity;

import dev.pyflow.api.v1.CancelReason;
import dev.pyflow.api.v1.Task;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * A context without a host. While it is open, {@link ActivityContext#current()} gives it on this thread:
 *
 * <pre>{@code
 * try (FakeActivityContext context = FakeActivityContext.open()) {
 *   new Fingerprints().fingerprint("a text");
 *   assertEquals(List.of("{\"read\":6}"), context.progressSeen());
 * }
 * }</pre>
 */
public final class FakeActivityContext extends TaskContext implements AutoCloseable {
    private static final Task TASK = Task.newBuilder()
            .setWorkflowId("fake-workflow")
            .setRunId("fake-run")
            .setActivityId("activity1")
            .setActivityName("fake")
            .setActivityVersion("1.0")
            .build();

    private final List<String> progress;

    private FakeActivityContext(List<String> progress) {
        super(
                TASK,
                HostLimits.SWF,
                (token, details) -> progress.add(details.getData().toStringUtf8()));
        this.progress = progress;
    }

    /**
     * Puts a new context in place.
     *
     * @return to be closed on the same thread
     */
    public static FakeActivityContext open() {
        FakeActivityContext context = new FakeActivityContext(new CopyOnWriteArrayList<>());
        CurrentContext.set(context);
        return context;
    }

    /** Takes the context away again. */
    @Override
    public void close() {
        CurrentContext.clear();
    }

    /** From now on the workflow wants the activity to stop. */
    public void requestCancel() {
        cancel(CancelReason.CANCEL_REASON_REQUESTED);
    }

    /**
     * Sets what {@link #attempt()} gives.
     *
     * @param number 1 for the first
     * @return this context
     */
    public FakeActivityContext withAttempt(int number) {
        become(task().toBuilder().setAttempt(number).build());
        return this;
    }

    /**
     * Sets what {@link #timeLeft()} gives.
     *
     * @param duration not negative
     * @return this context
     */
    public FakeActivityContext withTimeLeft(Duration duration) {
        become(task().toBuilder().setStartToCloseLeft(Durations.of(duration)).build());
        return this;
    }

    /** What it was set to: in a test no time passes. */
    @Override
    public Optional<Duration> timeLeft() {
        return task().hasStartToCloseLeft()
                ? Optional.of(Durations.of(task().getStartToCloseLeft()))
                : Optional.empty();
    }

    /**
     * Sets what {@link #lastProgress} gives.
     *
     * @param details anything with a JSON form
     * @return this context
     */
    public FakeActivityContext withLastProgress(Object details) {
        become(task().toBuilder()
                .setLastProgress(progressPayload(details, HostLimits.SWF.getProgressCharsMax()))
                .build());
        return this;
    }

    /**
     * All progress told so far, as JSON.
     *
     * @return in the order it was told
     */
    public List<String> progressSeen() {
        return List.copyOf(progress);
    }

    /**
     * Whether the activity called {@link #completeLater()}.
     *
     * @return true if it did
     */
    @Override
    public boolean completesLater() {
        return super.completesLater();
    }
}
