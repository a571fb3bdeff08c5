// Activities about arguments and results.
package conformance;

import com.fasterxml.jackson.databind.JsonNode;
import dev.pyflow.activity.Activity;
import dev.pyflow.activity.ActivityContext;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

final class Values {
    @Activity(
            version = "1.0",
            startToCloseTimeout = "PT60S",
            heartbeatTimeout = "PT2.5S",
            description = "gives back what it got",
            spread = false)
    Object echo(Object value) {
        return value;
    }

    @Activity(name = "echo", version = "2.0")
    Object echoTwo(Object value) {
        Map<String, Object> told = new LinkedHashMap<>();
        told.put("version", 2);
        told.put("value", value);
        return told;
    }

    @Activity
    void nothing() {}

    @Activity
    long add(long a, Optional<Long> b) {
        return a + b.orElse(1L);
    }

    @Activity
    Object single(Object document) {
        return document;
    }

    @Activity
    Object make(String what) {
        List<Object> ring = new ArrayList<>();
        ring.add(ring);
        return switch (what) {
            case "nan" -> Map.of("list", List.of(1.5, Double.NaN));
            case "infinity" -> new double[] {Double.NEGATIVE_INFINITY};
            case "surrogate" -> "\ud800";
            case "object" -> new Object();
            case "ring" -> ring;
            default -> throw new IllegalArgumentException(what);
        };
    }

    @Activity
    String big(int length, Optional<String> text) {
        return text.orElse("x").repeat(length);
    }

    @Activity
    Map<String, Object> facts() {
        ActivityContext context = ActivityContext.current();
        Optional<Duration> left = context.timeLeft();
        Map<String, Object> facts = new LinkedHashMap<>();
        facts.put("attempt", context.attempt());
        facts.put("workflow_id", context.workflowId());
        facts.put("run_id", context.runId());
        facts.put("activity_id", context.activityId());
        facts.put("key", context.idempotencyKey());
        facts.put("last_progress", context.lastProgress(JsonNode.class).orElse(null));
        facts.put("headers", new TreeMap<>(context.headers()));
        facts.put("has_time_limit", left.isPresent());
        facts.put(
                "time_left_is_right",
                left.map(time -> !time.isNegative() && time.compareTo(Duration.ofSeconds(30)) <= 0)
                        .orElse(true));
        return facts;
    }
}
