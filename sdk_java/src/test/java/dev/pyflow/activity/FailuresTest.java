// Failures of odd shapes still reach the host.
package dev.pyflow.activity;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.pyflow.api.v1.Failure;
import dev.pyflow.api.v1.Limits;
import org.junit.jupiter.api.Test;

final class FailuresTest {
    private static final Limits LIMITS = ScriptedHost.LIMITS;

    private static Failure of(Throwable thrown) {
        return Failures.of(thrown, LIMITS);
    }

    @Test
    void causesStopAtTheHostsDepth() {
        Throwable chain = new IllegalStateException("0");
        for (int i = 1; i < 20; i++) {
            chain = new IllegalStateException(Integer.toString(i), chain);
        }
        int depth = 0;
        for (Failure at = of(chain); at.hasCause(); at = at.getCause()) {
            depth++;
        }
        assertEquals(LIMITS.getCauseDepthMax(), depth);
    }

    @Test
    void aRingOfCausesIsCut() {
        RuntimeException one = new RuntimeException("one");
        RuntimeException other = new RuntimeException("other", one);
        one.initCause(other);
        Failure failure = of(one);
        assertEquals("other", failure.getCause().getMessage());
        assertFalse(failure.getCause().hasCause());
    }

    @Test
    void messagesMayBeAbsentHugeOrBroken() {
        assertEquals("", of(new NullPointerException()).getMessage());
        assertEquals(
                32_768,
                of(new RuntimeException("x".repeat(100_000))).getMessage().length());
        assertEquals("?", of(new RuntimeException("\ud800")).getMessage());
        Failure broken = of(new RuntimeException() {
            private static final long serialVersionUID = 1L;

            @Override
            public String getMessage() {
                throw new IllegalStateException("no message");
            }
        });
        assertTrue(broken.getMessage().contains("IllegalStateException"), broken.getMessage());
    }

    @Test
    void detailsThatCannotTravelAreLeftOutAloud() {
        Failure failure = of(new ActivityFailure("A", "went wrong").withDetails(Double.NaN));
        assertFalse(failure.hasDetails());
        assertTrue(failure.getMessage().startsWith("went wrong (its details were left out"), failure.getMessage());
        assertFalse(of(new ActivityFailure("A", "b").withDetails("x".repeat(40_000)))
                .hasDetails());
    }

    @Test
    void stacksHoldTheirOwnFramesOnly() {
        Failure failure = of(new IllegalStateException("outer", new IllegalArgumentException("inner")));
        assertTrue(failure.getStackTrace()
                .startsWith("java.lang.IllegalStateException: outer\n\tat dev.pyflow.activity.FailuresTest"));
        assertFalse(failure.getStackTrace().contains("inner"));
        assertTrue(failure.getCause().getStackTrace().startsWith("java.lang.IllegalArgumentException: inner\n\tat "));
    }

    @Test
    void nestedClassesGoByTheirOwnName() {
        assertEquals("CardExpired", of(new Samples.CardExpired("x", null)).getType());
    }
}
