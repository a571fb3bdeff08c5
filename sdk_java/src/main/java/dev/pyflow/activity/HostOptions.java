// Where the host is and how to speak to it safely: options, their environment variables, and channels made from them.
package dev.pyflow.activity;

import io.grpc.ChannelCredentials;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.TlsChannelCredentials;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Files are read anew for each channel and each Hello, so that tokens and certificates can be rotated. */
final class HostOptions {
    static final String ADDRESS_VARIABLE = "PYFLOW_HOST_ADDRESS";

    /** The contract's frames have 4 MiB; a host that allows more says so only after the stream is open. */
    static final int FRAME_BYTES_IN_MAX = 64 * 1024 * 1024;

    /** Held here, or its level would be collected with it. */
    private static final Logger GRPC = Logger.getLogger("io.grpc");

    static {
        // What gRPC warns about (each failed connect, with a stack; options a Unix socket does not know) the worker
        // says itself, once.
        if (GRPC.getLevel() == null) {
            GRPC.setLevel(Level.SEVERE);
        }
    }

    private static final String UNIX = "unix:";
    private static final int PORT_MAX = 65_535;
    private static final Pattern TCP = Pattern.compile("(?:\\[([0-9a-fA-F:.]+)]|([^:\\[\\]/]+)):(\\d{1,5})");
    private static final Pattern LOOPBACK = Pattern.compile("localhost|127(\\.\\d{1,3}){3}|::1");

    private String address;
    private Optional<Path> tokenFile;
    private Optional<String> token;
    private Optional<Path> tlsCa;
    private Optional<Path> tlsCert;
    private Optional<Path> tlsKey;
    private boolean insecure;

    HostOptions(Map<String, String> environment) {
        address = environment.getOrDefault(ADDRESS_VARIABLE, "");
        tokenFile = file(environment, "PYFLOW_HOST_TOKEN_FILE");
        token = told(environment, "PYFLOW_HOST_TOKEN");
        tlsCa = file(environment, "PYFLOW_HOST_TLS_CA");
        tlsCert = file(environment, "PYFLOW_HOST_TLS_CERT");
        tlsKey = file(environment, "PYFLOW_HOST_TLS_KEY");
        insecure = "1".equals(environment.get("PYFLOW_HOST_INSECURE"));
    }

    /** A variable of the environment; an empty one is none. */
    static Optional<String> told(Map<String, String> environment, String name) {
        return Optional.ofNullable(environment.get(name)).filter(text -> !text.isEmpty());
    }

    private static Optional<Path> file(Map<String, String> environment, String name) {
        return told(environment, name).map(Path::of);
    }

    void address(String value) {
        address = value;
    }

    String address() {
        return address;
    }

    void tokenFile(Path value) {
        tokenFile = Optional.of(value);
    }

    void tlsCa(Path value) {
        tlsCa = Optional.of(value);
    }

    void tlsCert(Path value) {
        tlsCert = Optional.of(value);
    }

    void tlsKey(Path value) {
        tlsKey = Optional.of(value);
    }

    void insecure(boolean value) {
        insecure = value;
    }

    /** What a person should know of a failed attempt beyond what gRPC says. */
    String explain(String why) {
        boolean missing = address.startsWith(UNIX) && !Files.exists(Path.of(address.substring(UNIX.length())));
        return missing ? "there is no such socket" : why;
    }

    /** The bearer token, read now. */
    Optional<String> readToken() {
        if (tokenFile.isEmpty()) {
            return token;
        }
        try {
            return Optional.of(Files.readString(tokenFile.get()).strip());
        } catch (IOException e) {
            throw new WorkerException.Misused("cannot read the token file " + tokenFile.get() + ": " + e, e);
        }
    }

    /** Finds what can never work, before anything is started. */
    void check() {
        if (address.isEmpty()) {
            throw new WorkerException.Misused("no address of an activity host: give host(...) or --host, or set "
                    + ADDRESS_VARIABLE + " (unix:/path or name:port)");
        }
        if (tlsCert.isPresent() != tlsKey.isPresent()) {
            throw new WorkerException.Misused("the worker's own certificate needs both its file and its key's file");
        }
        readToken();
        open().shutdownNow();
    }

    /** A fresh channel: gRPC's own back-off must not stack on top of ours. */
    ManagedChannel open() {
        ManagedChannelBuilder<?> builder;
        if (address.startsWith(UNIX)) {
            if (!address.startsWith("unix:/")) {
                throw new WorkerException.Misused(
                        "'" + address + "': the path of a Unix socket must be absolute, as in unix:/run/pyflow.sock");
            }
            builder = Grpc.newChannelBuilder(address, credentials(true));
        } else {
            Matcher tcp = TCP.matcher(address);
            if (!tcp.matches() || Integer.parseInt(tcp.group(3)) > PORT_MAX) {
                throw new WorkerException.Misused(
                        "'" + address + "' is no address of a host: write unix:/path, name:7233 or [::1]:7233");
            }
            String name = tcp.group(1) != null ? tcp.group(1) : tcp.group(2);
            ChannelCredentials credentials = credentials(LOOPBACK.matcher(name).matches());
            try {
                builder = NettyChannelBuilder.forAddress(name, Integer.parseInt(tcp.group(3)), credentials);
            } catch (IllegalArgumentException e) { // a file is no PEM, or holds a key that Java cannot read
                throw new WorkerException.Misused(
                        "cannot use the TLS files: " + e.getMessage() + " The key must be PKCS#8 without a password"
                                + " (openssl pkcs8 -topk8 -nocrypt makes one).",
                        e);
            }
        }
        // The callbacks only move tasks on to the pool; a hop to another thread would cost more than they do.
        return builder.directExecutor()
                .maxInboundMessageSize(FRAME_BYTES_IN_MAX)
                .disableRetry()
                .build();
    }

    private ChannelCredentials credentials(boolean local) {
        boolean tls = tlsCa.isPresent() || tlsCert.isPresent();
        if (!tls && (local || insecure)) {
            return InsecureChannelCredentials.create();
        }
        TlsChannelCredentials.Builder credentials = TlsChannelCredentials.newBuilder();
        try {
            if (tlsCa.isPresent()) {
                credentials.trustManager(tlsCa.get().toFile());
            }
            if (tlsCert.isPresent()) {
                credentials.keyManager(
                        tlsCert.get().toFile(), tlsKey.map(Path::toFile).orElse(new File("")));
            }
            return credentials.build();
        } catch (IOException | IllegalArgumentException e) {
            throw new WorkerException.Misused("cannot read the TLS files: " + e.getMessage(), e);
        }
    }
}
