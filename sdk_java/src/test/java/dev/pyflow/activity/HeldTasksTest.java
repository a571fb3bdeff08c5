// The table of held tasks: credits, frames, resume, without a stream.
package dev.pyflow.activity;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import dev.pyflow.api.v1.CancelReason;
import dev.pyflow.api.v1.Completed;
import dev.pyflow.api.v1.Outcome;
import dev.pyflow.api.v1.Payload;
import dev.pyflow.api.v1.ResumeAnswer;
import dev.pyflow.api.v1.Task;
import dev.pyflow.api.v1.TaskState;
import dev.pyflow.api.v1.WorkerFrame;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

final class HeldTasksTest {
    private static final int FRAME_BYTES_MAX = 1 << 20;

    private final HeldTasks held = new HeldTasks(2);

    private static ByteString token(String text) {
        return ByteString.copyFromUtf8(text);
    }

    private static TaskContext task(String name) {
        return new TaskContext(
                Task.newBuilder().setTaskToken(token(name)).build(), ScriptedHost.LIMITS, (token, details) -> {});
    }

    private static Outcome done(String name) {
        Payload result = Payload.newBuilder()
                .setData(ByteString.copyFrom(new byte[1_000]))
                .build();
        return Outcome.newBuilder()
                .setTaskToken(token(name))
                .setCompleted(Completed.newBuilder().setResult(result))
                .build();
    }

    private static Payload details(String text) {
        return Payload.newBuilder().setData(token(text)).build();
    }

    private WorkerFrame frame() {
        return held.nextFrame(FRAME_BYTES_MAX).orElseThrow();
    }

    private void quiet() {
        assertTrue(held.nextFrame(FRAME_BYTES_MAX).isEmpty());
    }

    @Test
    void whatEndsBetweenHelloAndWelcomeIsSentOnce() {
        held.take(task("a"));
        held.streamOpened();
        held.finish(done("a"));
        held.welcomed(List.of());
        assertEquals(1, frame().getOutcomesCount());
        quiet();
    }

    @Test
    void creditsAreGivenOnceForEachFreeSlot() {
        assertEquals(2, frame().getCredits());
        quiet();
        held.take(task("a"));
        quiet();
        held.finish(done("a"));
        WorkerFrame frame = frame();
        assertEquals(1, frame.getCredits());
        assertEquals(1, frame.getOutcomesCount());
        quiet();
    }

    @Test
    void moreTasksThanCreditsGiveNoCreditsTooMany() {
        assertEquals(2, frame().getCredits());
        List.of("a", "b", "c").forEach(name -> assertTrue(held.take(task(name))));
        quiet();
        held.finish(done("a"));
        assertEquals(0, frame().getCredits());
        held.finish(done("b"));
        assertEquals(1, frame().getCredits());
    }

    @Test
    void aNewStreamStartsFromTheFreeSlots() {
        frame();
        held.take(task("a"));
        held.streamOpened();
        held.welcomed(List.of(ResumeAnswer.newBuilder()
                .setTaskToken(token("a"))
                .setWanted(true)
                .build()));
        assertEquals(1, frame().getCredits());
    }

    @Test
    void outcomesAreKeptUntilAcked() {
        held.take(task("a"));
        held.finish(done("a"));
        assertEquals(1, frame().getOutcomesCount());
        assertEquals(TaskState.TASK_STATE_FINISHED, held.list().get(0).getState());
        held.streamOpened();
        held.welcomed(List.of());
        assertEquals(1, frame().getOutcomesCount());
        assertEquals(Optional.of(token("a")), held.acked(token("a")).map(Task::getTaskToken));
        assertTrue(held.isEmpty());
        held.streamOpened();
        held.welcomed(List.of());
        assertEquals(0, frame().getOutcomesCount());
    }

    @Test
    void anAckOfARunningTaskMeansNothing() {
        held.take(task("a"));
        assertEquals(Optional.empty(), held.acked(token("a")));
        assertFalse(held.isEmpty());
    }

    @Test
    void theLatestProgressWinsAndGoesBeforeOutcomes() {
        held.take(task("a"));
        frame();
        held.progress(token("a"), details("1"));
        held.progress(token("a"), details("2"));
        held.finish(done("a"));
        held.progress(token("a"), details("too late"));
        held.progress(token("unknown"), details("0"));
        WorkerFrame first = frame();
        assertEquals(List.of(), first.getOutcomesList());
        assertEquals("2", first.getProgress(0).getDetails().getData().toStringUtf8());
        assertEquals(1, first.getProgressCount());
        assertEquals(1, frame().getOutcomesCount());
        quiet();
    }

    @Test
    void progressOfRunningTasksIsToldAgainToANewStream() {
        held.take(task("a"));
        held.progress(token("a"), details("1"));
        frame();
        held.streamOpened();
        held.welcomed(List.of());
        assertEquals(1, frame().getProgressCount());
    }

    @Test
    void framesAreSplitBelowTheLimit() {
        HeldTasks many = new HeldTasks(10);
        for (int i = 0; i < 10; i++) {
            many.take(task("t" + i));
            many.finish(done("t" + i));
        }
        int sent = 0;
        for (int frames = 0; frames < 5; frames++) {
            WorkerFrame frame = many.nextFrame(2_200).orElseThrow();
            assertTrue(frame.getSerializedSize() <= 2_200);
            sent += frame.getOutcomesCount();
        }
        assertEquals(10, sent);
        assertTrue(many.nextFrame(2_200).isEmpty());
    }

    @Test
    void whatIsNotWantedUsesItsSlotUntilItEnds() {
        TaskContext unwanted = task("a");
        held.take(unwanted);
        held.streamOpened();
        held.welcomed(List.of(ResumeAnswer.newBuilder().setTaskToken(token("a")).build()));
        assertTrue(held.isEmpty());
        assertEquals("LEASE_LOST", unwanted.cancelReason().orElseThrow());
        assertEquals(1, frame().getCredits());
        held.finish(done("a"));
        WorkerFrame frame = frame();
        assertEquals(1, frame.getCredits());
        assertEquals(0, frame.getOutcomesCount());
    }

    @Test
    void drainingIsSaidOnceOnEachStreamAndEndsCredits() {
        held.drain();
        assertTrue(frame().hasDraining());
        quiet();
        held.streamOpened();
        held.welcomed(List.of());
        WorkerFrame frame = frame();
        assertTrue(frame.hasDraining());
        assertEquals(0, frame.getCredits());
    }

    @Test
    void unknownCancelReasonsReadAsRequested() {
        TaskContext context = task("a");
        held.take(context);
        held.cancel(token("a"), CancelReason.UNRECOGNIZED);
        assertEquals("REQUESTED", context.cancelReason().orElseThrow());
        held.cancel(token("a"), CancelReason.CANCEL_REASON_TIMED_OUT);
        assertEquals("TIMED_OUT", context.cancelReason().orElseThrow());
    }

    @Test
    void drainedMeansSaidAndAllAcked() {
        held.take(task("a"));
        held.drain();
        assertFalse(held.drained());
        frame();
        assertFalse(held.drained(), "a runs");
        held.finish(done("a"));
        frame();
        assertFalse(held.drained(), "a's outcome is not acked");
        held.acked(token("a"));
        assertTrue(held.drained());
        held.streamOpened();
        assertFalse(held.drained(), "this host has not heard it");
    }
}
