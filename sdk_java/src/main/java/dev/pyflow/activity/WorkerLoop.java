// The life of a worker: dial, hello, serve, reconnect, drain. One thread writes, gRPC's reads, the pool's run tasks.
package dev.pyflow.activity;

import com.google.protobuf.ByteString;
import dev.pyflow.api.v1.Cancel;
import dev.pyflow.api.v1.GoAway;
import dev.pyflow.api.v1.Hello;
import dev.pyflow.api.v1.HostFrame;
import dev.pyflow.api.v1.Limits;
import dev.pyflow.api.v1.Outcome;
import dev.pyflow.api.v1.OutcomeAck;
import dev.pyflow.api.v1.Payload;
import dev.pyflow.api.v1.Task;
import dev.pyflow.api.v1.Welcome;
import dev.pyflow.api.v1.WorkerFrame;
import io.grpc.ManagedChannel;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;

final class WorkerLoop implements HostStream.Listener {
    static final Duration WELCOME_TIMEOUT = Duration.ofSeconds(10);
    static final int SILENT_INTERVALS_MAX = 3;

    /** For a host that tells no ping interval. */
    private static final Duration PING_INTERVAL_DEFAULT = Duration.ofSeconds(10);

    /** Tasks that were on their way when Draining was sent come within this time. */
    private static final Duration DRAIN_LINGER = Duration.ofMillis(200);

    /** How long the host may take to close its side after a drain; nothing depends on it. */
    private static final Duration GOODBYE_TIMEOUT = Duration.ofSeconds(2);

    /**
     * What ends within this time travels in one frame. A frame costs the host far more than an item in it; an outcome
     * with no other function running never waits.
     */
    private static final long BUNDLE_NS = Duration.ofMillis(1).toNanos();

    private final HostOptions host;
    private final Hello greeting;
    private final Map<String, ActivityMethod> activities;
    private final ExecutorService pool;
    private final Patience patience;

    private volatile boolean answered;

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();

    // All below is guarded by the lock.
    private final HeldTasks held;
    private Limits limits = HostLimits.SWF;
    private HostStream stream;
    private boolean welcomed;
    private Optional<StreamEnd> end = Optional.empty();
    private long heardAtNs;
    private long silenceMaxNs;
    private long busyAtNs;

    WorkerLoop(
            HostOptions host,
            Hello greeting,
            Map<String, ActivityMethod> activities,
            ExecutorService pool,
            Patience patience) {
        this.host = host;
        this.greeting = greeting;
        this.activities = activities;
        this.pool = pool;
        this.patience = patience;
        this.held = new HeldTasks(greeting.getSlots());
    }

    /** Serves until drained. An interrupt ends it at once, tasks or not. */
    void run() throws InterruptedException {
        int failures = 0;
        patience.restart(System.nanoTime());
        while (true) {
            StreamEnd ended = serve();
            if (ended instanceof StreamEnd.Drained || drainedOffline()) {
                return;
            }
            if (ended instanceof StreamEnd.Refused refused) {
                throw new WorkerException.Refused(
                        refused.reason(),
                        "the activity host at " + host.address() + " sent this worker away (" + refused.reason() + "): "
                                + refused.message());
            }
            StreamEnd.Cut cut = (StreamEnd.Cut) ended;
            if (answered) {
                patience.answered();
            }
            if (cut.welcomed()) {
                Log.warn("the stream to the activity host at " + host.address() + " ended (" + cut.why()
                        + "); reconnecting, running tasks go on");
                failures = 0;
                patience.restart(System.nanoTime());
            } else {
                if (failures == 0) {
                    Log.warn("cannot reach an activity host at " + host.address() + " (" + host.explain(cut.why())
                            + "); trying on" + patience + ". Is `pyflow host` running there?");
                }
                failures++;
            }
            pause(Backoff.delay(failures, () -> ThreadLocalRandom.current().nextDouble()), cut);
        }
    }

    /** No more tasks; run() returns when those at hand are done and acked. */
    void drain() {
        change(held::drain);
    }

