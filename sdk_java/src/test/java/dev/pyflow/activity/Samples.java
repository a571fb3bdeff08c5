// Activities the tests run, with gates instead of sleeps.
package dev.pyflow.activity;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;

final class Samples {
    /** Each permit lets one call of {@code gated} through. */
    final Semaphore gate = new Semaphore(0);

    /** One permit for each call of {@code gated} that has begun. */
    final Semaphore begun = new Semaphore(0);

    final AtomicInteger running = new AtomicInteger();
    final AtomicInteger runningMost = new AtomicInteger();
    final AtomicInteger calls = new AtomicInteger();
    final CountDownLatch sawCancel = new CountDownLatch(1);
    volatile String told = "";

    record Point(int x, long y) {}

    static final class CardExpired extends RuntimeException {
        private static final long serialVersionUID = 1L;

        CardExpired(String message, Throwable cause) {
            super(message, cause);
        }
    }

    @Activity(startToCloseTimeout = "PT60S", heartbeatTimeout = "PT10S", description = "gives back what it got")
    Object echo(Object value) {
        calls.incrementAndGet();
        return value;
    }

    @Activity
    String gated(String name) throws InterruptedException {
        calls.incrementAndGet();
        runningMost.accumulateAndGet(running.incrementAndGet(), Math::max);
        begun.release();
        try {
            gate.acquire();
            return "done " + name;
        } finally {
            running.decrementAndGet();
        }
    }

    @Activity
    Point move(Point point, int by, Optional<Integer> times) {
        return new Point(point.x() + by * times.orElse(1), point.y());
    }

    @Activity
    void nothing() {
        calls.incrementAndGet();
    }

    @Activity(spread = false)
    Map<String, Object> whole(Map<String, Object> whole) {
        return whole;
    }

    @Activity
    String fail(String how) {
        switch (how) {
            case "author" ->
                throw new ActivityFailure("PaymentRefused", "no money", new IllegalStateException("limit 5"))
                        .withDetails(Map.of("card", "1234"))
                        .asNonRetryable()
                        .withNextRetryDelay(java.time.Duration.ofMillis(2_500));
            case "plain" ->
                throw new CardExpired(
                        "kaputt \u00e4", new java.io.IOException("disk", new ArithmeticException("/ by zero")));
            case "anonymous" ->
                throw new RuntimeException("odd") {
                    private static final long serialVersionUID = 1L;
                };
            case "overflow" -> fail(how);
            default -> throw new AssertionError(how);
        }
        return "";
    }

    @Activity
    Object make(String what) {
        return switch (what) {
            case "nan" -> Map.of("a", List.of(1.5, Double.NaN));
            case "nans" -> new double[] {1, Double.POSITIVE_INFINITY};
            case "surrogate" -> "\ud800";
            case "stream" -> new Object();
            case "deep" -> deep(200);
            case "ring" -> ring();
            default -> throw new AssertionError(what);
        };
    }

    @Activity
    String big(int length) {
        return "x".repeat(length);
    }

    @Activity
    String steps(int count) {
        for (int i = 1; i <= count; i++) {
            ActivityContext.current().progress(Map.of("step", i));
        }
        return "ok";
    }

    @Activity
    String longWinded() {
        try {
            ActivityContext.current().progress("x".repeat(3_000));
        } catch (IllegalArgumentException e) {
            return e.getMessage();
        }
        return "";
    }

    @Activity
    String patient() throws InterruptedException {
        calls.incrementAndGet();
        ActivityContext context = ActivityContext.current();
        context.progress("waiting");
        while (!context.cancelRequested()) {
            gate.acquire();
        }
        told = context.cancelReason().orElse("");
        sawCancel.countDown();
        context.throwIfCanceled();
        return "not reached";
    }

    @Activity
    String later() {
        told = ActivityContext.current().completeLater();
        return "ignored";
    }

    @Activity
    Map<String, Object> context() {
        ActivityContext context = ActivityContext.current();
        return Map.of(
                "attempt", context.attempt(),
                "ids", context.workflowId() + "/" + context.runId() + "/" + context.activityId(),
                "type", context.activityName() + " " + context.activityVersion(),
                "key", context.idempotencyKey(),
                "left", context.timeLeft().map(left -> left.toSeconds() <= 30).orElse(false),
                "last", context.lastProgress(Point.class).map(Point::y).orElse(0L));
    }

    private static List<Object> deep(int levels) {
        List<Object> top = new ArrayList<>();
        List<Object> at = top;
        for (int i = 1; i < levels; i++) {
            List<Object> next = new ArrayList<>();
            at.add(next);
            at = next;
        }
        return top;
    }

    private static List<Object> ring() {
        List<Object> ring = new ArrayList<>();
        ring.add(ring);
        return ring;
    }
}
