// Which context belongs to the running thread.
package dev.pyflow.activity;

final class CurrentContext {
    private static final ThreadLocal<ActivityContext> CURRENT = new ThreadLocal<>();

    private CurrentContext() {}

    static ActivityContext get() {
        ActivityContext context = CURRENT.get();
        if (context == null) {
            throw new IllegalStateException(
                    "no activity runs on this thread: take ActivityContext.current() in the activity's own thread and"
                            + " hand it on");
        }
        return context;
    }

    static void set(ActivityContext context) {
        CURRENT.set(context);
    }

    static void clear() {
        CURRENT.remove();
    }
}
