// Stands in for a task in the tests of an author's activities.
package dev.pyflow.activity;

import dev.pyflow.api.v1.Payload;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
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
public final class FakeActivityContext implements ActivityContext, AutoCloseable {
    private static final int PROGRESS_LENGTH_MAX = 2_048;

    private final List<String> progress = new CopyOnWriteArrayList<>();
    private volatile Optional<String> cancelReason = Optional.empty();
    private volatile Optional<Duration> timeLeft = Optional.empty();
    private volatile Optional<Payload> lastProgress = Optional.empty();
    private volatile int attempt = 1;
    private volatile boolean later;

    private FakeActivityContext() {}

    /**
     * Puts a new context in place.
     *
     * @return to be closed on the same thread
     */
    public static FakeActivityContext open() {
        FakeActivityContext context = new FakeActivityContext();
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
        cancelReason = Optional.of("REQUESTED");
    }

    /**
     * Sets what {@link #attempt()} gives.
     *
     * @param number 1 for the first
     * @return this context
     */
    public FakeActivityContext withAttempt(int number) {
        attempt = number;
        return this;
    }

    /**
     * Sets what {@link #timeLeft()} gives.
     *
     * @param duration not negative
     * @return this context
     */
    public FakeActivityContext withTimeLeft(Duration duration) {
        timeLeft = Optional.of(duration);
        return this;
    }

    /**
     * Sets what {@link #lastProgress} gives.
     *
     * @param details anything with a JSON form
     * @return this context
     */
    public FakeActivityContext withLastProgress(Object details) {
        lastProgress = Optional.of(TaskContext.progressPayload(details, PROGRESS_LENGTH_MAX));
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
    public boolean completesLater() {
        return later;
    }

    @Override
    public void progress(Object details) {
        progress.add(TaskContext.progressPayload(details, PROGRESS_LENGTH_MAX)
                .getData()
                .toStringUtf8());
    }

    @Override
    public boolean cancelRequested() {
        return cancelReason.isPresent();
    }

    @Override
    public Optional<String> cancelReason() {
        return cancelReason;
    }

    @Override
    public int attempt() {
        return attempt;
    }

    @Override
    public String workflowId() {
        return "fake-workflow";
    }

    @Override
    public String runId() {
        return "fake-run";
    }

    @Override
    public String activityId() {
        return "activity1";
    }

    @Override
    public Optional<Duration> timeLeft() {
        return timeLeft;
    }

    @Override
    public <T> Optional<T> lastProgress(Class<T> type) {
        Objects.requireNonNull(type, "type");
        return lastProgress.flatMap(payload -> TaskContext.read(payload, type));
    }

    @Override
    public String idempotencyKey() {
        return "fake-run/activity1";
    }

    @Override
    public Map<String, String> headers() {
        return Map.of();
    }

    @Override
    public String completeLater() {
        later = true;
        return "ZmFrZQ";
    }
}
