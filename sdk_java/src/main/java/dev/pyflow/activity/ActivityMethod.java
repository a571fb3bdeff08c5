// One registered method: its type on SWF, and how a task's input becomes its arguments.
package dev.pyflow.activity;

import com.fasterxml.jackson.databind.JavaType;
import com.fasterxml.jackson.databind.JsonNode;
import dev.pyflow.api.v1.ActivityType;
import dev.pyflow.api.v1.Payload;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Parameter;
import java.time.Duration;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/** The rule for arguments is the one of proto/README.md, the same in every language. */
final class ActivityMethod {
    private static final int NAME_LENGTH_MAX = 256;
    private static final int VERSION_LENGTH_MAX = 64;
    private static final int DESCRIPTION_LENGTH_MAX = 1_024;

    private final Object owner;
    private final Method method;
    private final ActivityType type;
    private final List<Argument> parameters;
    private final Set<String> names;

    private record Argument(String name, JavaType type) {
        /** Java has no default values; an Optional parameter may be left out. */
        boolean optional() {
            return type.hasRawClass(Optional.class);
        }
    }

    private ActivityMethod(Object owner, Method method, Activity activity) {
        this.owner = owner;
        this.method = method;
        this.type = typeOf(method, activity);
        this.parameters = Arrays.stream(method.getParameters())
                .map(parameter -> new Argument(parameter.getName(), Json.type(parameter.getParameterizedType())))
                .toList();
        boolean named =
                activity.spread() && Arrays.stream(method.getParameters()).allMatch(Parameter::isNamePresent);
        this.names = named ? parameters.stream().map(Argument::name).collect(Collectors.toUnmodifiableSet()) : Set.of();
        method.setAccessible(true);
    }

    /** All methods of an object that are marked, those of its superclasses included. */
    static List<ActivityMethod> of(Object owner) {
        List<ActivityMethod> found = new ArrayList<>();
        Set<String> overridden = new HashSet<>();
        for (Class<?> type = owner.getClass(); type != null; type = type.getSuperclass()) {
            for (Method method : type.getDeclaredMethods()) {
                Activity activity = method.getAnnotation(Activity.class);
                if (activity != null
                        && overridden.add(method.getName() + Arrays.toString(method.getParameterTypes()))) {
                    found.add(new ActivityMethod(owner, method, activity));
                }
            }
        }
        if (found.isEmpty()) {
            throw new WorkerException.Misused(
                    owner.getClass().getName() + " has no method marked with @Activity: nothing to serve");
        }
        return found;
    }

    ActivityType type() {
        return type;
    }

    /** A key for the table of activities. */
    static String key(String name, String version) {
        return name + '\0' + version;
    }

    /**
     * Calls the method with a task's input.
     *
     * @throws Throwable what the method throws, or an ActivityFailure if the input cannot be its arguments
     */
    Object call(Optional<Payload> input) throws Throwable {
        Object[] arguments = input.isEmpty() ? bind(List.of()) : arguments(input.get());
        try {
            return method.invoke(owner, arguments);
        } catch (InvocationTargetException e) {
            throw e.getCause();
        }
    }

    private Object[] arguments(Payload input) {
        JsonNode value;
        try {
            value = Json.readTree(input);
        } catch (Json.Unfit e) {
            throw new ActivityFailure(
                            "pyflow.BadInput", "the input of " + this + " cannot be read: " + e.getMessage(), e)
                    .asNonRetryable();
        }
        if (spreads(value)) {
            return bind(parameters.stream()
                    .map(parameter -> Optional.ofNullable(value.get(parameter.name())))
                    .toList());
        }
        if (parameters.isEmpty() && !value.isNull()) {
            throw bad("it takes no argument" + keys(value), null);
        }
        return bind(parameters.isEmpty() ? List.of() : List.of(Optional.of(value)));
    }

    private boolean spreads(JsonNode value) {
        if (!value.isObject() || value.isEmpty()) {
            return false;
        }
        for (Iterator<String> keys = value.fieldNames(); keys.hasNext(); ) {
            if (!names.contains(keys.next())) {
                return false;
            }
        }
        return true;
    }

