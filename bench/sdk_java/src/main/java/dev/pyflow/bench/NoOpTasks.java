// No-op tasks a second: a scripted host in this process, the worker in one of its own, a Unix socket between them.
package dev.pyflow.bench;

import com.google.protobuf.ByteString;
import dev.pyflow.activity.Activity;
import dev.pyflow.activity.ActivityMain;
import dev.pyflow.api.v1.AckStatus;
import dev.pyflow.api.v1.ActivityHostServiceGrpc;
import dev.pyflow.api.v1.HostFrame;
import dev.pyflow.api.v1.Limits;
import dev.pyflow.api.v1.Outcome;
import dev.pyflow.api.v1.OutcomeAck;
import dev.pyflow.api.v1.Payload;
import dev.pyflow.api.v1.Task;
import dev.pyflow.api.v1.Welcome;
import dev.pyflow.api.v1.WorkerFrame;
import io.grpc.Server;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.netty.shaded.io.netty.channel.EventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.MultiThreadIoEventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.epoll.EpollIoHandler;
import io.grpc.netty.shaded.io.netty.channel.epoll.EpollServerDomainSocketChannel;
import io.grpc.netty.shaded.io.netty.channel.unix.DomainSocketAddress;
import io.grpc.stub.StreamObserver;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** Prints one line: the median of several rounds. Usage: {@code java -jar bench.jar [SLOTS]}. */
public final class NoOpTasks {
    private static final int TASKS_A_ROUND = 50_000;
    private static final int ROUNDS = 7;
    private static final int ROUNDS_WARMING_UP = 2;
    private static final String SLOTS_DEFAULT = "64";

    private NoOpTasks() {}

    @Activity(name = "noop")
    Object noop(Object value) {
        return value;
    }

    /**
     * The host, or with {@code --host} the worker.
     *
     * @param args the number of slots, or a worker's options
     * @throws Exception whatever goes wrong
     */
    public static void main(String[] args) throws Exception {
        if (args.length > 1) {
            ActivityMain.run(args, new NoOpTasks());
            return;
        }
        String slots = args.length == 1 ? args[0] : SLOTS_DEFAULT;
        Path directory = Files.createTempDirectory("bench");
        Path socket = directory.resolve("s");
        EventLoopGroup group = new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory());
        Host host = new Host();
        Server server = NettyServerBuilder.forAddress(new DomainSocketAddress(socket.toFile()))
                .channelType(EpollServerDomainSocketChannel.class)
                .bossEventLoopGroup(group)
                .workerEventLoopGroup(group)
                .directExecutor()
                .addService(host)
                .build()
                .start();
        String jar = Path.of(NoOpTasks.class
                        .getProtectionDomain()
                        .getCodeSource()
                        .getLocation()
                        .toURI())
                .toString();
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        Process worker = new ProcessBuilder(
                        java,
                        "-cp",
                        jar,
                        NoOpTasks.class.getName(),
                        "--host",
                        "unix:" + socket,
                        "--task-list",
                        "bench",
                        "--slots",
                        slots)
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        try {
            double[] rates = host.rates.get(120, TimeUnit.SECONDS);
            double[] counted = Arrays.copyOfRange(rates, ROUNDS_WARMING_UP, ROUNDS);
            Arrays.sort(counted);
            System.out.printf(
                    "sdk_java: %,.0f no-op tasks/s with %s slots (median of %d rounds of %,d; %,.0f to %,.0f)%n",
                    counted[counted.length / 2],
                    slots,
                    counted.length,
                    TASKS_A_ROUND,
                    counted[0],
                    counted[counted.length - 1]);
        } finally {
            worker.destroy();
            worker.waitFor(10, TimeUnit.SECONDS);
            server.shutdownNow();
            group.shutdownGracefully(0, 0, TimeUnit.SECONDS);
            Files.deleteIfExists(socket);
            Files.deleteIfExists(directory);
        }
    }

    /** Answers every credit with a task, every outcome with an ack, all in the order they come. */
    private static final class Host extends ActivityHostServiceGrpc.ActivityHostServiceImplBase {
        private static final int TOKEN_BYTES = 200;

        final CompletableFuture<double[]> rates = new CompletableFuture<>();

        @Override
        public StreamObserver<WorkerFrame> work(StreamObserver<HostFrame> out) {
            return new StreamObserver<>() {
                private final double[] measured = new double[ROUNDS];
                private int round;
                private int done;
                private long next;
                private long begun = System.nanoTime();

                @Override
                public void onNext(WorkerFrame frame) {
                    HostFrame.Builder answer = HostFrame.newBuilder();
                    if (frame.hasHello()) {
                        Limits limits = Limits.newBuilder()
                                .setFrameBytesMax(4 << 20)
                                .setPayloadBytesMax(131_072)
                                .setResultCharsMax(32_768)
                                .build();
                        answer.setWelcome(
                                Welcome.newBuilder().setContractVersion(1).setLimits(limits));
                    }
                    for (Outcome outcome : frame.getOutcomesList()) {
                        if (!outcome.hasCompleted()) {
                            rates.completeExceptionally(
                                    new IllegalStateException("a task did not complete: " + outcome));
                        }
                        answer.addAcks(OutcomeAck.newBuilder()
                                .setTaskToken(outcome.getTaskToken())
                                .setStatus(AckStatus.ACK_STATUS_REPORTED));
                        count();
                    }
                    for (int i = 0; i < frame.getCredits(); i++) {
                        answer.addTasks(task());
                    }
                    out.onNext(answer.build());
                }

                private Task task() {
                    byte[] token = Arrays.copyOf(
                            Long.toString(next++).getBytes(java.nio.charset.StandardCharsets.US_ASCII), TOKEN_BYTES);
                    return Task.newBuilder()
                            .setTaskToken(ByteString.copyFrom(token))
                            .setActivityName("noop")
                            .setActivityVersion("1.0")
                            .setWorkflowId("bench")
                            .setRunId("bench")
                            .setActivityId("activity" + next)
                            .setInput(Payload.newBuilder().setData(ByteString.copyFromUtf8("{\"n\":" + next + "}")))
                            .build();
                }

                private void count() {
                    if (++done == TASKS_A_ROUND && round < ROUNDS) {
                        long now = System.nanoTime();
                        measured[round++] = TASKS_A_ROUND * 1e9 / (now - begun);
                        done = 0;
                        begun = now;
                        if (round == ROUNDS) {
                            rates.complete(measured);
                        }
                    }
                }

                @Override
                public void onError(Throwable thrown) {
                    rates.completeExceptionally(thrown);
                }

                @Override
                public void onCompleted() {
                    rates.completeExceptionally(new IllegalStateException("the worker left"));
                }
            };
        }
    }
}
