// How a stream to the host can end.
package dev.pyflow.activity;

import java.time.Duration;

sealed interface StreamEnd {
    /** The worker was asked to stop and everything is acked. */
    record Drained() implements StreamEnd {}

    /** The host said goodbye for good. */
    record Refused(String reason, String message) implements StreamEnd {}

    /**
     * Anything else: reconnect.
     *
     * @param welcomed whether the host had accepted the worker on this stream
     * @param reconnectAfter the host's lower bound for the next attempt
     */
    record Cut(String why, boolean welcomed, Duration reconnectAfter) implements StreamEnd {}
}
