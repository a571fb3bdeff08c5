// How long a worker without a host goes on trying.
package dev.pyflow.activity;

import java.math.BigDecimal;
import java.time.Duration;
import java.util.Optional;

/** One limit until the first host has answered, another (none, as a rule) from then on. Not safe for threads. */
final class Patience {
    static final Duration START_DEFAULT = Duration.ofSeconds(30);

    private final Optional<Duration> afterwards;
    private Optional<Duration> limit;
    private long sinceNs;

    /**
     * @param start for the first answer; without it as {@code afterwards}, else 30 s
     * @param afterwards for a host that had answered; empty means for ever
     */
    Patience(Optional<Duration> start, Optional<Duration> afterwards) {
        this.limit = Optional.of(positive(start).or(() -> afterwards).orElse(START_DEFAULT));
        this.afterwards = positive(afterwards);
    }

    private static Optional<Duration> positive(Optional<Duration> duration) {
        if (duration.isPresent()
                && (duration.get().isNegative() || duration.get().isZero())) {
            throw new WorkerException.Misused("how long to try must be positive, not " + duration.get());
        }
        return duration;
    }

    /** The wait for a host begins. */
    void restart(long nowNs) {
        sinceNs = nowNs;
    }

    /** A host has answered, whatever it said. */
    void answered() {
        limit = afterwards;
    }

    /** Zero or less when it is over. */
    long leftNs(long nowNs) {
        return limit.map(duration -> duration.toNanos() - (nowNs - sinceNs)).orElse(Long.MAX_VALUE);
    }

    /** For people: " for 30 s", or nothing. */
    @Override
    public String toString() {
        return limit.map(duration -> " for " + seconds(duration) + " s").orElse("");
    }

    private static String seconds(Duration duration) {
        return BigDecimal.valueOf(duration.toMillis(), 3).stripTrailingZeros().toPlainString();
    }
}
