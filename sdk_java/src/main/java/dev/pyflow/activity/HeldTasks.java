// The tasks a worker holds, what of them the host has not heard yet, and the credits: plain state, no threads, no
// clock.
package dev.pyflow.activity;

import com.google.protobuf.ByteString;
import com.google.protobuf.MessageLite;
import dev.pyflow.api.v1.CancelReason;
import dev.pyflow.api.v1.Draining;
import dev.pyflow.api.v1.HeldTask;
import dev.pyflow.api.v1.Outcome;
import dev.pyflow.api.v1.Payload;
import dev.pyflow.api.v1.Progress;
import dev.pyflow.api.v1.ResumeAnswer;
import dev.pyflow.api.v1.Task;
import dev.pyflow.api.v1.TaskState;
import dev.pyflow.api.v1.WorkerFrame;
import java.util.ArrayDeque;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Not safe for threads: the caller locks. */
final class HeldTasks {
    /** Bytes around an item in a frame, and around all of them: tags, lengths, credits, Draining. */
    private static final int ITEM_OVERHEAD_BYTES = 8;

    private static final int FRAME_OVERHEAD_BYTES = 64;

    private final int slots;
    private final Map<ByteString, Held> held = new LinkedHashMap<>();
    private final ArrayDeque<Outcome> unsentOutcomes = new ArrayDeque<>();
    private final Map<ByteString, Payload> unsentProgress = new LinkedHashMap<>();

    /** Functions running or waiting for their thread, those nobody wants any more included: they use slots. */
    private int busy;

    /** Credits the host has left on this stream. */
    private int granted;

    private boolean draining;
    private boolean drainingSent;

    private static final class Held {
        private final TaskContext context;
        private Optional<Payload> progress = Optional.empty();
        private Optional<Outcome> outcome = Optional.empty();

        Held(TaskContext context) {
            this.context = context;
        }
    }

    HeldTasks(int slots) {
        this.slots = slots;
    }

    /** A new stream has no credits and has heard nothing. */
    void streamOpened() {
        granted = 0;
        drainingSent = false;
        unsentOutcomes.clear();
        unsentProgress.clear();
    }

    /** Sends again what the host still wants; what it does not want is stopped and forgotten. */
    void welcomed(List<ResumeAnswer> answers) {
        for (ResumeAnswer answer : answers) {
            Held task = held.get(answer.getTaskToken());
            if (task != null && !answer.getWanted()) {
                held.remove(answer.getTaskToken());
                task.context.cancel(CancelReason.CANCEL_REASON_LEASE_LOST);
            }
        }
        // What ended or was told since the stream was opened is among the tasks held: it must not be sent twice.
        unsentOutcomes.clear();
        unsentProgress.clear();
        held.forEach((token, task) -> {
            task.outcome.ifPresentOrElse(
                    unsentOutcomes::add, () -> task.progress.ifPresent(payload -> unsentProgress.put(token, payload)));
        });
    }

    /**
     * A task has come.
     *
     * @return false if it is held already: it must not run twice
     */
    boolean take(TaskContext context) {
        granted = Math.max(0, granted - 1);
        if (held.putIfAbsent(context.task().getTaskToken(), new Held(context)) != null) {
            return false;
        }
        busy++;
        return true;
    }

    void cancel(ByteString token, CancelReason reason) {
        Held task = held.get(token);
        if (task != null) {
            task.context.cancel(reason);
        }
    }

    void progress(ByteString token, Payload details) {
        Held task = held.get(token);
        if (task != null && task.outcome.isEmpty()) {
            task.progress = Optional.of(details);
            unsentProgress.put(token, details);
        }
    }

    /** A function has ended. Its outcome goes nowhere if the host does not want it any more. */
    void finish(Outcome outcome) {
        busy--;
        Held task = held.get(outcome.getTaskToken());
        if (task != null) {
            task.outcome = Optional.of(outcome);
            unsentOutcomes.add(outcome);
        }
    }

    /**
     * Forgets a finished task for good; gives what was forgotten. An ack of a running one means nothing: its outcome
     * is yet to come.
     */
    Optional<Task> acked(ByteString token) {
        Held task = held.get(token);
        if (task == null || task.outcome.isEmpty()) {
            return Optional.empty();
        }
        held.remove(token);
        unsentProgress.remove(token);
        return Optional.of(task.context.task());
    }

    void drain() {
        draining = true;
    }

    boolean draining() {
        return draining;
    }

    /** The host knows that no more tasks are wanted, and has acked all there were. */
    boolean drained() {
        return drainingSent && held.isEmpty();
    }

    boolean isEmpty() {
        return held.isEmpty();
    }

    int size() {
        return held.size();
    }

    /** Whether functions run, or wait for their thread. */
    boolean busy() {
        return busy > 0;
    }

    int slotsFree() {
        return Math.max(0, slots - busy);
    }

    List<HeldTask> list() {
        return held.entrySet().stream()
                .map(entry -> HeldTask.newBuilder()
                        .setTaskToken(entry.getKey())
                        .setState(
                                entry.getValue().outcome.isPresent()
                                        ? TaskState.TASK_STATE_FINISHED
                                        : TaskState.TASK_STATE_RUNNING)
                        .build())
                .toList();
    }

    /**
     * What the host has not heard yet, as much as fits; empty if there is nothing.
     *
     * <p>Progress goes before outcomes, in a frame of its own: within one frame the host reads outcomes first, and
     * the last progress of a task that has just failed is what its next attempt begins from.
     */
    Optional<WorkerFrame> nextFrame(int frameBytesMax) {
        WorkerFrame.Builder frame = WorkerFrame.newBuilder();
        int left = frameBytesMax - FRAME_OVERHEAD_BYTES;
        if (!unsentProgress.isEmpty()) {
            for (Iterator<Map.Entry<ByteString, Payload>> entries =
                            unsentProgress.entrySet().iterator();
                    entries.hasNext(); ) {
                Map.Entry<ByteString, Payload> entry = entries.next();
                Progress item = Progress.newBuilder()
                        .setTaskToken(entry.getKey())
                        .setDetails(entry.getValue())
                        .build();
                left -= bytes(item);
                if (left < 0 && frame.getProgressCount() > 0) {
                    break;
                }
                frame.addProgress(item);
                entries.remove();
            }
        } else {
            while (!unsentOutcomes.isEmpty()) {
                left -= bytes(unsentOutcomes.peek());
                if (left < 0 && frame.getOutcomesCount() > 0) {
                    break;
                }
                frame.addOutcomes(unsentOutcomes.remove());
            }
        }
        return grantOrDrain(frame) || frame.getProgressCount() > 0 || frame.getOutcomesCount() > 0
                ? Optional.of(frame.build())
                : Optional.empty();
    }

    private boolean grantOrDrain(WorkerFrame.Builder frame) {
        if (draining) {
            if (drainingSent) {
                return false;
            }
            drainingSent = true;
            frame.setDraining(Draining.getDefaultInstance());
            return true;
        }
        int more = slots - busy - granted;
        if (more <= 0) {
            return false;
        }
        granted += more;
        frame.setCredits(more);
        return true;
    }

    private static int bytes(MessageLite item) {
        return item.getSerializedSize() + ITEM_OVERHEAD_BYTES;
    }
}
