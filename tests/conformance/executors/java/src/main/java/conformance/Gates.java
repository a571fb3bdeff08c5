// Files by which a case sees that an activity has begun, and lets it go on.
package conformance;

import dev.pyflow.activity.ActivityContext;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;

final class Gates {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final long LOOK_MS = 10;

    private Gates() {}

    static void begin(String gate) throws IOException {
        Files.writeString(Path.of(gate + ".begun"), "");
    }

    static void awaitGo(String gate) throws InterruptedException {
        Path go = Path.of(gate + ".go");
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (!Files.exists(go)) {
            if (System.nanoTime() - deadline > 0) {
                throw new IllegalStateException(go + " did not come");
            }
            Thread.sleep(LOOK_MS);
        }
    }

    static void awaitCancel(ActivityContext context) throws InterruptedException {
        if (!context.awaitCancel(PATIENCE)) {
            throw new IllegalStateException("no cancel came");
        }
    }
}
