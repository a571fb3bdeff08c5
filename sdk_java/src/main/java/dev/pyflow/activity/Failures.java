// What an activity threw, as the contract tells it: type, message, stack, causes.
package dev.pyflow.activity;

import com.google.protobuf.ByteString;
import dev.pyflow.api.v1.Failure;
import dev.pyflow.api.v1.Limits;
import dev.pyflow.api.v1.Payload;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

final class Failures {
    static final String LANGUAGE = "java";

    /** SWF keeps 256 characters of the type. */
    private static final int TYPE_LENGTH_MAX = 256;

    /** SWF keeps 32,768 characters of everything together; more only costs the way to the host. */
    private static final int TEXT_LENGTH_MAX = 32_768;

    private static final int STACK_FRAMES_MAX = 200;
    private static final Pattern REFLECTION = Pattern.compile("(java|jdk\\.internal)\\.(lang\\.)?(reflect|invoke)\\.");

    private Failures() {}

    static Failure of(Throwable thrown, Limits limits) {
        Set<Throwable> seen = Collections.newSetFromMap(new IdentityHashMap<>());
        return of(thrown, limits, seen, limits.getCauseDepthMax());
    }

    private static Failure of(Throwable thrown, Limits limits, Set<Throwable> seen, int causesLeft) {
        seen.add(thrown);
        Failure.Builder failure = Failure.newBuilder().setSourceLanguage(LANGUAGE);
        failure.setType(cut(type(thrown), TYPE_LENGTH_MAX)).setStackTrace(stack(thrown));
        String message = message(thrown);
        if (thrown instanceof ActivityFailure told) {
            failure.setNonRetryable(told.nonRetryable());
            told.nextRetryDelay().map(Durations::of).ifPresent(failure::setNextRetryDelay);
            try {
                details(told, limits).ifPresent(failure::setDetails);
            } catch (Json.Unfit e) {
                message += " (its details were left out: " + e.getMessage() + ")";
            }
        }
        failure.setMessage(cut(message, TEXT_LENGTH_MAX));
        Throwable cause = thrown.getCause();
        if (cause != null && causesLeft > 0 && !seen.contains(cause)) {
            failure.setCause(of(cause, limits, seen, causesLeft - 1));
        }
        return failure.build();
    }

    private static String type(Throwable thrown) {
        if (thrown instanceof ActivityFailure told) {
            return told.type();
        }
        String simple = thrown.getClass().getSimpleName();
        if (!simple.isEmpty()) {
            return simple;
        }
        String binary = thrown.getClass().getName(); // an anonymous class: Outer$1
        return binary.substring(binary.lastIndexOf('.') + 1);
    }

    private static String message(Throwable thrown) {
        try {
            return Optional.ofNullable(thrown.getMessage()).orElse("");
        } catch (RuntimeException e) {
            return "(getMessage() of " + thrown.getClass().getName() + " threw "
                    + e.getClass().getName() + ")";
        }
    }

    private static Optional<Payload> details(ActivityFailure told, Limits limits) throws Json.Unfit {
        if (told.details().isEmpty()) {
            return Optional.empty();
        }
        Payload details = Json.write(told.details().get());
        if (details.getData().size() > limits.getPayloadBytesMax()
                || Json.characters(details) > limits.getResultCharsMax()) {
            throw new Json.Unfit("they are longer than the host's " + limits.getResultCharsMax() + " characters", null);
        }
        return Optional.of(details);
    }

    /** The frames of this one alone: causes travel in a field of their own. */
    private static String stack(Throwable thrown) {
        StringBuilder text = new StringBuilder(thrown.getClass().getName());
        String message = message(thrown);
        if (!message.isEmpty()) {
            text.append(": ").append(cut(message, TEXT_LENGTH_MAX));
        }
        List<StackTraceElement> frames = withoutTheCaller(thrown.getStackTrace());
        frames.stream().limit(STACK_FRAMES_MAX).forEach(frame -> text.append("\n\tat ")
                .append(frame));
        if (frames.size() > STACK_FRAMES_MAX) {
            text.append("\n\t... ").append(frames.size() - STACK_FRAMES_MAX).append(" more");
        }
        return wellFormed(text.toString());
    }

    /** The frames from the activity's method inward. How this library came to call it only costs room on SWF. */
    private static List<StackTraceElement> withoutTheCaller(StackTraceElement[] frames) {
        int end = frames.length;
        for (int i = frames.length - 1; i >= 0; i--) {
            if (frames[i].getClassName().equals(ActivityMethod.class.getName())
                    && frames[i].getMethodName().equals("call")) {
                end = i;
            }
        }
        while (end > 1
                && end < frames.length
                && REFLECTION.matcher(frames[end - 1].getClassName()).lookingAt()) {
            end--;
        }
        return List.of(frames).subList(0, end);
    }

    private static String cut(String text, int lengthMax) {
        String kept = text.length() <= lengthMax ? text : text.substring(0, lengthMax);
        return wellFormed(kept);
    }

    /** Protobuf refuses lone surrogates; a failure must get through all the same. */
    private static String wellFormed(String text) {
        return ByteString.copyFromUtf8(text).toStringUtf8();
    }
}
