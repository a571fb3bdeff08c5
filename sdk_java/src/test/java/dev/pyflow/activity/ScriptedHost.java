// A host that does what a test says: a real gRPC server on loopback or a Unix socket.
package dev.pyflow.activity;

import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import dev.pyflow.api.v1.AckStatus;
import dev.pyflow.api.v1.ActivityHostServiceGrpc;
import dev.pyflow.api.v1.CompleteTaskRequest;
import dev.pyflow.api.v1.CompleteTaskResponse;
import dev.pyflow.api.v1.GoAway;
import dev.pyflow.api.v1.GoAwayReason;
import dev.pyflow.api.v1.Hello;
import dev.pyflow.api.v1.HostFrame;
import dev.pyflow.api.v1.Limits;
import dev.pyflow.api.v1.Outcome;
import dev.pyflow.api.v1.OutcomeAck;
import dev.pyflow.api.v1.Payload;
import dev.pyflow.api.v1.Ping;
import dev.pyflow.api.v1.Progress;
import dev.pyflow.api.v1.RecordTaskProgressRequest;
import dev.pyflow.api.v1.RecordTaskProgressResponse;
import dev.pyflow.api.v1.ResumeAnswer;
import dev.pyflow.api.v1.Status;
import dev.pyflow.api.v1.Task;
import dev.pyflow.api.v1.Welcome;
import dev.pyflow.api.v1.WorkerFrame;
import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.ServerBuilder;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.netty.shaded.io.netty.channel.EventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.MultiThreadIoEventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.epoll.EpollIoHandler;
import io.grpc.netty.shaded.io.netty.channel.epoll.EpollServerDomainSocketChannel;
import io.grpc.netty.shaded.io.netty.channel.unix.DomainSocketAddress;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.Supplier;

final class ScriptedHost implements AutoCloseable {
    static final long DEADLINE_S = 20;
    static final Limits LIMITS = Limits.newBuilder()
            .setFrameBytesMax(4 << 20)
            .setPayloadBytesMax(131_072)
            .setResultCharsMax(32_768)
            .setProgressCharsMax(2_048)
            .setCauseDepthMax(5)
            .build();

    final BlockingQueue<Outcome> completedOutside = new LinkedBlockingQueue<>();
    final BlockingQueue<String> authorizations = new LinkedBlockingQueue<>();
    private final BlockingQueue<Connection> connections = new LinkedBlockingQueue<>();
    private final EventLoopGroup group;
    private final Server server;
    private final String address;

    private ScriptedHost(Server server, EventLoopGroup group, Function<Server, String> address) throws IOException {
        this.group = group;
        this.server = server.start();
        this.address = address.apply(server);
    }

    static ScriptedHost tcp() throws IOException {
        return tcp(0);
    }

    static ScriptedHost tcp(int port) throws IOException {
        InetSocketAddress loopback = new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
        return of(NettyServerBuilder.forAddress(loopback), null, server -> "127.0.0.1:" + server.getPort());
    }

    static ScriptedHost over(ServerBuilder<?> builder) throws IOException {
        return of(builder, null, server -> "localhost:" + server.getPort());
    }

