// SIGTERM and SIGINT: the first asks the worker to drain, the second ends the process.
package dev.pyflow.activity;

import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * A signal handler instead of a shutdown hook: during a JVM's shutdown loggers are closed and the exit code is already
 * 143, and a clean drain must exit 0. The JDK's class for it has no official name, hence the reflection.
 */
final class StopSignals implements AutoCloseable {
    private static final int EXIT_BY_SIGNAL = 128;
    private static final Map<String, Integer> NUMBERS = Map.of("TERM", 15, "INT", 2);

    private final Map<Object, Object> before = new LinkedHashMap<>();
    private Method handle;

    /**
     * @param drain called on the first signal
     */
    StopSignals(Runnable drain) {
        AtomicBoolean asked = new AtomicBoolean();
        try {
            Class<?> signal = Class.forName("sun.misc.Signal");
            Class<?> handler = Class.forName("sun.misc.SignalHandler");
            handle = signal.getMethod("handle", signal, handler);
            for (Map.Entry<String, Integer> entry : NUMBERS.entrySet()) {
                Object ours = Proxy.newProxyInstance(
                        handler.getClassLoader(),
                        new Class<?>[] {handler},
                        (proxy, method, arguments) -> switch (method.getName()) {
                            case "handle" -> {
                                received(asked, entry, drain);
                                yield null;
                            }
                            case "hashCode" -> System.identityHashCode(proxy);
                            case "equals" -> proxy == arguments[0];
                            default -> "worker's handler";
                        });
                Object which = signal.getConstructor(String.class).newInstance(entry.getKey());
                before.put(which, handle.invoke(null, which, ours));
            }
        } catch (ReflectiveOperationException e) {
            Log.warn("this Java lets nobody handle signals (" + e + "): SIGTERM ends the worker without a drain");
        }
    }

    private static void received(AtomicBoolean asked, Map.Entry<String, Integer> signal, Runnable drain) {
        if (asked.compareAndSet(false, true)) {
            Log.info("SIG" + signal.getKey()
                    + ": no new tasks, finishing those at hand; a second signal ends the worker at once");
            drain.run();
        } else {
            Log.warn("SIG" + signal.getKey() + " again: ending at once");
            Runtime.getRuntime().halt(EXIT_BY_SIGNAL + signal.getValue());
        }
    }

    /** Puts back what handled the signals before. */
    @Override
    public void close() {
        before.forEach((signal, handler) -> {
            try {
                handle.invoke(null, signal, handler);
            } catch (ReflectiveOperationException e) {
                Log.warn("a signal's former handler could not be put back: " + e);
            }
        });
    }
}
