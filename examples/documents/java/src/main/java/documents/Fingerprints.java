// The Java activity of the document pipeline: what a text is (SHA-256) and what it resembles (MinHash).
package documents;

import dev.pyflow.activity.Activity;
import dev.pyflow.activity.ActivityContext;
import dev.pyflow.activity.ActivityFailure;
import dev.pyflow.activity.ActivityMain;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.Map;
import java.util.Set;

/** Serves {@code fingerprint}. See README.md for how the numbers come about. */
public final class Fingerprints {
    private static final int PROGRESS_EVERY = 1_000;

    /** What the workflow gets. */
    record Fingerprint(String sha256, long[] minhash, int shingles) {}

    /** What an operator sees. */
    record Progress(int hashed, int shingles) {}

    @Activity(
            name = "fingerprint",
            version = "1.0",
            startToCloseTimeout = "PT60S",
            heartbeatTimeout = "PT10S",
            description = "SHA-256 and MinHash signature of a UTF-8 text file")
    Fingerprint fingerprint(String path) throws IOException {
        byte[] bytes = Files.readAllBytes(Path.of(path));
        Set<String> shingles = MinHash.shingles(decode(path, bytes));
        MinHash signature = new MinHash();
        ActivityContext context = ActivityContext.current();
        context.progress(new Progress(0, shingles.size()));
        int hashed = 0;
        for (String shingle : shingles) {
            signature.add(shingle);
            if (++hashed % PROGRESS_EVERY == 0) {
                context.throwIfCanceled();
                context.progress(new Progress(hashed, shingles.size()));
            }
        }
        context.progress(new Progress(hashed, shingles.size()));
        return new Fingerprint(HexFormat.of().formatHex(MinHash.sha256(bytes)), signature.values(), shingles.size());
    }

    private static String decode(String path, byte[] bytes) {
        CharsetDecoder decoder = StandardCharsets.UTF_8.newDecoder();
        ByteBuffer in = ByteBuffer.wrap(bytes);
        CharBuffer out = CharBuffer.allocate(bytes.length);
        if (decoder.decode(in, out, true).isError()) {
            throw new ActivityFailure(
                            "NotUtf8", path + " is not UTF-8: the byte at offset " + in.position() + " cannot be read")
                    .withDetails(Map.of("file", path, "offset", in.position()))
                    .asNonRetryable();
        }
        return out.flip().toString();
    }

    /**
     * The worker's main method.
     *
     * @param args {@code --host ADDRESS --task-list NAME} and the other options of every worker
     */
    public static void main(String[] args) {
        ActivityMain.run(args, new Fingerprints());
    }
}