    private void change(Runnable what) {
        lock.lock();
        try {
            what.run();
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    private boolean drainedOffline() {
        lock.lock();
        try {
            return held.draining() && held.isEmpty();
        } finally {
            lock.unlock();
        }
    }

    private void pause(Duration delay, StreamEnd.Cut cut) throws InterruptedException {
        long now = System.nanoTime();
        long left = patience.leftNs(now);
        if (left <= 0) {
            throw new WorkerException.Unreachable("no activity host answered at " + host.address() + patience + " ("
                    + host.explain(cut.why()) + "): gave up. Start one there (pyflow host --listen " + host.address()
                    + "), or give another address (--host).");
        }
        long wanted = Math.max(delay.toNanos(), cut.reconnectAfter().toNanos());
        long until = now + Math.min(wanted, left);
        lock.lock();
        try {
            while (!(held.draining() && held.isEmpty()) && until - System.nanoTime() > 0) {
                changed.awaitNanos(until - System.nanoTime());
            }
        } finally {
            lock.unlock();
        }
    }

    /** One stream from dial to end. */
    private StreamEnd serve() throws InterruptedException {
        ManagedChannel channel;
        Hello hello;
        try {
            channel = host.open();
            hello = hello();
        } catch (WorkerException.Misused e) { // a token or certificate that is just being replaced
            return new StreamEnd.Cut(e.getMessage(), false, Duration.ZERO);
        }
        HostStream opened = new HostStream(this);
        try {
            begin(opened);
            opened.open(channel);
            opened.send(WorkerFrame.newBuilder().setHello(hello).build());
            return write(opened);
        } finally {
            lock.lock();
            stream = null;
            lock.unlock();
            channel.shutdownNow();
        }
    }

    private Hello hello() {
        Hello.Builder hello = greeting.toBuilder();
        host.readToken().ifPresent(hello::setAuthToken);
        lock.lock();
        try {
            return hello.addAllResume(held.list()).build();
        } finally {
            lock.unlock();
        }
    }

    private void begin(HostStream opened) {
        lock.lock();
        try {
            stream = opened;
            welcomed = false;
            end = Optional.empty();
            heardAtNs = System.nanoTime();
            silenceMaxNs = WELCOME_TIMEOUT.toNanos();
            held.streamOpened();
        } finally {
            lock.unlock();
        }
    }

    /** Sends what there is to send until the stream ends. */
    private StreamEnd write(HostStream opened) throws InterruptedException {
        boolean goodbye = false;
        lock.lockInterruptibly();
        try {
            while (true) {
                if (end.isPresent()) {
                    return goodbye ? new StreamEnd.Drained() : end.get();
                }
                long now = System.nanoTime();
                long wait = silenceMaxNs - (now - heardAtNs);
                if (wait <= 0) {
                    opened.abort("silent");
                    return goodbye
                            ? new StreamEnd.Drained()
                            : new StreamEnd.Cut("silent for " + silenceMaxNs / 1e9 + " s", welcomed, Duration.ZERO);
                }
                Optional<WorkerFrame> frame =
                        welcomed && opened.ready() ? held.nextFrame(frameBytesMax()) : Optional.empty();
                if (frame.isPresent()) {
                    busyAtNs = now;
                    boolean moreToCome = held.busy();
                    lock.unlock(); // never send under the lock: gRPC may call back at once
                    try {
                        opened.send(frame.get());
                        if (moreToCome) {
                            LockSupport.parkNanos(BUNDLE_NS);
                        }
                    } finally {
                        lock.lock();
                    }
                    continue;
                }
                if (!goodbye && held.drained()) {
                    long linger = DRAIN_LINGER.toNanos() - (now - busyAtNs);
                    if (linger <= 0) {
                        goodbye = true;
                        heardAtNs = now;
                        silenceMaxNs = GOODBYE_TIMEOUT.toNanos();
                        lock.unlock();
                        try {
                            opened.finishSending();
                        } finally {
                            lock.lock();
                        }
                        continue;
                    }
                    wait = Math.min(wait, linger);
                }
                changed.awaitNanos(wait);
            }
        } finally {
            lock.unlock();
        }
    }

    private int frameBytesMax() {
        return limits.getFrameBytesMax() == 0 ? Integer.MAX_VALUE : limits.getFrameBytesMax();
    }

    @Override
    public void writable() {
        change(() -> {});
    }

    @Override
    public void ended(HostStream which, String why) {
        change(() -> end(which, new StreamEnd.Cut(why, welcomed, Duration.ZERO)));
    }

    /** The first reason counts: what follows a GoAway is only its echo. A stream of the past has no say. */
    private void end(HostStream which, StreamEnd reason) {
        if (which == stream && end.isEmpty()) {
            end = Optional.of(reason);
        }
    }

    @Override
    public void received(HostStream which, HostFrame frame) {
        Optional<WorkerFrame> answer = Optional.empty();
        lock.lock();
        try {
            if (which != stream || end.isPresent()) {
                return;
            }
            heardAtNs = System.nanoTime();
            answered = true;
            if (frame.hasWelcome()) {
                welcome(frame.getWelcome());
            }
            frame.getTasksList().forEach(this::take);
            for (Cancel cancel : frame.getCancelsList()) {
                held.cancel(cancel.getTaskToken(), cancel.getReason());
            }
            frame.getAcksList().forEach(this::ack);
            if (frame.hasPing()) {
                answer = Optional.of(status(frame.getPing().getNonce()));
            }
            if (frame.hasGoAway()) {
                goAway(which, frame.getGoAway());
            }
            changed.signalAll();
        } finally {
            lock.unlock();
        }
        answer.ifPresent(which::send);
    }

    private void welcome(Welcome welcome) {
        welcomed = true;
        limits = HostLimits.of(welcome.getLimits());
        Duration interval = Durations.of(welcome.getPingInterval());
        silenceMaxNs = (interval.isZero() ? PING_INTERVAL_DEFAULT : interval).toNanos() * SILENT_INTERVALS_MAX;
        held.welcomed(welcome.getResumedList());
        Log.info("connected to the activity host at " + host.address() + ": serving " + activities.values()
                + " on task list "
                + greeting.getTaskList() + " of domain " + welcome.getDomain() + ", " + greeting.getSlots()
                + " at a time"
                + (held.isEmpty() ? "" : "; resumed " + held.size() + " tasks"));
    }

    private void take(Task task) {
        TaskContext context = new TaskContext(task, limits, this::progress);
        busyAtNs = System.nanoTime();
        if (held.take(context)) {
            Limits now = limits;
            pool.execute(() -> finish(TaskRun.run(activities, context, now)));
        } else {
            Log.warn("the host sent a task twice, the second is ignored: " + said(task));
        }
    }

    private void finish(Outcome outcome) {
        change(() -> held.finish(outcome));
    }

    private void progress(ByteString token, Payload details) {
        change(() -> held.progress(token, details));
    }

    private void ack(OutcomeAck ack) {
        Optional<Task> settled = held.acked(ack.getTaskToken());
        switch (ack.getStatus()) {
            case ACK_STATUS_REPORTED, ACK_STATUS_DUPLICATE -> {}
            default -> Log.warn("the host did not take the outcome of "
                    + settled.map(WorkerLoop::said).orElse("a task that is not held here") + " (" + ack.getStatus()
                    + "): " + ack.getMessage());
        }
    }

    private static String said(Task task) {
        return "activity " + task.getActivityName() + " of workflow " + task.getWorkflowId() + ", activity id "
                + task.getActivityId();
    }

    private WorkerFrame status(long nonce) {
        return WorkerFrame.newBuilder()
                .setStatus(dev.pyflow.api.v1.Status.newBuilder()
                        .setNonce(nonce)
                        .addAllHeld(held.list())
                        .setSlotsFree(held.slotsFree()))
                .build();
    }

    private void goAway(HostStream which, GoAway goAway) {
        String reason = goAway.getReason().name().replace("GO_AWAY_REASON_", "");
        end(
                which,
                switch (goAway.getReason()) {
                    case GO_AWAY_REASON_UNAUTHENTICATED, GO_AWAY_REASON_INCOMPATIBLE, GO_AWAY_REASON_SUPERSEDED ->
                        new StreamEnd.Refused(reason, goAway.getMessage());
                    default ->
                        new StreamEnd.Cut(
                                reason + ": " + goAway.getMessage(),
                                welcomed,
                                Durations.of(goAway.getReconnectAfter()));
                });
    }
}
