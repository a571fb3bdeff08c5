// Workers as processes of their own: signals and exit codes.
package dev.pyflow.activity;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.pyflow.api.v1.Draining;
import dev.pyflow.api.v1.GoAwayReason;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
final class WorkerProcessTest {
    /** The program under test: an activity that ends when a file appears. */
    static final class Program {
        @Activity
        String untilFile(String path) throws InterruptedException {
            Path file = Path.of(path);
            Object monitor = new Object();
            synchronized (monitor) {
                while (!Files.exists(file)) {
                    monitor.wait(10); // polls: two processes share nothing but the file system here
                }
            }
            return "seen";
        }

        public static void main(String[] args) {
            ActivityMain.run(args, new Program());
        }
    }

    /** The same as a newcomer writes it: no ActivityMain. */
    static final class BareProgram {
        @Activity
        String echo(String text) {
            return text;
        }

        public static void main(String[] args) {
            ActivityWorker.builder()
                    .host(args[1])
                    .taskList(args[3])
                    .register(new BareProgram())
                    .build()
                    .run();
        }
    }

    @TempDir
    private Path directory;

    private ScriptedHost host;
    private Process process;

    @BeforeEach
    void open() throws IOException {
        host = ScriptedHost.unix(directory.resolve("s"));
    }

    @AfterEach
    void close() {
        process.destroyForcibly();
        host.close();
    }

    private ScriptedHost.Connection start(Class<?> program) throws Exception {
        launch(program, "--host", host.address(), "--task-list", "docs");
        return host.accept();
    }

    private void launch(Class<?> program, String... arguments) throws IOException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.add("--enable-native-access=ALL-UNNAMED"); // else newer Javas add lines of their own
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), program.getName()));
        command.addAll(List.of(arguments));
        process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(log().toFile())
                .start();
    }

    private Path log() {
        return directory.resolve("log");
    }

    private int exitCode() throws Exception {
        assertTrue(process.waitFor(ScriptedHost.DEADLINE_S, TimeUnit.SECONDS), () -> "still running: " + logged());
        return process.exitValue();
    }

    private String logged() {
        try {
            return Files.readString(log());
        } catch (IOException e) {
            return e.toString();
        }
    }

    private void signal(String name) throws Exception {
        assertEquals(
                0,
                new ProcessBuilder("kill", "-" + name, Long.toString(process.pid()))
                        .start()
                        .waitFor());
    }

    private static String quoted(Path path) {
        return '"' + path.toString() + '"';
    }

    @Test
    void sigtermFinishesRunningTasksWaitsForAcksAndExitsZero() throws Exception {
        ScriptedHost.Connection stream = start(Program.class).welcome();
        Path file = directory.resolve("go");
        for (String token : List.of("a", "b", "c")) {
            stream.task(token, "untilFile", quoted(file));
        }
        assertEquals(3, stream.ping(1).getHeldCount());
        signal("TERM");
        stream.await(Draining.class);
        assertEquals(3, stream.ping(2).getHeldCount(), "pings are answered while draining");
        Files.createFile(file);
        for (int i = 0; i < 3; i++) {
            assertTrue(stream.outcome().hasCompleted());
        }
        stream.ping(3);
        assertTrue(process.isAlive(), "it waits for the acks");
        List.of("a", "b", "c").forEach(stream::ack);
        assertTrue(stream.await(ScriptedHost.Connection.Ended.class).bySide());
        assertEquals(0, exitCode(), this::logged);
        assertTrue(logged().contains("SIGTERM"), logged());
        assertFalse(logged().contains("\tat "), logged());
    }

    @Test
    void sigintDrainsTooAlsoWithoutActivityMain() throws Exception {
        start(BareProgram.class).welcome().credits();
        signal("INT");
        assertEquals(0, exitCode(), this::logged);
    }

    @Test
    void aSecondSignalEndsItAtOnce() throws Exception {
        ScriptedHost.Connection stream = start(Program.class).welcome();
        stream.task("a", "untilFile", quoted(directory.resolve("never")));
        stream.ping(1);
        signal("TERM");
        stream.await(Draining.class);
        signal("TERM");
        assertEquals(143, exitCode(), this::logged);
    }

    @Test
    void aFinalGoodbyeExitsOneWithItsMessage() throws Exception {
        start(Program.class).goAway(GoAwayReason.GO_AWAY_REASON_INCOMPATIBLE, "speak version 2");
        assertEquals(1, exitCode());
        assertTrue(logged().contains("INCOMPATIBLE") && logged().contains("speak version 2"), logged());
        assertFalse(logged().contains("\tat "), logged());
    }

    @Test
    void aFinalGoodbyeEndsABareProgramToo() throws Exception {
        start(BareProgram.class).goAway(GoAwayReason.GO_AWAY_REASON_UNAUTHENTICATED, "no token");
        assertEquals(1, exitCode());
        assertTrue(logged().contains("no token"), logged());
    }

    @Test
    void wrongUsageExitsTwo() throws Exception {
        launch(Program.class, "--host", host.address());
        assertEquals(2, exitCode());
        assertTrue(logged().contains("--task-list"), logged());
    }

    @Test
    void anUnreachableHostIsToldAndGivenUp() throws Exception {
        launch(
                Program.class,
                "--host",
                "unix:" + directory.resolve("absent"),
                "--task-list",
                "docs",
                "--start-timeout",
                "1");
        assertEquals(1, exitCode());
        assertEquals(2, logged().lines().count(), logged());
        assertTrue(logged().lines().allMatch(line -> line.contains("there is no such socket")), logged());
        assertTrue(logged().contains("trying on for 1 s. Is `pyflow host` running there?"), logged());
        assertTrue(logged().contains(" for 1 s (there is no such socket): gave up. Start one there"), logged());
    }
}
