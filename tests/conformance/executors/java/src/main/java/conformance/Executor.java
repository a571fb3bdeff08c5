// The Java executor: a worker with the activities that the cases call. README.md tells what each must do.
package conformance;

import dev.pyflow.activity.ActivityMain;

/** Starts it; the cases configure it by the environment. */
public final class Executor {
    private Executor() {}

    /**
     * Serves until it is told to stop.
     *
     * @param arguments the options of every worker
     */
    public static void main(String[] arguments) {
        ActivityMain.run(arguments, new Values(), new Running(), new Failing());
    }
}
