// How long a worker tries: one limit for the first host, another for one that was there.
package dev.pyflow.activity;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.Test;

final class PatienceTest {
    private static final Optional<Duration> NOT_TOLD = Optional.empty();

    private static Optional<Duration> seconds(long count) {
        return Optional.of(Duration.ofSeconds(count));
    }

    private static void assertTries(String atTheStart, String later, Patience patience) {
        assertEquals(atTheStart, patience.toString());
        patience.answered();
        assertEquals(later, patience.toString());
    }

    @Test
    void theStartHasALimitAndAHostThatWasThereHasNone() {
        assertTries(" for 30 s", "", new Patience(NOT_TOLD, NOT_TOLD));
        assertTries(" for 4 s", "", new Patience(seconds(4), NOT_TOLD));
        assertTries(" for 1.5 s", " for 1.5 s", new Patience(NOT_TOLD, Optional.of(Duration.ofMillis(1_500))));
        assertTries(" for 4 s", " for 90 s", new Patience(seconds(4), seconds(90)));
    }

    @Test
    void itCountsFromWhenTheWaitBegan() {
        Patience patience = new Patience(seconds(4), seconds(90));
        patience.restart(-1_000);
        assertEquals(
                Duration.ofSeconds(1).toNanos(),
                patience.leftNs(Duration.ofSeconds(3).toNanos() - 1_000));
        assertTrue(patience.leftNs(Duration.ofSeconds(4).toNanos() - 1_000) <= 0);
        patience.answered();
        patience.restart(5);
        assertEquals(Duration.ofSeconds(90).toNanos(), patience.leftNs(5));
    }

    @Test
    void withoutALimitItNeverEnds() {
        Patience patience = new Patience(NOT_TOLD, NOT_TOLD);
        patience.answered();
        assertEquals(Long.MAX_VALUE, patience.leftNs(Long.MAX_VALUE));
    }

    @Test
    void whatIsNotPositiveIsRefused() {
        assertThrows(WorkerException.Misused.class, () -> new Patience(seconds(0), NOT_TOLD));
        assertThrows(WorkerException.Misused.class, () -> new Patience(NOT_TOLD, seconds(-1)));
    }
}
