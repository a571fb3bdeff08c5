// The worker on one stream: hello, credits, results, failures, progress, cancel, status.
package dev.pyflow.activity;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import dev.pyflow.api.v1.AckStatus;
import dev.pyflow.api.v1.ActivityType;
import dev.pyflow.api.v1.Cancel;
import dev.pyflow.api.v1.CancelReason;
import dev.pyflow.api.v1.Failure;
import dev.pyflow.api.v1.Hello;
import dev.pyflow.api.v1.HostFrame;
import dev.pyflow.api.v1.Limits;
import dev.pyflow.api.v1.Outcome;
import dev.pyflow.api.v1.Payload;
import dev.pyflow.api.v1.Status;
import dev.pyflow.api.v1.Task;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

final class WorkerLoopTest extends StreamTest {
    @Test
    void helloSaysWhoTheWorkerIsAndWhatItServes() throws Exception {
        start(3);
        Hello hello = host.accept().hello;
        assertEquals(1, hello.getContractVersion());
        assertEquals("java", hello.getLanguage());
        assertEquals("docs", hello.getTaskList());
        assertEquals(3, hello.getSlots());
        assertEquals(36, hello.getWorkerKey().length());
        assertTrue(hello.getWorkerName().endsWith(":" + ProcessHandle.current().pid()));
        assertEquals(System.getProperty("pyflow.version"), hello.getSdkVersion());
        ActivityType echo = hello.getActivityTypesList().stream()
                .filter(type -> type.getName().equals("echo"))
                .findFirst()
                .orElseThrow();
        assertEquals("1.0", echo.getVersion());
        assertEquals(60, echo.getStartToCloseTimeout().getSeconds());
        assertEquals(10, echo.getHeartbeatTimeout().getSeconds());
        assertFalse(echo.hasScheduleToStartTimeout());
        assertEquals("gives back what it got", echo.getDescription());
    }

    @Test
    void creditsAreTheSlotsAndOneMoreForEachFinishedTask() throws Exception {
        ScriptedHost.Connection stream = connect(3);
        assertEquals(3, stream.credits());
        for (String name : List.of("a", "b", "c")) {
            stream.task(name, "gated", "\"" + name + "\"");
        }
        assertEquals(3, stream.ping(1).getHeldCount());
        assertTrue(
                stream.passedOver.stream().noneMatch(Integer.class::isInstance),
                "no credit while all slots are in use");
        assertTrue(
                samples.begun.tryAcquire(3, ScriptedHost.DEADLINE_S, TimeUnit.SECONDS),
                "all three run at the same time");
        samples.gate.release(3);
        int credits = 0;
        for (int i = 0; i < 3; i++) {
            stream.outcome();
        }
        while (credits < 3) {
            credits += stream.passedOver.stream()
                    .filter(Integer.class::isInstance)
                    .mapToInt(Integer.class::cast)
                    .sum();
            stream.passedOver.clear();
            credits += credits < 3 ? stream.credits() : 0;
        }
        assertEquals(3, credits);
        assertEquals(3, samples.runningMost.get());
    }

    @Test
    void creditsNeverExceedTheSlotsUnderLoad() throws Exception {
        ScriptedHost.Connection stream = connect(4);
        int credits = 0;
        int sent = 0;
        Set<ByteString> outcomes = new HashSet<>();
        while (outcomes.size() < 2_000) {
            Object item = stream.heard.poll(ScriptedHost.DEADLINE_S, TimeUnit.SECONDS);
            if (item instanceof Integer more) {
                credits += more;
            } else if (item instanceof Outcome outcome) {
                assertTrue(outcomes.add(outcome.getTaskToken()), "an outcome is sent once");
                stream.ack(outcome.getTaskToken().toStringUtf8());
            }
            assertTrue(credits <= 4, "credits " + credits);
            for (; credits > 0 && sent < 2_000; credits--, sent++) {
                stream.task("t" + sent, "echo", "1");
            }
        }
        assertEquals(2_000, samples.calls.get());
    }

    @Test
    void valuesComeBackExactly() throws Exception {
        ScriptedHost.Connection stream = connect(2);
        String deep = "[".repeat(200) + "]".repeat(200);
        String deepest = "[".repeat(Json.NESTING_DEPTH_MAX) + "]".repeat(Json.NESTING_DEPTH_MAX);
        for (String value : List.of(
                "null",
                "true",
                "9223372036854775807",
                "-9223372036854775808",
                "18446744073709551616",
                "0.1",
                "1.5e300",
                "\"\"",
                "[]",
                "{\"\":0}",
                "\"gr\u00fc\u00df \\\"\u2028 \ud83d\ude00 \u0416/\"",
                "[1,[2,{\"a\":null}]]",
                deep,
                deepest)) {
            Outcome outcome = run(stream, "echo", value);
            assertTrue(outcome.hasCompleted(), () -> value + ": " + outcome);
            assertEquals(
                    value.replace("1.5e300", "1.5E300"),
                    json(outcome.getCompleted().getResult()));
            assertEquals("", outcome.getCompleted().getResult().getContentType());
        }
        assertEquals(
                "pyflow.BadInput",
                run(stream, "echo", "[" + deepest + "]").getFailed().getType());
        assertEquals("null", json(run(stream, "nothing", null).getCompleted().getResult()));
        assertEquals("null", json(run(stream, "nothing", "null").getCompleted().getResult()));
        assertEquals(deep, json(run(stream, "make", "\"deep\"").getCompleted().getResult()));
    }

