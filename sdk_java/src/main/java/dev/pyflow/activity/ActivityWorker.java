// The worker: what to serve, where, how much of it, and for how long.
package dev.pyflow.activity;

import dev.pyflow.api.v1.Hello;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Serves activities to one activity host over one stream.
 *
 * <p>{@link #run()} is for a process of its own: it reconnects for ever, drains on SIGTERM and SIGINT, then returns.
 * Inside a bigger program use {@link #start()} and {@link #close()}. A worker runs once.
 */
public final class ActivityWorker implements AutoCloseable {
    /** The version of this library. */
    public static final String SDK_VERSION = "3.0.0";

    /** How many tasks a worker may run at a time: the host caps credits there. */
    public static final int SLOTS_MAX = 1_000;

    private static final int CONTRACT_VERSION = 1;
    private static final int SLOTS_DEFAULT = 8;
    private static final int WORKER_NAME_LENGTH_MAX = 256;
    private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(30);

    /** Deep JSON is written and read by recursion. */
    private static final long STACK_BYTES = 8L * 1024 * 1024;

    private final WorkerLoop loop;
    private final ExecutorService pool;
    private final AtomicBoolean started = new AtomicBoolean();
    private final CompletableFuture<Void> done = new CompletableFuture<>();
    private volatile Thread thread;

    private ActivityWorker(Builder builder) {
        Hello.Builder hello = Hello.newBuilder()
                .setContractVersion(CONTRACT_VERSION)
                .setWorkerKey(UUID.randomUUID().toString())
                .setWorkerName(workerName())
                .setLanguage(Failures.LANGUAGE)
                .setSdkVersion(SDK_VERSION)
                .setRuntimeVersion(System.getProperty("java.runtime.version", ""))
                .setBuildId(builder.buildId)
                .setDomain(builder.domain)
                .setTaskList(builder.taskList)
                .setSlots(builder.slots);
        builder.activities.values().forEach(method -> hello.addActivityTypes(method.type()));
        this.pool = Executors.newFixedThreadPool(builder.slots, threads());
        Patience patience = new Patience(builder.startTimeout, builder.giveUpAfter);
        this.loop = new WorkerLoop(builder.host, hello.build(), Map.copyOf(builder.activities), pool, patience);
    }

    /**
     * A worker to be described. What is not set comes from the environment: {@code PYFLOW_HOST_ADDRESS},
     * {@code PYFLOW_TASK_LIST} and the others of proto/README.md.
     *
     * @return a new builder
     */
    public static Builder builder() {
        return new Builder(System.getenv());
    }

    /**
     * Serves until SIGTERM or SIGINT, finishes the tasks at hand, returns. An interrupt ends it at once, without
     * finishing them; the interrupt status is kept.
     *
     * @throws WorkerException.Refused if the host sends the worker away for good
     * @throws WorkerException.Unreachable if no host answered for as long as {@link Builder#startTimeout} or
     *     {@link Builder#giveUpAfter} allow
     */
    public void run() {
        StopSignals signals = new StopSignals(loop::drain);
        try (signals) {
            serve();
        }
    }

    /**
     * Serves in a thread of its own, without touching signals.
     *
     * @return this worker
     */
    public ActivityWorker start() {
        thread = new Thread(this::serveQuietly, "pyflow-worker");
        thread.setDaemon(true);
        thread.start();
        return this;
    }

    /**
     * Waits until the worker has ended. An interrupt ends the wait, not the worker; the interrupt status is kept.
     *
     * @throws WorkerException as {@link #run()} does
     */
    public void join() {
        try {
            done.get();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (java.util.concurrent.ExecutionException e) {
            throw e.getCause() instanceof WorkerException why ? why : new CompletionException(e.getCause());
        }
    }

    /** Asks for no more tasks and returns; {@link #run()} or {@link #join()} return when those at hand are done. */
    public void drain() {
        loop.drain();
    }

    /** Drains, waits up to 30 s for the tasks at hand, then drops what is left. */
    @Override
    public void close() {
        drain();
        if (started.get()) {
            try {
                done.get(CLOSE_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
            } catch (TimeoutException e) {
                Log.warn("tasks still run after " + CLOSE_TIMEOUT.toSeconds() + " s: the worker leaves them");
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            } catch (java.util.concurrent.ExecutionException e) {
                // join() tells; closing what has failed is no failure
            }
        }
        Optional.ofNullable(thread).ifPresent(Thread::interrupt);
        pool.shutdownNow();
    }

    private void serveQuietly() {
        try {
            serve();
        } catch (WorkerException e) {
            Log.error(e.getMessage());
        }
    }

    private void serve() {
        if (!started.compareAndSet(false, true)) {
            throw new IllegalStateException("a worker runs once: build another");
        }
        try {
            loop.run();
            done.complete(null);
        } catch (InterruptedException e) {
            done.complete(null);
            Thread.currentThread().interrupt();
        } catch (RuntimeException | Error e) {
            done.completeExceptionally(e);
            throw e;
        } finally {
            pool.shutdownNow();
        }
    }

    private static ThreadFactory threads() {
        AtomicInteger number = new AtomicInteger();
        return task -> {
            Thread thread = new Thread(null, task, "pyflow-activity-" + number.incrementAndGet(), STACK_BYTES);
            thread.setDaemon(true);
            return thread;
        };
    }

    private static String workerName() {
        String name = ManagementFactory.getRuntimeMXBean().getName(); // pid@host
        int at = name.indexOf('@');
        String told = name.substring(at + 1) + ":" + ProcessHandle.current().pid();
        return told.substring(0, Math.min(told.length(), WORKER_NAME_LENGTH_MAX));
    }

    /** Describes a worker. */
    public static final class Builder {
        private final Map<String, ActivityMethod> activities = new LinkedHashMap<>();
        private final HostOptions host;
        private String domain;
        private String taskList;
        private String buildId = "";
        private int slots;
        private Optional<Duration> startTimeout;
        private Optional<Duration> giveUpAfter;

        Builder(Map<String, String> environment) {
            host = new HostOptions(environment);
            domain = environment.getOrDefault("PYFLOW_DOMAIN", "");
            taskList = environment.getOrDefault("PYFLOW_TASK_LIST", "");
            slots = HostOptions.told(environment, "PYFLOW_SLOTS")
                    .map(text -> Options.whole("PYFLOW_SLOTS", text))
                    .orElse(SLOTS_DEFAULT);
            startTimeout = seconds(environment, "PYFLOW_START_TIMEOUT");
            giveUpAfter = seconds(environment, "PYFLOW_GIVE_UP_AFTER");
        }

        private static Optional<Duration> seconds(Map<String, String> environment, String name) {
            return HostOptions.told(environment, name).map(text -> Options.seconds(name, text));
        }

        /**
         * Where the host listens.
         *
         * @param address {@code unix:/path}, {@code name:7233} or {@code [::1]:7233}
         * @return this builder
         */
        public Builder host(String address) {
            host.address(Objects.requireNonNull(address, "address"));
            return this;
        }

        /**
         * The SWF domain to serve.
         *
         * @param name empty means the host's first domain
         * @return this builder
         */
        public Builder domain(String name) {
            domain = Objects.requireNonNull(name, "name");
            return this;
        }

        /**
         * The SWF activity task list to serve.
         *
         * @param name 1 to 256 characters
         * @return this builder
         */
        public Builder taskList(String name) {
            taskList = Objects.requireNonNull(name, "name");
            return this;
        }

        /**
         * Adds all methods of an object that are marked with {@link Activity}. They may run at the same time.
         *
         * @param object holds the methods; any visibility will do
         * @return this builder
         * @throws WorkerException.Misused if it has none, or a name and version is there already
         */
        public Builder register(Object object) {
            for (ActivityMethod method : ActivityMethod.of(object)) {
                ActivityMethod other = activities.putIfAbsent(
                        ActivityMethod.key(
                                method.type().getName(), method.type().getVersion()),
                        method);
                if (other != null) {
                    throw new WorkerException.Misused(method + " is registered twice: also as " + other);
                }
            }
            return this;
        }

        /**
         * How many tasks run at a time.
         *
         * @param count 1 to 1,000; without it 8
         * @return this builder
         */
        public Builder slots(int count) {
            slots = count;
            return this;
        }

        /**
         * Ends the worker when no host has answered within so long of its start. Without it the worker waits as long
         * as {@link #giveUpAfter} says, else 30 s.
         *
         * @param duration since the start
         * @return this builder
         */
        public Builder startTimeout(Duration duration) {
            startTimeout = Optional.of(duration);
            return this;
        }

        /**
         * Ends the worker when a host that had answered is gone for so long. Without it the worker tries for ever.
         *
         * @param duration since the last stream ended
         * @return this builder
         */
        public Builder giveUpAfter(Duration duration) {
            giveUpAfter = Optional.of(duration);
            return this;
        }

        /**
         * A name of the author's build, for operators to see.
         *
         * @param text free
         * @return this builder
         */
        public Builder buildId(String text) {
            buildId = Objects.requireNonNull(text, "text");
            return this;
        }

        /**
         * The bearer token, if the host asks for one. Read anew at every connect.
         *
         * @param file holds the token alone
         * @return this builder
         */
        public Builder tokenFile(Path file) {
            host.tokenFile(file);
            return this;
        }

        /**
         * Speaks TLS, trusting this authority instead of the system's.
         *
         * @param file PEM
         * @return this builder
         */
        public Builder tlsCa(Path file) {
            host.tlsCa(file);
            return this;
        }

        /**
         * Speaks TLS with a certificate of the worker's own.
         *
         * @param certificate PEM, the chain from the worker's up
         * @param key PEM, PKCS#8
         * @return this builder
         */
        public Builder tlsCertificate(Path certificate, Path key) {
            host.tlsCert(certificate);
            host.tlsKey(key);
            return this;
        }

        /**
         * Allows plaintext to an address that is neither a Unix socket nor loopback. Tokens and payloads can
         * then be read on the way.
         *
         * @return this builder
         */
        public Builder insecure() {
            host.insecure(true);
            return this;
        }

        /** For the options of a command line, which come one by one. */
        HostOptions hostOptions() {
            return host;
        }

        /**
         * Checks everything that can be checked without a host.
         *
         * @return the worker, not yet started
         * @throws WorkerException.Misused if something is missing or cannot work
         */
        public ActivityWorker build() {
            if (taskList.isEmpty()) {
                throw new WorkerException.Misused(
                        "no task list: give taskList(...) or --task-list, or set PYFLOW_TASK_LIST");
            }
            if (activities.isEmpty()) {
                throw new WorkerException.Misused("no activities: register an object with methods marked @Activity");
            }
            if (slots < 1 || slots > SLOTS_MAX) {
                throw new WorkerException.Misused("slots must be from 1 to " + SLOTS_MAX + ", not " + slots);
            }
            host.check();
            return new ActivityWorker(this);
        }
    }
}
