// What a worker says to whoever runs it: few lines, no payloads, no tokens.
package dev.pyflow.activity;

final class Log {
    private static final System.Logger LOGGER = System.getLogger("dev.pyflow.activity");

    private Log() {}

    static void info(String line) {
        LOGGER.log(System.Logger.Level.INFO, line);
    }

    static void warn(String line) {
        LOGGER.log(System.Logger.Level.WARNING, line);
    }

    static void error(String line) {
        LOGGER.log(System.Logger.Level.ERROR, line);
    }
}
