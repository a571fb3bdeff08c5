// How long to wait before the next attempt to reach a host: full jitter, so that workers do not come back all at once.
package dev.pyflow.activity;

import java.time.Duration;
import java.util.function.DoubleSupplier;

final class Backoff {
    static final Duration FIRST_MAX = Duration.ofMillis(200);
    static final Duration MAX = Duration.ofSeconds(10);

    private static final int DOUBLINGS_MAX = 16;

    private Backoff() {}

    /**
     * @param failures attempts failed since the last Welcome
     * @param random gives numbers from 0 up to, not including, 1
     */
    static Duration delay(int failures, DoubleSupplier random) {
        long ceilingNs = Math.min(MAX.toNanos(), FIRST_MAX.toNanos() << Math.min(failures, DOUBLINGS_MAX));
        return Duration.ofNanos((long) (ceilingNs * random.getAsDouble()));
    }
}
