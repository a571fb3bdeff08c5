// The context authors test with behaves like the one a host gives.
package dev.pyflow.activity;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

final class FakeActivityContextTest {
    private final Samples samples = new Samples();

    @Test
    void itRecordsProgressAndTellsWhatItWasTold() {
        try (FakeActivityContext context =
                FakeActivityContext.open().withAttempt(3).withTimeLeft(Duration.ofSeconds(9))) {
            context.withLastProgress(new Samples.Point(1, 2));
            samples.steps(2);
            assertEquals(List.of("{\"step\":1}", "{\"step\":2}"), context.progressSeen());
            assertEquals(3, ActivityContext.current().attempt());
            assertEquals(
                    new Samples.Point(1, 2),
                    ActivityContext.current().lastProgress(Samples.Point.class).orElseThrow());
            assertThrows(IllegalArgumentException.class, () -> context.lastProgress(List.class));
            assertEquals(Duration.ofSeconds(9), context.timeLeft().orElseThrow());
            assertTrue(samples.longWinded().contains("2048"));
            samples.later();
            assertTrue(context.completesLater());
        }
        assertThrows(IllegalStateException.class, ActivityContext::current);
    }

    @Test
    void aCancelIsSeen() throws InterruptedException {
        try (FakeActivityContext context = FakeActivityContext.open()) {
            context.throwIfCanceled();
            assertFalse(context.awaitCancel(Duration.ofMillis(1)));
            context.requestCancel();
            assertTrue(context.awaitCancel(Duration.ofSeconds(Long.MAX_VALUE)));
            assertThrows(ActivityCanceled.class, samples::patient);
        }
    }
}
