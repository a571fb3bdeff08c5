// Tasks ended from outside a stream.
package dev.pyflow.activity;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.pyflow.api.v1.Outcome;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
final class ActivityCompletionTest {
    @Test
    void everyWayToEndATask() throws Exception {
        try (ScriptedHost host = ScriptedHost.tcp();
                ActivityCompletion completion = ActivityCompletion.to(host.address())) {
            assertEquals("REPORTED", completion.complete("dA", Map.of("n", 1)));
            Outcome outcome = host.completedOutside.take();
            assertEquals("t", outcome.getTaskToken().toStringUtf8());
            assertEquals(
                    "{\"n\":1}", outcome.getCompleted().getResult().getData().toStringUtf8());
            completion.fail("dA", new ActivityFailure("Refused", "by a person").asNonRetryable());
            assertEquals("Refused", host.completedOutside.take().getFailed().getType());
            completion.cancel("dA");
            assertTrue(host.completedOutside.take().hasCanceled());
            completion.cancel("dA", "half way");
            assertEquals(
                    "\"half way\"",
                    host.completedOutside
                            .take()
                            .getCanceled()
                            .getDetails()
                            .getData()
                            .toStringUtf8());
            assertTrue(completion.progress("dA", "half"));
            assertThrows(IllegalArgumentException.class, () -> completion.complete("dA", Double.NaN));
        }
    }
}
