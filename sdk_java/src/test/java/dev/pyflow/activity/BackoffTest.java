// Full jitter between 0 and a ceiling that doubles up to ten seconds.
package dev.pyflow.activity;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.time.Duration;
import org.junit.jupiter.api.Test;

final class BackoffTest {
    @Test
    void theCeilingDoublesUpToTenSeconds() {
        long[] ceilingsMs = {200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000};
        for (int failures = 0; failures < ceilingsMs.length; failures++) {
            assertEquals(Duration.ofMillis(ceilingsMs[failures]), Backoff.delay(failures, () -> 1.0));
        }
        assertEquals(Duration.ofSeconds(10), Backoff.delay(Integer.MAX_VALUE, () -> 1.0));
    }

    @Test
    void theWaitIsAnywhereBelow() {
        assertEquals(Duration.ZERO, Backoff.delay(3, () -> 0.0));
        assertEquals(Duration.ofMillis(400), Backoff.delay(2, () -> 0.5));
    }
}
