// The context of a task: one that came from a host, or one of a test.
package dev.pyflow.activity;

import com.google.protobuf.ByteString;
import dev.pyflow.api.v1.CancelReason;
import dev.pyflow.api.v1.Limits;
import dev.pyflow.api.v1.Payload;
import dev.pyflow.api.v1.Task;
import java.time.Duration;
import java.util.Base64;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import java.util.regex.Pattern;

sealed class TaskContext implements ActivityContext permits FakeActivityContext {
    private static final Pattern ATTEMPT = Pattern.compile("\\.attempt\\d+$");
    private static final String CANCEL_PREFIX = "CANCEL_REASON_";

    private volatile Task task;
    private final Limits limits;
    private final BiConsumer<ByteString, Payload> tell;
    private final long receivedAtNs = System.nanoTime();
    private final CountDownLatch asked = new CountDownLatch(1);
    private volatile CancelReason canceled;
    private volatile boolean later;

    /**
     * @param tell takes the task's progress; called on any thread
     */
    TaskContext(Task task, Limits limits, BiConsumer<ByteString, Payload> tell) {
        this.task = task;
        this.limits = limits;
        this.tell = tell;
    }

    final Task task() {
        return task;
    }

    /** For tests: another task from now on. */
    final void become(Task other) {
        task = other;
    }

    final void cancel(CancelReason reason) {
        boolean known = reason != CancelReason.CANCEL_REASON_UNSPECIFIED && reason != CancelReason.UNRECOGNIZED;
        canceled = known ? reason : CancelReason.CANCEL_REASON_REQUESTED;
        asked.countDown();
    }

    boolean completesLater() {
        return later;
    }

    @Override
    public void progress(Object details) {
        tell.accept(task.getTaskToken(), progressPayload(details, limits.getProgressCharsMax()));
    }

    /** Refuses what the host would drop, where the author can see it. */
    static Payload progressPayload(Object details, int charactersMax) {
        Payload payload;
        try {
            payload = Json.write(details);
        } catch (Json.Unfit e) {
            throw new IllegalArgumentException("progress details cannot be written as JSON: " + e.getMessage(), e);
        }
        int characters = Json.characters(payload);
        if (characters > charactersMax) {
            throw new IllegalArgumentException("progress details have " + characters
                    + " characters as JSON, SWF keeps at most " + charactersMax + ": tell less");
        }
        return payload;
    }

    @Override
    public boolean cancelRequested() {
        return canceled != null;
    }

    @Override
    public boolean awaitCancel(Duration atMost) throws InterruptedException {
        return asked.await(TimeUnit.NANOSECONDS.convert(atMost), TimeUnit.NANOSECONDS);
    }

    @Override
    public Optional<String> cancelReason() {
        return Optional.ofNullable(canceled).map(reason -> reason.name().substring(CANCEL_PREFIX.length()));
    }

    @Override
    public int attempt() {
        return Math.max(1, task.getAttempt());
    }

    @Override
    public String workflowId() {
        return task.getWorkflowId();
    }

    @Override
    public String runId() {
        return task.getRunId();
    }

    @Override
    public String activityId() {
        return task.getActivityId();
    }

    @Override
    public String activityName() {
        return task.getActivityName();
    }

    @Override
    public String activityVersion() {
        return task.getActivityVersion();
    }

    @Override
    public Optional<Duration> timeLeft() {
        if (!task.hasStartToCloseLeft()) {
            return Optional.empty();
        }
        Duration left = Durations.of(task.getStartToCloseLeft()).minusNanos(System.nanoTime() - receivedAtNs);
        return Optional.of(left.isNegative() ? Duration.ZERO : left);
    }

    @Override
    public <T> Optional<T> lastProgress(Class<T> type) {
        Objects.requireNonNull(type, "type");
        return task.hasLastProgress() ? read(task.getLastProgress(), type) : Optional.empty();
    }

    @SuppressWarnings("unchecked") // Jackson reads what it was told to; Class.cast would refuse int.class
    private static <T> Optional<T> read(Payload payload, Class<T> type) {
        try {
            return Optional.ofNullable((T) Json.convert(Json.readTree(payload), Json.type(type)));
        } catch (Json.Unfit e) {
            throw new IllegalArgumentException(
                    "the last progress does not read as " + type.getName() + ": " + e.getMessage(), e);
        }
    }

    @Override
    public String idempotencyKey() {
        return task.getRunId() + "/" + ATTEMPT.matcher(task.getActivityId()).replaceFirst("");
    }

    @Override
    public Map<String, String> headers() {
        return task.getHeadersMap();
    }

    @Override
    public String completeLater() {
        later = true;
        return Base64.getUrlEncoder()
                .withoutPadding()
                .encodeToString(task.getTaskToken().toByteArray());
    }
}
