// The main method of a worker process: options in, exit code out.
package dev.pyflow.activity;

import java.util.Arrays;
import java.util.List;

/**
 * Runs a worker as a program.
 *
 * <pre>{@code
 * public static void main(String[] args) {
 *   ActivityMain.run(args, new Fingerprints());
 * }
 * }</pre>
 *
 * <p>Options are those of every worker ({@code --help} lists them). Exit codes: 0 drained, 1 given up or sent away
 * by the host, 2 wrong usage.
 */
public final class ActivityMain {
    private static final int EXIT_ENDED = 1;
    private static final int EXIT_USAGE = 2;

    private static final String FORMAT_PROPERTY = "java.util.logging.SimpleFormatter.format";
    private static final String ONE_LINE = "%1$tFT%1$tT.%1$tL %4$s %5$s%6$s%n";

    private ActivityMain() {}

    /**
     * Serves until SIGTERM or SIGINT, then ends the process.
     *
     * @param arguments the command line
     * @param activities objects whose methods are marked with {@link Activity}
     */
    public static void run(String[] arguments, Object... activities) {
        if (System.getProperty(FORMAT_PROPERTY) == null) {
            System.setProperty(FORMAT_PROPERTY, ONE_LINE);
        }
        int code = exitCode(arguments, List.of(activities));
        System.out.flush();
        System.err.flush();
        System.exit(code);
    }

    private static int exitCode(String[] arguments, List<Object> activities) {
        if (Arrays.asList(arguments).contains("--help")) {
            System.out.print(Options.USAGE);
            return 0;
        }
        try {
            ActivityWorker.Builder builder = ActivityWorker.builder();
            Options.apply(arguments, builder);
            activities.forEach(builder::register);
            try (ActivityWorker worker = builder.build()) {
                worker.run();
            }
            return 0;
        } catch (WorkerException.Misused e) {
            System.err.println(e.getMessage() + "\n\n" + Options.USAGE);
            return EXIT_USAGE;
        } catch (WorkerException e) {
            System.err.println(e.getMessage());
            return EXIT_ENDED;
        }
    }
}