    @Test
    void whatHasNoJsonFormFailsTheTask() throws Exception {
        ScriptedHost.Connection stream = connect(1);
        for (String what : List.of("nan", "nans", "surrogate", "stream", "ring")) {
            Failure failure = run(stream, "make", "\"" + what + "\"").getFailed();
            assertEquals("pyflow.BadResult", failure.getType(), what);
            assertTrue(failure.getNonRetryable());
        }
        Failure nan = run(stream, "make", "\"nan\"").getFailed();
        assertTrue(
                nan.getMessage().contains("\"a\"")
                        && nan.getMessage().contains("NaN")
                        && nan.getMessage().contains("activity make 1.0"),
                nan.getMessage());
    }

    @Test
    void aResultOverTheLimitFailsTheTaskHere() throws Exception {
        ScriptedHost.Connection stream = connect(1);
        assertTrue(run(stream, "big", "32766").hasCompleted());
        Failure failure = run(stream, "big", "32767").getFailed();
        assertEquals("pyflow.ResultTooLarge", failure.getType());
        assertTrue(failure.getNonRetryable());
        assertTrue(
                failure.getMessage().contains("32769") && failure.getMessage().contains("32768"), failure.getMessage());
        assertEquals(
                "pyflow.ResultTooLarge",
                run(stream, "big", "5242880").getFailed().getType());
    }

    @Test
    void failuresCarryTypeMessageStackAndCauses() throws Exception {
        ScriptedHost.Connection stream = connect(1);
        Failure failure = run(stream, "fail", "\"plain\"").getFailed();
        assertEquals("CardExpired", failure.getType());
        assertEquals("kaputt \u00e4", failure.getMessage());
        assertEquals("java", failure.getSourceLanguage());
        assertFalse(failure.getNonRetryable());
        assertTrue(
                failure.getStackTrace().contains("\tat dev.pyflow.activity.Samples.fail(Samples.java:"),
                failure.getStackTrace());
        assertFalse(
                failure.getStackTrace().contains("reflect")
                        || failure.getStackTrace().contains("ThreadPool"),
                failure.getStackTrace());
        assertEquals("IOException", failure.getCause().getType());
        assertEquals("ArithmeticException", failure.getCause().getCause().getType());
        assertFalse(failure.getCause().getCause().hasCause());

        Failure told = run(stream, "fail", "\"author\"").getFailed();
        assertEquals("PaymentRefused", told.getType());
        assertEquals("{\"card\":\"1234\"}", json(told.getDetails()));
        assertTrue(told.getNonRetryable());
        assertEquals(Duration.ofMillis(2_500), Durations.of(told.getNextRetryDelay()));
        assertEquals("IllegalStateException", told.getCause().getType());

        assertNotEquals("", run(stream, "fail", "\"anonymous\"").getFailed().getType());
        assertEquals(
                "StackOverflowError",
                run(stream, "fail", "\"overflow\"").getFailed().getType());
        assertTrue(run(stream, "echo", "1").hasCompleted(), "the thread lives on");
    }

    @Test
    void unreadableInputAndUnknownTypesFailTheTask() throws Exception {
        ScriptedHost.Connection stream = connect(1);
        assertEquals(
                "pyflow.BadInput", run(stream, "echo", "{\"a\":").getFailed().getType());
        assertEquals("pyflow.BadInput", run(stream, "echo", "").getFailed().getType());
        assertEquals("pyflow.BadInput", run(stream, "echo", "1 2").getFailed().getType());
        Task.Builder task = ScriptedHost.Connection.taskOf("u", "echo", null).toBuilder();
        task.setInput(Payload.newBuilder().setData(ByteString.copyFrom(new byte[] {'"', (byte) 0xff, '"'})));
        stream.send(HostFrame.newBuilder().addTasks(task).build());
        assertEquals("pyflow.BadInput", stream.outcome().getFailed().getType());
        task.setInput(Payload.newBuilder().setContentType("text/plain").setData(token("1")))
                .setTaskToken(token("v"));
        stream.send(HostFrame.newBuilder().addTasks(task).build());
        Failure failure = stream.outcome().getFailed();
        assertEquals("pyflow.BadInput", failure.getType());
        assertTrue(failure.getMessage().contains("text/plain"), failure.getMessage());
        Failure unknown = run(stream, "absent", null).getFailed();
        assertEquals("pyflow.UnknownActivity", unknown.getType());
        assertFalse(unknown.getNonRetryable());
    }

