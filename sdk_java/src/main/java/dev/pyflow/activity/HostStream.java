// One stream to the host: gRPC's callbacks in, frames out. Knows nothing of tasks.
package dev.pyflow.activity;

import dev.pyflow.api.v1.ActivityHostServiceGrpc;
import dev.pyflow.api.v1.HostFrame;
import dev.pyflow.api.v1.WorkerFrame;
import io.grpc.Channel;
import io.grpc.Status;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;

/** Sending is safe from any thread. The callbacks of the listener come one at a time. */
final class HostStream implements ClientResponseObserver<WorkerFrame, HostFrame> {
    /** Hears what the stream brings. */
    interface Listener {
        void received(HostStream stream, HostFrame frame);

        /** It can be sent to again. */
        void writable();

        /** The last call. */
        void ended(HostStream stream, String why);
    }

    private static final int CAUSES_TOLD_MAX = 5;

    private final Listener listener;
    private ClientCallStreamObserver<WorkerFrame> requests;

    HostStream(Listener listener) {
        this.listener = listener;
    }

    /** Opens the stream; the callbacks may come before this returns. */
    void open(Channel channel) {
        ActivityHostServiceGrpc.newStub(channel).work(this);
    }

    @Override
    public void beforeStart(ClientCallStreamObserver<WorkerFrame> stream) {
        requests = stream;
        stream.setOnReadyHandler(listener::writable);
    }

    /** Whether a frame would leave now; otherwise it would pile up in memory. */
    boolean ready() {
        return requests.isReady();
    }

    synchronized void send(WorkerFrame frame) {
        try {
            requests.onNext(frame);
        } catch (IllegalStateException e) { // closed or canceled meanwhile
            listener.ended(this, String.valueOf(e.getMessage()));
        }
    }

    /** Says that nothing more will be sent. */
    synchronized void finishSending() {
        try {
            requests.onCompleted();
        } catch (IllegalStateException e) {
            listener.ended(this, String.valueOf(e.getMessage()));
        }
    }

    synchronized void abort(String why) {
        requests.cancel(why, null);
    }

    @Override
    public void onNext(HostFrame frame) {
        listener.received(this, frame);
    }

    @Override
    public void onError(Throwable thrown) {
        Status status = Status.fromThrowable(thrown);
        StringBuilder why = new StringBuilder(status.getCode().name());
        if (status.getDescription() != null) {
            why.append(": ").append(status.getDescription());
        }
        Throwable cause = status.getCause();
        for (int depth = 0; cause != null && depth < CAUSES_TOLD_MAX; depth++) {
            String told = cause.getMessage() == null ? cause.getClass().getSimpleName() : cause.getMessage();
            if (why.indexOf(told) < 0) {
                why.append(": ").append(told);
            }
            cause = cause.getCause();
        }
        listener.ended(this, why.toString());
    }

    @Override
    public void onCompleted() {
        listener.ended(this, "the other side closed it");
    }
}