    /** Values in the order of the parameters; those at the end may be missing. */
    private Object[] bind(List<Optional<JsonNode>> values) {
        Object[] arguments = new Object[parameters.size()];
        for (int i = 0; i < arguments.length; i++) {
            Argument parameter = parameters.get(i);
            Optional<JsonNode> value = i < values.size() ? values.get(i) : Optional.empty();
            if (value.isEmpty() && !parameter.optional()) {
                throw bad("required parameter '" + parameter.name() + "' has no value" + keysOf(values), null);
            }
            arguments[i] = value.isEmpty() ? Optional.empty() : convert(parameter, value.get());
        }
        return arguments;
    }

    private Object convert(Argument parameter, JsonNode value) {
        try {
            if (parameter.optional()) {
                return value.isNull()
                        ? Optional.empty()
                        : Optional.of(Json.convert(value, parameter.type().containedTypeOrUnknown(0)));
            }
            return Json.convert(value, parameter.type());
        } catch (Json.Unfit e) {
            throw bad("parameter '" + parameter.name() + "': " + e.getMessage() + keys(value), e);
        }
    }

    private String keysOf(List<Optional<JsonNode>> values) {
        if (values.size() == parameters.size() && values.size() > 1) {
            List<String> given = new ArrayList<>();
            for (int i = 0; i < values.size(); i++) {
                if (values.get(i).isPresent()) {
                    given.add(parameters.get(i).name());
                }
            }
            return "; the input has " + given;
        }
        return values.isEmpty() || values.get(0).isEmpty()
                ? "; there is no input"
                : keys(values.get(0).get());
    }

    private static String keys(JsonNode value) {
        if (!value.isObject()) {
            return "; the input is of type " + value.getNodeType().name().toLowerCase(java.util.Locale.ROOT);
        }
        List<String> keys = new ArrayList<>();
        value.fieldNames().forEachRemaining(keys::add);
        return "; the input has " + keys;
    }

    private ActivityFailure bad(String what, Throwable cause) {
        return new ActivityFailure("pyflow.BadArguments", this + ": " + what, cause).asNonRetryable();
    }

    @Override
    public String toString() {
        String list = parameters.stream().map(Argument::name).collect(Collectors.joining(", ", "(", ")"));
        return "activity " + type.getName() + " " + type.getVersion() + list;
    }

    private static ActivityType typeOf(Method method, Activity activity) {
        String name = activity.name().isEmpty() ? method.getName() : activity.name();
        ActivityType.Builder type = ActivityType.newBuilder()
                .setDescription(within(activity.description(), DESCRIPTION_LENGTH_MAX, method));
        type.setName(within(name, NAME_LENGTH_MAX, method));
        type.setVersion(within(activity.version(), VERSION_LENGTH_MAX, method));
        if (type.getVersion().isEmpty()) {
            throw new WorkerException.Misused("@Activity on " + method + " has an empty version");
        }
        duration(activity.startToCloseTimeout(), method).ifPresent(type::setStartToCloseTimeout);
        duration(activity.heartbeatTimeout(), method).ifPresent(type::setHeartbeatTimeout);
        duration(activity.scheduleToStartTimeout(), method).ifPresent(type::setScheduleToStartTimeout);
        duration(activity.scheduleToCloseTimeout(), method).ifPresent(type::setScheduleToCloseTimeout);
        return type.build();
    }

    private static String within(String text, int lengthMax, Method method) {
        if (text.length() > lengthMax) {
            throw new WorkerException.Misused(
                    "@Activity on " + method + ": '" + text + "' is longer than SWF's " + lengthMax + " characters");
        }
        return text;
    }

    private static Optional<com.google.protobuf.Duration> duration(String text, Method method) {
        if (text.isEmpty()) {
            return Optional.empty();
        }
        try {
            Duration duration = Duration.parse(text);
            if (duration.isNegative() || duration.isZero()) {
                throw new WorkerException.Misused(
                        "@Activity on " + method + ": a timeout must be positive, not " + text);
            }
            return Optional.of(Durations.of(duration));
        } catch (DateTimeParseException e) {
            throw new WorkerException.Misused(
                    "@Activity on " + method + ": '" + text + "' is no ISO-8601 duration such as PT60S", e);
        }
    }
}
