// How an activity says that it stops because it was asked to.
package dev.pyflow.activity;

import java.util.Optional;

/**
 * Ends an activity as canceled. {@link ActivityContext#throwIfCanceled()} throws it; authors let it pass.
 *
 * <p>An {@code Error}, so that {@code catch (Exception e)} in author code does not swallow it.
 */
public final class ActivityCanceled extends Error {
    private static final long serialVersionUID = 1L;

    private final transient Optional<Object> details;

    /** Without anything to tell the workflow. */
    public ActivityCanceled() {
        super("the activity was asked to stop");
        this.details = Optional.empty();
    }

    /**
     * With something to tell the workflow.
     *
     * @param details how far the activity came; anything with a JSON form
     */
    public ActivityCanceled(Object details) {
        super("the activity was asked to stop");
        this.details = Optional.ofNullable(details);
    }

    /**
     * What the workflow is told.
     *
     * @return how far the activity came, if it said so
     */
    public Optional<Object> details() {
        return details == null ? Optional.empty() : details;
    }
}
