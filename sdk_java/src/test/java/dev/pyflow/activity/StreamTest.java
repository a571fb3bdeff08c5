// What the tests of the stream share: a scripted host, a worker, activities with gates.
package dev.pyflow.activity;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.google.protobuf.ByteString;
import dev.pyflow.api.v1.Outcome;
import dev.pyflow.api.v1.Payload;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
abstract class StreamTest {
    final Samples samples = new Samples();
    ScriptedHost host;
    ActivityWorker worker;

    @BeforeEach
    void open() throws Exception {
        host = ScriptedHost.tcp();
    }

    @AfterEach
    void close() {
        samples.gate.release(1_000_000);
        host.close();
        if (worker != null) {
            worker.drain();
        }
    }

    ScriptedHost.Connection connect(int slots) throws InterruptedException {
        start(slots);
        return host.acceptAndWelcome();
    }

    void start(int slots) {
        worker = ActivityWorker.builder()
                .host(host.address())
                .taskList("docs")
                .register(samples)
                .slots(slots)
                .build()
                .start();
    }

    static String json(Payload payload) {
        return payload.getData().toStringUtf8();
    }

    static ByteString token(String text) {
        return ByteString.copyFromUtf8(text);
    }

    /** Runs one task and gives its outcome, acked. */
    Outcome run(ScriptedHost.Connection stream, String activity, String input) throws InterruptedException {
        stream.task("t", activity, input);
        Outcome outcome = stream.outcome();
        assertEquals(token("t"), outcome.getTaskToken());
        stream.ack("t");
        return outcome;
    }
}
