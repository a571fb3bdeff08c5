// The annotation that makes a method an activity.
package dev.pyflow.activity;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Makes a method an activity type of SWF. The host registers the type with these defaults if SWF does not know it yet.
 *
 * <p>Arguments and results are JSON, read and written by Jackson; records do well. A JSON object all of whose keys are
 * names of parameters is spread over them, any other value is the single argument: compile with {@code -parameters}.
 *
 * <p>Timeouts are ISO-8601 durations such as {@code PT60S}; empty means SWF's {@code NONE}. Fractions of a
 * second round up.
 */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.METHOD)
public @interface Activity {
    /**
     * SWF's name of the type.
     *
     * @return 1 to 256 characters; empty means the name of the method
     */
    String name() default "";

    /**
     * SWF's version of the type.
     *
     * @return 1 to 64 characters
     */
    String version() default "1.0";

    /**
     * How long one attempt may run.
     *
     * @return an ISO-8601 duration, or empty for no limit
     */
    String startToCloseTimeout() default "";

    /**
     * How long SWF waits for a sign of life. The host gives it as long as this worker lives.
     *
     * @return an ISO-8601 duration, or empty for no limit
     */
    String heartbeatTimeout() default "";

    /**
     * How long a task may wait for a worker.
     *
     * @return an ISO-8601 duration, or empty for no limit
     */
    String scheduleToStartTimeout() default "";

    /**
     * How long waiting and running may take together.
     *
     * @return an ISO-8601 duration, or empty for no limit
     */
    String scheduleToCloseTimeout() default "";

    /**
     * One line for SWF's description of the type.
     *
     * @return at most 1,024 characters
     */
    String description() default "";

    /**
     * Whether a JSON object whose keys are all parameter names is spread over the parameters.
     *
     * @return false if the value always is the single argument
     */
    boolean spread() default true;
}
