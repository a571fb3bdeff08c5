// A failure with a type, details and retry hints of the author's choice.
package dev.pyflow.activity;

import java.time.Duration;
import java.util.Objects;
import java.util.Optional;

/**
 * Fails an activity under a type that a workflow can match on. Any other exception does too, under its
 * simple class name.
 *
 * <pre>{@code
 * throw new ActivityFailure("PaymentRefused", "card expired").withDetails(card).asNonRetryable();
 * }</pre>
 */
public final class ActivityFailure extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final String type;
    private transient Optional<Object> details = Optional.empty();
    private boolean nonRetryable;
    private Duration nextRetryDelay;

    /**
     * A failure without a cause.
     *
     * @param type what a workflow matches on, 1 to 256 characters
     * @param message what happened, for people
     */
    public ActivityFailure(String type, String message) {
        this(type, message, null);
    }

    /**
     * A failure with a cause.
     *
     * @param type what a workflow matches on, 1 to 256 characters
     * @param message what happened, for people
     * @param cause what led to it; the workflow sees the whole chain
     */
    public ActivityFailure(String type, String message, Throwable cause) {
        super(message, cause);
        this.type = Objects.requireNonNull(type, "type");
        if (type.isEmpty()) {
            throw new IllegalArgumentException("the type of a failure must not be empty: workflows match on it");
        }
    }

    /**
     * Attaches something for the workflow to read.
     *
     * @param value anything with a JSON form
     * @return this failure
     */
    public ActivityFailure withDetails(Object value) {
        this.details = Optional.ofNullable(value);
        return this;
    }

    /**
     * Says that another attempt cannot help: a retry policy of the workflow stops.
     *
     * @return this failure
     */
    public ActivityFailure asNonRetryable() {
        this.nonRetryable = true;
        return this;
    }

    /**
     * Hints how long to wait before the next attempt, once, in place of the policy's back-off.
     *
     * @param delay not negative
     * @return this failure
     */
    public ActivityFailure withNextRetryDelay(Duration delay) {
        if (delay.isNegative()) {
            throw new IllegalArgumentException("the delay before the next attempt must not be negative: " + delay);
        }
        this.nextRetryDelay = delay;
        return this;
    }

    /**
     * What a workflow matches on.
     *
     * @return never empty
     */
    public String type() {
        return type;
    }

    /**
     * What the author attached.
     *
     * @return the value, if any
     */
    public Optional<Object> details() {
        return details == null ? Optional.empty() : details;
    }

    /**
     * Whether another attempt cannot help.
     *
     * @return true if a retry policy should stop
     */
    public boolean nonRetryable() {
        return nonRetryable;
    }

    /**
     * The author's hint for the next attempt.
     *
     * @return the delay, if any
     */
    public Optional<Duration> nextRetryDelay() {
        return Optional.ofNullable(nextRetryDelay);
    }
}
