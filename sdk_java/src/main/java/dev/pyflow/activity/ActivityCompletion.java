// Ends a task from outside its worker: a web hook, a person's click, another process.
package dev.pyflow.activity;

import com.google.protobuf.ByteString;
import dev.pyflow.api.v1.ActivityHostServiceGrpc;
import dev.pyflow.api.v1.Canceled;
import dev.pyflow.api.v1.CompleteTaskRequest;
import dev.pyflow.api.v1.Completed;
import dev.pyflow.api.v1.Limits;
import dev.pyflow.api.v1.Outcome;
import dev.pyflow.api.v1.OutcomeAck;
import dev.pyflow.api.v1.Payload;
import dev.pyflow.api.v1.Progress;
import dev.pyflow.api.v1.RecordTaskProgressRequest;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.stub.MetadataUtils;
import java.util.Base64;
import java.util.concurrent.TimeUnit;

/**
 * Reports for whoever holds the token that {@link ActivityContext#completeLater()} gave. Safe for threads.
 *
 * <p>Every call throws {@link io.grpc.StatusRuntimeException} when the host cannot be reached or refuses it, and
 * {@link IllegalArgumentException} when the token is none or a value has no JSON form.
 */
public final class ActivityCompletion implements AutoCloseable {
    private static final Metadata.Key<String> AUTHORIZATION =
            Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);
    private static final long DEADLINE_S = 70;

    /** Without a stream no host has told others. */
    private static final Limits LIMITS = HostLimits.SWF;

    private final HostOptions host;
    private final ManagedChannel channel;

    private ActivityCompletion(HostOptions host) {
        host.check();
        this.host = host;
        this.channel = host.open();
    }

    /**
     * Speaks to a host; token and TLS come from the environment as for a worker.
     *
     * @param address {@code unix:/path} or {@code name:7233}
     * @return to be closed when no longer needed
     * @throws WorkerException.Misused if the address or what the environment says cannot work
     */
    public static ActivityCompletion to(String address) {
        HostOptions host = new HostOptions(System.getenv());
        host.address(address);
        return new ActivityCompletion(host);
    }

    /**
     * Completes the task.
     *
     * @param token from {@link ActivityContext#completeLater()}
     * @param result anything with a JSON form
     * @return {@code REPORTED}, {@code DUPLICATE}, {@code GONE}, {@code INVALID} or {@code REFUSED}
     */
    public String complete(String token, Object result) {
        return send(outcome(token).setCompleted(Completed.newBuilder().setResult(payload(result))));
    }

    /**
     * Fails the task.
     *
     * @param token from {@link ActivityContext#completeLater()}
     * @param why what the workflow is told; an {@link ActivityFailure} for a type and hints of one's own
     * @return as {@link #complete}
     */
    public String fail(String token, Throwable why) {
        return send(outcome(token).setFailed(Failures.of(why, LIMITS)));
    }

    /**
     * Ends the task as canceled.
     *
     * @param token from {@link ActivityContext#completeLater()}
     * @return as {@link #complete}
     */
    public String cancel(String token) {
        return send(outcome(token).setCanceled(Canceled.getDefaultInstance()));
    }

    /**
     * Ends the task as canceled, with something to tell the workflow.
     *
     * @param token from {@link ActivityContext#completeLater()}
     * @param details how far the activity came; anything with a JSON form
     * @return as {@link #complete}
     */
    public String cancel(String token, Object details) {
        return send(outcome(token).setCanceled(Canceled.newBuilder().setDetails(payload(details))));
    }

    /**
     * Keeps the task alive and tells how far it is.
     *
     * @param token from {@link ActivityContext#completeLater()}
     * @param details anything with a JSON form of at most 2,048 characters
     * @return whether the workflow wants the activity to stop
     */
    public boolean progress(String token, Object details) {
        Payload payload = TaskContext.progressPayload(details, LIMITS.getProgressCharsMax());
        Progress progress = Progress.newBuilder()
                .setTaskToken(bytes(token))
                .setDetails(payload)
                .build();
        return stub().recordTaskProgress(RecordTaskProgressRequest.newBuilder()
                        .setProgress(progress)
                        .build())
                .getCancelRequested();
    }

    @Override
    public void close() {
        channel.shutdownNow();
    }

    private String send(Outcome.Builder outcome) {
        OutcomeAck ack = stub().completeTask(
                        CompleteTaskRequest.newBuilder().setOutcome(outcome).build())
                .getAck();
        return ack.getStatus().name().replace("ACK_STATUS_", "");
    }

    private ActivityHostServiceGrpc.ActivityHostServiceBlockingStub stub() {
        Metadata headers = new Metadata();
        host.readToken().ifPresent(token -> headers.put(AUTHORIZATION, "Bearer " + token));
        return ActivityHostServiceGrpc.newBlockingStub(channel)
                .withDeadlineAfter(DEADLINE_S, TimeUnit.SECONDS)
                .withInterceptors(MetadataUtils.newAttachHeadersInterceptor(headers));
    }

    private static Outcome.Builder outcome(String token) {
        return Outcome.newBuilder().setTaskToken(bytes(token));
    }

    private static ByteString bytes(String token) {
        return ByteString.copyFrom(Base64.getUrlDecoder().decode(token));
    }

    private static Payload payload(Object value) {
        try {
            return Json.write(value);
        } catch (Json.Unfit e) {
            throw new IllegalArgumentException("the result cannot be written as JSON: " + e.getMessage(), e);
        }
    }
}
