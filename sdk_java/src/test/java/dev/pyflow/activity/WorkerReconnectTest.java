// The ends of streams: cuts, resume, silence, goodbyes, drain.
package dev.pyflow.activity;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.pyflow.api.v1.Draining;
import dev.pyflow.api.v1.GoAwayReason;
import dev.pyflow.api.v1.Outcome;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

final class WorkerReconnectTest extends StreamTest {
    @Test
    void afterACutTheWorkerResumesWhatItHolds() throws Exception {
        ScriptedHost.Connection first = connect(3);
        first.task("finished", "echo", "7");
        first.task("running", "gated", "\"r\"");
        first.task("acked", "echo", "8");
        first.outcome();
        first.outcome();
        first.ack("acked");
        first.ping(1);
        first.cut();

        ScriptedHost.Connection second = host.accept();
        assertEquals(first.hello.getWorkerKey(), second.hello.getWorkerKey());
        assertEquals(
                Set.of("finished:FINISHED", "running:RUNNING"),
                second.hello.getResumeList().stream()
                        .map(held -> held.getTaskToken().toStringUtf8() + ":"
                                + held.getState().name().replace("TASK_STATE_", ""))
                        .collect(Collectors.toSet()));
        second.welcome();
        assertEquals("7", json(second.outcome().getCompleted().getResult()));
        assertEquals(2, second.credits(), "slots less tasks still running");
        samples.gate.release();
        assertEquals("\"done r\"", json(second.outcome().getCompleted().getResult()));
        assertEquals(3, samples.calls.get(), "nothing ran twice");
    }

    @Test
    void aHeldTaskThatIsNotWantedIsStoppedAndForgotten() throws Exception {
        ScriptedHost.Connection first = connect(2);
        first.task("a", "patient", null);
        first.task("b", "echo", "1");
        first.outcome();
        first.complete();
        ScriptedHost.Connection second = host.accept();
        assertEquals(2, second.hello.getResumeCount());
        second.welcome(ScriptedHost.LIMITS, Duration.ofSeconds(10), false);
        assertEquals(1, second.credits(), "the slot is in use until the function has ended");
        assertEquals(0, second.ping(1).getHeldCount());
        samples.gate.release();
        assertEquals(1, second.credits());
        assertEquals("LEASE_LOST", samples.told);
        assertTrue(second.passedOver.stream().noneMatch(Outcome.class::isInstance), "its outcome goes nowhere");
    }

    @Test
    void aSilentHostIsLeft() throws Exception {
        start(1);
        host.accept()
                .welcome(ScriptedHost.LIMITS, Duration.ofMillis(50), true)
                .await(ScriptedHost.Connection.Ended.class);
        host.accept().welcome().ping(1);
    }

    @Test
    void finalGoodbyesEndTheWorker() throws Exception {
        for (GoAwayReason reason : List.of(
                GoAwayReason.GO_AWAY_REASON_UNAUTHENTICATED,
                GoAwayReason.GO_AWAY_REASON_INCOMPATIBLE,
                GoAwayReason.GO_AWAY_REASON_SUPERSEDED)) {
            start(1);
            host.accept().goAway(reason, "because of the test");
            WorkerException.Refused refused = assertThrows(WorkerException.Refused.class, worker::join);
            assertEquals(reason.name(), "GO_AWAY_REASON_" + refused.reason());
            assertTrue(refused.getMessage().contains("because of the test"));
        }
    }

    @Test
    void otherGoodbyesAndEndsLeadToAReconnect() throws Exception {
        start(1);
        host.acceptAndWelcome().goAway(GoAwayReason.GO_AWAY_REASON_HOST_DRAINING, "restarting");
        host.acceptAndWelcome().goAway(GoAwayReason.GO_AWAY_REASON_PROTOCOL_ERROR, "a test");
        host.acceptAndWelcome().complete();
        host.accept().cut();
        host.acceptAndWelcome().ping(1);
    }

    @Test
    void anotherHostAtTheSameAddressTakesOver() throws Exception {
        ScriptedHost.Connection first = connect(1);
        first.task("t", "gated", "\"x\"");
        first.ping(1);
        int port = host.port();
        host.close();
        samples.gate.release();
        host = ScriptedHost.tcp(port);
        ScriptedHost.Connection second = host.acceptAndWelcome();
        assertEquals(1, second.hello.getResumeCount());
        assertEquals("\"done x\"", json(second.outcome().getCompleted().getResult()));
    }

    @Test
    void aDrainFinishesRunsLateArrivalsAndSaysGoodbye() throws Exception {
        ScriptedHost.Connection stream = connect(2);
        stream.credits(); // a worker that drains before it grants any never does
        stream.task("t", "gated", "\"x\"");
        stream.ping(1);
        worker.drain();
        stream.await(Draining.class);
        stream.task("late", "echo", "1");
        assertEquals(token("late"), stream.outcome().getTaskToken());
        stream.ack("late");
        samples.gate.release();
        stream.outcome();
        assertEquals(2, stream.ping(2).getSlotsFree());
        stream.ack("t");
        assertTrue(stream.await(ScriptedHost.Connection.Ended.class).bySide(), "the worker closes its side");
        worker.join();
        assertTrue(stream.passedOver.stream().noneMatch(Integer.class::isInstance), "no credits after Draining");
    }

    @Test
    void aDrainOutlivesACut() throws Exception {
        ScriptedHost.Connection first = connect(1);
        first.task("t", "gated", "\"x\"");
        first.ping(1);
        worker.drain();
        first.await(Draining.class);
        first.cut();
        ScriptedHost.Connection second = host.acceptAndWelcome();
        second.await(Draining.class);
        samples.gate.release();
        assertInstanceOf(Outcome.class, second.outcome());
        second.ack("t");
        worker.join();
        assertTrue(second.passedOver.stream().noneMatch(Integer.class::isInstance), "no credits");
    }

    @Test
    void aWorkerWithoutAHostGivesUp() throws Exception {
        int port = host.port();
        host.close();
        worker = ActivityWorker.builder()
                .host("127.0.0.1:" + port)
                .taskList("docs")
                .register(samples)
                .startTimeout(Duration.ofMillis(300))
                .build()
                .start();
        WorkerException.Unreachable gone = assertThrows(WorkerException.Unreachable.class, worker::join);
        assertTrue(gone.getMessage().contains("127.0.0.1:" + port), gone.getMessage());
    }
}
