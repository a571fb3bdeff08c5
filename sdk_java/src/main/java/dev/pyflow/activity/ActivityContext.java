// What an activity can ask and tell while it runs.
package dev.pyflow.activity;

import java.time.Duration;
import java.util.Map;
import java.util.Optional;

/**
 * The task an activity runs for. Belongs to one attempt; may be handed to other threads, all methods are safe to
 * call there.
 */
public sealed interface ActivityContext permits TaskContext {
    /**
     * The context of the activity running on this thread.
     *
     * @return never null
     * @throws IllegalStateException if no activity runs on this thread
     */
    static ActivityContext current() {
        return CurrentContext.get();
    }

    /**
     * Tells how far the activity is. Shown to operators and given to the next attempt. The latest wins; it is
     * cheap to call often. Heartbeats do not need it: the host sends them by itself.
     *
     * @param details anything with a JSON form of at most 2,048 characters
     * @throws IllegalArgumentException if it has no JSON form or is too long; the task goes on
     */
    void progress(Object details);

    /**
     * Whether somebody wants the activity to stop: the workflow asked, or nobody waits for the outcome any more.
     *
     * @return true from then on
     */
    boolean cancelRequested();

    /**
     * Waits until the activity is to stop: a sleep that a cancel cuts short.
     *
     * @param atMost how long
     * @return whether it is to stop
     * @throws InterruptedException if author code interrupts this thread; the library never does
     */
    boolean awaitCancel(Duration atMost) throws InterruptedException;

    /**
     * Why the activity is to stop, as the contract spells it.
     *
     * @return {@code REQUESTED}, {@code TIMED_OUT}, {@code EXECUTION_CLOSED}, {@code LEASE_LOST} or
     *     {@code HOST_DRAINING}, if any
     */
    Optional<String> cancelReason();

    /**
     * Ends the activity here if it is to stop.
     *
     * @throws ActivityCanceled if {@link #cancelRequested()}; let it pass
     */
    default void throwIfCanceled() {
        if (cancelRequested()) {
            throw new ActivityCanceled();
        }
    }

    /**
     * Which attempt of the call this is.
     *
     * @return 1 for the first
     */
    int attempt();

    /**
     * The workflow that asked.
     *
     * @return SWF's workflowId
     */
    String workflowId();

    /**
     * The run of the workflow that asked.
     *
     * @return SWF's runId
     */
    String runId();

    /**
     * The task's name within its run.
     *
     * @return SWF's activityId
     */
    String activityId();

    /**
     * The activity type's name.
     *
     * @return as registered on SWF
     */
    String activityName();

    /**
     * The activity type's version.
     *
     * @return as registered on SWF
     */
    String activityVersion();

    /**
     * How much of the start-to-close timeout is left.
     *
     * @return never negative; empty if there is no limit or the host cannot know it
     */
    Optional<Duration> timeLeft();

    /**
     * The last progress of the attempt before this one.
     *
     * @param <T> what it is read as
     * @param type what it is read as
     * @return empty if there was none
     * @throws IllegalArgumentException if it does not read as {@code type}
     */
    <T> Optional<T> lastProgress(Class<T> type);

    /**
     * The same for all attempts of one call, and for no other call: for requests that must have their effect once.
     *
     * @return the run and the call within it
     */
    String idempotencyKey();

    /**
     * Trace context and the like.
     *
     * @return unmodifiable; keys in lower case
     */
    Map<String, String> headers();

    /**
     * Says that the result comes later, from whoever holds the token, through {@link ActivityCompletion}. What the
     * method returns is then ignored; what it throws still fails the task.
     *
     * @return the task token: a secret, opaque, in base64url without padding
     */
    String completeLater();
}
