// Activities that fail.
package conformance;

import dev.pyflow.activity.Activity;
import dev.pyflow.activity.ActivityFailure;
import java.time.Duration;
import java.util.Map;

final class Failing {
    static class Trouble extends RuntimeException {
        private static final long serialVersionUID = 1L;

        Trouble(String message, Throwable cause) {
            super(message, cause);
        }
    }

    static final class InnerTrouble extends Trouble {
        private static final long serialVersionUID = 1L;

        InnerTrouble(String message, Throwable cause) {
            super(message, cause);
        }
    }

    static final class MiddleTrouble extends Trouble {
        private static final long serialVersionUID = 1L;

        MiddleTrouble(String message, Throwable cause) {
            super(message, cause);
        }
    }

    static final class CardExpired extends Trouble {
        private static final long serialVersionUID = 1L;

        CardExpired(String message, Throwable cause) {
            super(message, cause);
        }
    }

    static final class Level extends Trouble {
        private static final long serialVersionUID = 1L;

        Level(String message, Throwable cause) {
            super(message, cause);
        }
    }

    @Activity
    void fail(String how) {
        throw switch (how) {
            case "plain" -> new CardExpired("kaputt \u00e4 \ud83d\ude00", null);
            case "empty" -> new CardExpired(null, null);
            case "chain" -> new CardExpired("card", new MiddleTrouble("ledger", new InnerTrouble("disk", null)));
            case "deep" -> levels(40);
            case "long" -> new CardExpired("x".repeat(100_000), null);
            case "author" ->
                new ActivityFailure("PaymentRefused", "no money")
                        .withDetails(Map.of("card", "1234"))
                        .asNonRetryable()
                        .withNextRetryDelay(Duration.ofMillis(2_500));
            case "minimal" -> new ActivityFailure("Minimal", "");
            case "nan_details" ->
                new ActivityFailure("OddDetails", "they are NaN").withDetails(Map.of("x", Double.NaN));
            default -> new IllegalArgumentException(how);
        };
    }

    private static Level levels(int depth) {
        Level level = null;
        for (int number = depth; number >= 1; number--) {
            level = new Level("level " + number, level);
        }
        return level;
    }
}