    @Test
    void theContextTellsAboutTheTask() throws Exception {
        ScriptedHost.Connection stream = connect(1);
        Task.Builder task = ScriptedHost.Connection.taskOf("t", "context", null).toBuilder();
        task.setStartToCloseLeft(Durations.of(Duration.ofSeconds(30)));
        task.setLastProgress(Payload.newBuilder().setData(token("{\"x\":1,\"y\":9007199254740993}")));
        stream.send(HostFrame.newBuilder().addTasks(task).build());
        String result = json(stream.outcome().getCompleted().getResult());
        for (String part : List.of(
                "\"attempt\":2",
                "\"ids\":\"w1/r1/activity3.attempt2\"",
                "\"type\":\"context 1.0\"",
                "\"key\":\"r1/activity3\"",
                "\"left\":true",
                "\"last\":9007199254740993")) {
            assertTrue(result.contains(part), result);
        }
    }

    @Test
    void theLastProgressArrivesBeforeTheOutcome() throws Exception {
        ScriptedHost.Connection stream = connect(1);
        stream.task("t", "steps", "500");
        assertTrue(stream.outcome().hasCompleted());
        List<String> told = stream.passedOver.stream()
                .filter(dev.pyflow.api.v1.Progress.class::isInstance)
                .map(item -> json(((dev.pyflow.api.v1.Progress) item).getDetails()))
                .toList();
        assertEquals("{\"step\":500}", told.get(told.size() - 1));
    }

    @Test
    void tooMuchProgressRaisesToTheAuthor() throws Exception {
        ScriptedHost.Connection stream = connect(1);
        String told = json(run(stream, "longWinded", null).getCompleted().getResult());
        assertTrue(told.contains("3002") && told.contains("2048"), told);
    }

    @Test
    void cancelReachesTheActivity() throws Exception {
        ScriptedHost.Connection stream = connect(1);
        stream.task("t", "patient", null);
        stream.progress();
        Cancel cancel = Cancel.newBuilder()
                .setTaskToken(token("t"))
                .setReason(CancelReason.CANCEL_REASON_REQUESTED)
                .build();
        stream.send(HostFrame.newBuilder()
                .addCancels(cancel)
                .addCancels(cancel.toBuilder().setTaskToken(token("unheard of")))
                .build());
        stream.ping(1);
        samples.gate.release();
        Outcome outcome = stream.outcome();
        assertTrue(outcome.hasCanceled(), outcome.toString());
        assertEquals("REQUESTED", samples.told);
    }

    @Test
    void anOutcomeThatComesLaterFreesTheSlot() throws Exception {
        ScriptedHost.Connection stream = connect(1);
        assertEquals(1, stream.credits());
        assertTrue(run(stream, "later", null).hasWillCompleteLater());
        assertEquals(1, stream.credits());
        assertEquals("dA", samples.told, "the token, base64url without padding");
    }

    @Test
    void pingIsAnsweredWhileAllSlotsAreBusy() throws Exception {
        ScriptedHost.Connection stream = connect(2);
        stream.task("a", "gated", "\"a\"");
        stream.task("b", "echo", "1");
        stream.outcome();
        Status status = stream.ping(77);
        assertEquals(77, status.getNonce());
        assertEquals(1, status.getSlotsFree());
        assertEquals(
                "{a=TASK_STATE_RUNNING, b=TASK_STATE_FINISHED}",
                status.getHeldList().stream()
                        .collect(Collectors.toMap(
                                held -> held.getTaskToken().toStringUtf8(),
                                held -> held.getState(),
                                (a, b) -> a,
                                java.util.TreeMap::new))
                        .toString());
        stream.ack("b");
        assertEquals(1, stream.ping(78).getHeldCount());
    }

    @Test
    void aTaskSentTwiceRunsOnceAndAcksMayRepeat() throws Exception {
        ScriptedHost.Connection stream = connect(2);
        stream.credits();
        stream.task("t", "gated", "\"x\"");
        stream.task("t", "gated", "\"x\"");
        assertEquals(1, stream.credits(), "the credit of the second comes back");
        samples.gate.release(2);
        stream.outcome();
        stream.ack("t");
        stream.ack("t", AckStatus.ACK_STATUS_DUPLICATE);
        stream.ack("never seen", AckStatus.ACK_STATUS_REFUSED);
        assertEquals(0, stream.ping(1).getHeldCount());
        assertEquals(1, samples.calls.get());
    }

    @Test
    void framesStayBelowTheLimit() throws Exception {
        start(8);
        Limits limits = ScriptedHost.LIMITS.toBuilder().setFrameBytesMax(40_000).build();
        ScriptedHost.Connection stream = host.accept().welcome(limits, Duration.ofSeconds(10), true);
        HostFrame.Builder tasks = HostFrame.newBuilder();
        for (int i = 0; i < 8; i++) {
            tasks.addTasks(ScriptedHost.Connection.taskOf("t" + i, "big", "30000"));
        }
        stream.send(tasks.build());
        for (int i = 0; i < 8; i++) {
            assertTrue(stream.outcome().hasCompleted());
        }
    }
}
