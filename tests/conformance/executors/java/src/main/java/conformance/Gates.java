// Files by which a case sees that an activity has begun, and lets it go on.
package conformance;

import dev.pyflow.activity.ActivityContext;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

final class Gates {
    private static final long PATIENCE_NS = TimeUnit.SECONDS.toNanos(60);
    private static final long LOOK_MS = 10;

    private Gates() {}

    /** What is waited for. */
    interface Condition {
        boolean holds();
    }

    static void begin(String gate) throws IOException {
        Files.writeString(Path.of(gate + ".begun"), "");
    }

    static void awaitGo(String gate) throws InterruptedException {
        Path go = Path.of(gate + ".go");
        await(() -> Files.exists(go), go + " did not come");
    }

    static void awaitCancel(ActivityContext context) throws InterruptedException {
        await(context::cancelRequested, "no cancel came");
    }

    private static void await(Condition condition, String complaint) throws InterruptedException {
        long deadline = System.nanoTime() + PATIENCE_NS;
        while (!condition.holds()) {
            if (System.nanoTime() - deadline > 0) {
                throw new IllegalStateException(complaint);
            }
            Thread.sleep(LOOK_MS);
        }
    }
}
