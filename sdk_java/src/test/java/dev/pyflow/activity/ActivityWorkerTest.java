// What a worker is built from: options, environment, the checks before anything starts; and the life of an embedded
// worker.
package dev.pyflow.activity;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
final class ActivityWorkerTest {
    private static final Samples SAMPLES = new Samples();

    private static ActivityWorker.Builder builder(Map<String, String> environment) {
        return new ActivityWorker.Builder(environment);
    }

    private static String misused(ActivityWorker.Builder builder) {
        return assertThrows(WorkerException.Misused.class, builder::build).getMessage();
    }

    @Test
    void whatIsMissingIsNamed() {
        assertTrue(misused(builder(Map.of()).taskList("t").register(SAMPLES)).contains("PYFLOW_HOST_ADDRESS"));
        assertTrue(misused(builder(Map.of()).host("unix:/x").register(SAMPLES)).contains("PYFLOW_TASK_LIST"));
        assertTrue(misused(builder(Map.of()).host("unix:/x").taskList("t")).contains("@Activity"));
        assertTrue(misused(builder(Map.of())
                        .host("unix:/x")
                        .taskList("t")
                        .register(SAMPLES)
                        .slots(0))
                .contains("slots"));
        assertTrue(misused(builder(Map.of()).host("unix:x").taskList("t").register(SAMPLES))
                .contains("absolute"));
        assertTrue(misused(builder(Map.of()).host("nowhere").taskList("t").register(SAMPLES))
                .contains("name:7233"));
        assertTrue(misused(builder(Map.of()).host("a:70000").taskList("t").register(SAMPLES))
                .contains("70000"));
        Map<String, String> token = Map.of("PYFLOW_HOST_TOKEN_FILE", "/does/not/exist");
        assertTrue(misused(builder(token).host("unix:/x").taskList("t").register(SAMPLES))
                .contains("/does/not/exist"));
        Map<String, String> half = Map.of("PYFLOW_HOST_TLS_CERT", "/c.pem");
        assertTrue(misused(builder(half).host("a:1").taskList("t").register(SAMPLES))
                .contains("key"));
        assertThrows(WorkerException.Misused.class, () -> builder(Map.of("PYFLOW_SLOTS", "many")));
        assertThrows(WorkerException.Misused.class, () -> builder(Map.of("PYFLOW_GIVE_UP_AFTER", "-1")));
        assertThrows(WorkerException.Misused.class, () -> builder(Map.of("PYFLOW_START_TIMEOUT", "soon")));
        assertThrows(
                WorkerException.Misused.class,
                () -> builder(Map.of()).register(SAMPLES).register(SAMPLES));
    }

    @Test
    void theEnvironmentSetsEverythingAndOptionsOverrideIt() throws Exception {
        try (ScriptedHost host = ScriptedHost.tcp()) {
            Map<String, String> environment = Map.of(
                    "PYFLOW_HOST_ADDRESS", host.address(),
                    "PYFLOW_TASK_LIST", "from-environment",
                    "PYFLOW_DOMAIN", "d",
                    "PYFLOW_SLOTS", "5",
                    "PYFLOW_HOST_TOKEN", "secret");
            ActivityWorker.Builder described =
                    builder(environment).register(SAMPLES).buildId("b7");
            Options.apply(new String[] {"--task-list", "from-option", "--give-up-after", "0.5"}, described);
            try (ActivityWorker worker = described.build().start()) {
                ScriptedHost.Connection stream = host.accept();
                assertEquals("from-option", stream.hello.getTaskList());
                assertEquals("d", stream.hello.getDomain());
                assertEquals(5, stream.hello.getSlots());
                assertEquals("secret", stream.hello.getAuthToken());
                assertEquals("b7", stream.hello.getBuildId());
                stream.welcome().credits();
                assertThrows(IllegalStateException.class, worker::run, "a worker runs once");
            }
        }
    }

    @Test
    void unknownOptionsAndMissingValuesAreRefused() {
        for (String[] arguments :
                new String[][] {{"--hots", "x"}, {"--host"}, {"--slots", "1.5"}, {"--give-up-after", "soon"}}) {
            WorkerException.Misused misused =
                    assertThrows(WorkerException.Misused.class, () -> Options.apply(arguments, builder(Map.of())));
            assertTrue(misused.getMessage().contains(arguments[0]), misused.getMessage());
        }
    }

    @Test
    void closeDrains() throws Exception {
        try (ScriptedHost host = ScriptedHost.tcp()) {
            ActivityWorker worker = builder(Map.of())
                    .host(host.address())
                    .taskList("t")
                    .register(SAMPLES)
                    .build()
                    .start();
            ScriptedHost.Connection stream = host.acceptAndWelcome();
            stream.credits();
            worker.close();
            assertTrue(stream.await(ScriptedHost.Connection.Ended.class).bySide());
            worker.join();
        }
    }

    @Test
    void anInterruptEndsRunAndIsKept() throws Exception {
        try (ScriptedHost host = ScriptedHost.tcp();
                ActivityWorker worker = builder(Map.of())
                        .host(host.address())
                        .taskList("t")
                        .register(SAMPLES)
                        .build()) {
            boolean[] kept = new boolean[1];
            Thread thread = new Thread(() -> {
                worker.run();
                kept[0] = Thread.currentThread().isInterrupted();
            });
            thread.start();
            host.acceptAndWelcome().credits();
            thread.interrupt();
            thread.join(Duration.ofSeconds(20).toMillis());
            assertTrue(kept[0]);
        }
    }
}