    static ScriptedHost unix(Path socket) throws IOException {
        EventLoopGroup group = new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory());
        NettyServerBuilder builder = NettyServerBuilder.forAddress(new DomainSocketAddress(socket.toFile()))
                .channelType(EpollServerDomainSocketChannel.class)
                .bossEventLoopGroup(group)
                .workerEventLoopGroup(group);
        return of(builder, group, server -> "unix:" + socket);
    }

    private static ScriptedHost of(ServerBuilder<?> builder, EventLoopGroup group, Function<Server, String> address)
            throws IOException {
        ScriptedHost[] host = new ScriptedHost[1];
        Server server = builder.directExecutor()
                .addService(new Service(() -> host[0]))
                .intercept(new Authorization(() -> host[0]))
                .build();
        host[0] = new ScriptedHost(server, group, address);
        return host[0];
    }

    String address() {
        return address;
    }

    int port() {
        return server.getPort();
    }

    /** The next stream that has said Hello. */
    Connection accept() throws InterruptedException {
        Connection connection = connections.poll(DEADLINE_S, TimeUnit.SECONDS);
        assertTrue(connection != null, "no worker said Hello");
        return connection;
    }

    Connection acceptAndWelcome() throws InterruptedException {
        return accept().welcome();
    }

    @Override
    public void close() {
        server.shutdownNow();
        if (group != null) {
            group.shutdownGracefully(0, 0, TimeUnit.SECONDS);
        }
    }

    /** One stream as the host sees it. */
    static final class Connection {
        final Hello hello;
        final BlockingQueue<Object> heard = new LinkedBlockingQueue<>();
        final List<Object> passedOver = new ArrayList<>();
        private final StreamObserver<HostFrame> out;

        /** What the stream's end is heard as. */
        record Ended(boolean bySide) {}

        Connection(Hello hello, StreamObserver<HostFrame> out) {
            this.hello = hello;
            this.out = out;
        }

        synchronized void send(HostFrame frame) {
            out.onNext(frame);
        }

        Connection welcome() {
            return welcome(LIMITS, Duration.ofSeconds(10), true);
        }

        Connection welcome(Limits limits, Duration pings, boolean wanted) {
            Welcome.Builder welcome = Welcome.newBuilder()
                    .setContractVersion(1)
                    .setHostId("scripted")
                    .setDomain("test")
                    .setLimits(limits);
            welcome.setPingInterval(Durations.of(pings));
            hello.getResumeList()
                    .forEach(held -> welcome.addResumed(ResumeAnswer.newBuilder()
                            .setTaskToken(held.getTaskToken())
                            .setWanted(wanted)));
            send(HostFrame.newBuilder().setWelcome(welcome).build());
            return this;
        }

        void task(String token, String activity, String json) {
            send(HostFrame.newBuilder().addTasks(taskOf(token, activity, json)).build());
        }

        static Task taskOf(String token, String activity, String json) {
            Task.Builder task = Task.newBuilder()
                    .setTaskToken(ByteString.copyFromUtf8(token))
                    .setActivityName(activity)
                    .setActivityVersion("1.0");
            task.setWorkflowId("w1")
                    .setRunId("r1")
                    .setActivityId("activity3.attempt2")
                    .setAttempt(2);
            if (json != null) {
                task.setInput(Payload.newBuilder().setData(ByteString.copyFromUtf8(json)));
            }
            return task.build();
        }

        void ack(String token, AckStatus status) {
            send(HostFrame.newBuilder()
                    .addAcks(OutcomeAck.newBuilder()
                            .setTaskToken(ByteString.copyFromUtf8(token))
                            .setStatus(status))
                    .build());
        }

        void ack(String token) {
            ack(token, AckStatus.ACK_STATUS_REPORTED);
        }

        /** Sends a ping and waits for its answer. All frames the worker sent before it are then heard too. */
        Status ping(long nonce) throws InterruptedException {
            send(HostFrame.newBuilder()
                    .setPing(Ping.newBuilder().setNonce(nonce))
                    .build());
            return await(Status.class);
        }

        void goAway(GoAwayReason reason, String message) {
            send(HostFrame.newBuilder()
                    .setGoAway(GoAway.newBuilder().setReason(reason).setMessage(message))
                    .build());
            out.onCompleted();
        }

        void cut() {
            out.onError(io.grpc.Status.UNAVAILABLE
                    .withDescription("cut by the test")
                    .asRuntimeException());
        }

        void complete() {
            out.onCompleted();
        }

        Outcome outcome() throws InterruptedException {
            return await(Outcome.class);
        }

        Progress progress() throws InterruptedException {
            return await(Progress.class);
        }

        int credits() throws InterruptedException {
            return await(Integer.class);
        }

        /** The next thing of a kind the worker says; what is said before it is kept in passedOver. */
        <T> T await(Class<T> kind) throws InterruptedException {
            long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(DEADLINE_S);
            while (true) {
                Object item = heard.poll(deadline - System.nanoTime(), TimeUnit.NANOSECONDS);
                assertTrue(
                        item != null,
                        () -> "the worker did not say " + kind.getSimpleName() + "; it said " + passedOver);
                if (kind.isInstance(item)) {
                    return kind.cast(item);
                }
                passedOver.add(item);
            }
        }
    }

    private static final class Service extends ActivityHostServiceGrpc.ActivityHostServiceImplBase {
        private final Supplier<ScriptedHost> host;

        Service(Supplier<ScriptedHost> host) {
            this.host = host;
        }

        @Override
        public StreamObserver<WorkerFrame> work(StreamObserver<HostFrame> out) {
            return new StreamObserver<>() {
                private Connection connection;

                @Override
                public void onNext(WorkerFrame frame) {
                    if (connection == null) {
                        connection = new Connection(frame.getHello(), out);
                        host.get().connections.add(connection);
                        return;
                    }
                    connection.heard.addAll(frame.getOutcomesList());
                    connection.heard.addAll(frame.getProgressList());
                    if (frame.getCredits() != 0) {
                        connection.heard.add(frame.getCredits());
                    }
                    if (frame.hasStatus()) {
                        connection.heard.add(frame.getStatus());
                    }
                    if (frame.hasDraining()) {
                        connection.heard.add(frame.getDraining());
                    }
                }

                @Override
                public void onError(Throwable thrown) {
                    if (connection != null) {
                        connection.heard.add(new Connection.Ended(false));
                    }
                }

                @Override
                public void onCompleted() {
                    connection.heard.add(new Connection.Ended(true));
                    out.onCompleted();
                }
            };
        }

        @Override
        public void completeTask(CompleteTaskRequest request, StreamObserver<CompleteTaskResponse> answer) {
            host.get().completedOutside.add(request.getOutcome());
            OutcomeAck ack = OutcomeAck.newBuilder()
                    .setStatus(AckStatus.ACK_STATUS_REPORTED)
                    .build();
            answer.onNext(CompleteTaskResponse.newBuilder().setAck(ack).build());
            answer.onCompleted();
        }

        @Override
        public void recordTaskProgress(
                RecordTaskProgressRequest request, StreamObserver<RecordTaskProgressResponse> answer) {
            answer.onNext(RecordTaskProgressResponse.newBuilder()
                    .setCancelRequested(true)
                    .build());
            answer.onCompleted();
        }
    }

    private record Authorization(Supplier<ScriptedHost> host) implements ServerInterceptor {
        @Override
        public <Q, R> ServerCall.Listener<Q> interceptCall(
                ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
            String value = headers.get(Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER));
            if (value != null) {
                host.get().authorizations.add(value);
            }
            return next.startCall(call, headers);
        }
    }
}
