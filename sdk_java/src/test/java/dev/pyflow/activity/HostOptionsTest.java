// Ways to a host: Unix socket, TLS, mutual TLS, tokens that change.
package dev.pyflow.activity;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.grpc.Grpc;
import io.grpc.ServerCredentials;
import io.grpc.TlsServerCredentials;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.Key;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
final class HostOptionsTest {
    private static final String PASSWORD = "changeit";

    @TempDir
    private Path directory;

    private record Identity(Path certificate, Path key) {}

    /** A self-signed certificate for localhost, made by the JDK's own tool. */
    private Identity identity(String name) throws Exception {
        Path store = directory.resolve(name + ".p12");
        Process keytool = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "keytool")
                                .toString(),
                        "-genkeypair",
                        "-alias",
                        "it",
                        "-keyalg",
                        "EC",
                        "-groupname",
                        "secp256r1",
                        "-dname",
                        "CN=" + name,
                        "-ext",
                        "SAN=DNS:localhost",
                        "-storetype",
                        "PKCS12",
                        "-keystore",
                        store.toString(),
                        "-storepass",
                        PASSWORD)
                .inheritIO()
                .start();
        assertEquals(0, keytool.waitFor());
        KeyStore keys = KeyStore.getInstance(store.toFile(), PASSWORD.toCharArray());
        Certificate certificate = keys.getCertificate("it");
        Key key = keys.getKey("it", PASSWORD.toCharArray());
        return new Identity(
                pem(name + ".crt", "CERTIFICATE", certificate.getEncoded()),
                pem(name + ".key", "PRIVATE KEY", key.getEncoded()));
    }

    private Path pem(String file, String kind, byte[] der) throws Exception {
        String body = Base64.getMimeEncoder(64, "\n".getBytes(StandardCharsets.US_ASCII))
                .encodeToString(der);
        return Files.writeString(
                directory.resolve(file), "-----BEGIN " + kind + "-----\n" + body + "\n-----END " + kind + "-----\n");
    }

    private static ActivityWorker.Builder worker(ScriptedHost host) {
        return ActivityWorker.builder().host(host.address()).taskList("docs").register(new Samples());
    }

    private static void oneTask(ScriptedHost host) throws InterruptedException {
        ScriptedHost.Connection stream = host.acceptAndWelcome();
        stream.task("t", "echo", "1");
        stream.outcome();
        stream.ack("t");
    }

    @Test
    void aUnixSocketWorks() throws Exception {
        try (ScriptedHost host = ScriptedHost.unix(directory.resolve("s"));
                ActivityWorker worker = worker(host).build().start()) {
            assertEquals("unix:" + directory.resolve("s"), host.address());
            oneTask(host);
        }
    }

    @Test
    void tlsTrustsTheGivenAuthorityOnly() throws Exception {
        Identity server = identity("server");
        Identity stranger = identity("stranger");
        ServerCredentials credentials = TlsServerCredentials.create(
                server.certificate().toFile(), server.key().toFile());
        try (ScriptedHost host = ScriptedHost.over(Grpc.newServerBuilderForPort(0, credentials))) {
            try (ActivityWorker worker =
                    worker(host).tlsCa(server.certificate()).build().start()) {
                oneTask(host);
            }
            for (ActivityWorker.Builder wrong :
                    List.of(worker(host), worker(host).tlsCa(stranger.certificate()))) {
                try (ActivityWorker worker =
                        wrong.giveUpAfter(Duration.ofMillis(500)).build().start()) {
                    assertThrows(WorkerException.Unreachable.class, worker::join);
                }
            }
        }
    }

    @Test
    void mutualTlsShowsTheWorkersCertificate() throws Exception {
        Identity server = identity("server");
        Identity client = identity("client");
        ServerCredentials credentials = TlsServerCredentials.newBuilder()
                .keyManager(server.certificate().toFile(), server.key().toFile())
                .trustManager(client.certificate().toFile())
                .clientAuth(TlsServerCredentials.ClientAuth.REQUIRE)
                .build();
        try (ScriptedHost host = ScriptedHost.over(Grpc.newServerBuilderForPort(0, credentials))) {
            try (ActivityWorker worker = worker(host)
                    .tlsCa(server.certificate())
                    .tlsCertificate(client.certificate(), client.key())
                    .build()
                    .start()) {
                oneTask(host);
            }
            try (ActivityWorker worker = worker(host)
                    .tlsCa(server.certificate())
                    .giveUpAfter(Duration.ofMillis(500))
                    .build()
                    .start()) {
                assertThrows(WorkerException.Unreachable.class, worker::join);
            }
        }
    }

    /** At a reconnect it counts as a cut: the file is just being written. */
    @Test
    void aTlsFileThatIsNoneIsWrongUsage() throws Exception {
        Identity client = identity("client");
        Path garbage = Files.writeString(directory.resolve("garbage"), "-----BEGIN");
        for (ActivityWorker.Builder worker : List.of(
                ActivityWorker.builder().tlsCertificate(client.certificate(), garbage),
                ActivityWorker.builder().tlsCertificate(garbage, client.key()))) {
            worker.host("127.0.0.1:7233").taskList("docs").register(new Samples());
            assertThrows(WorkerException.Misused.class, worker::build);
        }
    }

    @Test
    void theTokenFileIsReadAtEveryConnect() throws Exception {
        Path token = Files.writeString(directory.resolve("token"), "first\n");
        try (ScriptedHost host = ScriptedHost.tcp();
                ActivityWorker worker = worker(host).tokenFile(token).build().start()) {
            ScriptedHost.Connection stream = host.acceptAndWelcome();
            assertEquals("first", stream.hello.getAuthToken());
            Files.delete(token);
            stream.cut();
            Files.writeString(token, "second\n");
            assertEquals("second", host.acceptAndWelcome().hello.getAuthToken());
        }
    }

    @Test
    void otherAddressesNeedTlsUnlessToldOtherwise() throws Exception {
        try (ScriptedHost host = ScriptedHost.tcp();
                ActivityWorker worker = worker(host).insecure().build().start()) {
            oneTask(host);
        }
        // No server listens there for plaintext: a TLS handshake is what fails.
        try (ScriptedHost host = ScriptedHost.over(io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder.forPort(0))) {
            String address = java.net.InetAddress.getLocalHost().getHostName() + ":" + host.port();
            try (ActivityWorker worker = ActivityWorker.builder()
                    .host(address)
                    .taskList("t")
                    .register(new Samples())
                    .giveUpAfter(Duration.ofMillis(500))
                    .build()
                    .start()) {
                assertThrows(WorkerException.Unreachable.class, worker::join);
            }
        }
    }
}
