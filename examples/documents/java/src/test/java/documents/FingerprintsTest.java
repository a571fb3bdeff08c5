// The fingerprint activity on real files, with a fake context.
package documents;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.pyflow.activity.ActivityCanceled;
import dev.pyflow.activity.ActivityFailure;
import dev.pyflow.activity.FakeActivityContext;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class FingerprintsTest {
    @TempDir
    private Path directory;

    private Fingerprints.Fingerprint of(byte[] bytes) throws IOException {
        Path file = Files.write(directory.resolve("document"), bytes);
        try (FakeActivityContext context = FakeActivityContext.open()) {
            Fingerprints.Fingerprint fingerprint = new Fingerprints().fingerprint(file.toString());
            int shingles = fingerprint.shingles();
            List<String> told = context.progressSeen();
            assertEquals("{\"hashed\":0,\"shingles\":" + shingles + "}", told.get(0));
            assertEquals("{\"hashed\":" + shingles + ",\"shingles\":" + shingles + "}", told.get(told.size() - 1));
            return fingerprint;
        }
    }

    private Fingerprints.Fingerprint of(String text) throws IOException {
        return of(text.getBytes(StandardCharsets.UTF_8));
    }

    private static String text(int from, int to) {
        return IntStream.range(from, to).mapToObj(i -> "word" + i).collect(Collectors.joining(" "));
    }

    @Test
    void wordsAreRunsOfLettersAndDigitsInLowerCase() {
        assertEquals(
                List.of("the", "gnu", "v3", "\u00e4pfel", "\u0436", "\ud835\udc00\ud835\udc00"),
                MinHash.words("The (GNU) v3: \u00c4PFEL_\u0416 \ud835\udc00\ud835\udc00\u2026"));
        assertEquals(List.of(), MinHash.words(""));
    }

    @Test
    void shinglesAreASet() {
        assertEquals(
                Set.of("a b c d e", "b c d e a", "c d e a b", "d e a b c", "e a b c d"),
                MinHash.shingles("a b c d e a b c d e"));
        assertEquals(Set.of("a b"), MinHash.shingles("a, b!"));
        assertEquals(Set.of(""), MinHash.shingles("?"));
    }

    @Test
    void theNumbersAreThoseOfThePublishedGenerator() {
        // The first outputs of SplitMix64 with seed 0, as its authors' reference code prints them.
        assertEquals(0xE220A8397B1DCDAFL, MinHash.splitmix64(0));
        assertEquals(0x6E789E6AA1B965F4L, MinHash.splitmix64(0x9E3779B97F4A7C15L));
    }

    @Test
    void valuesFitAJsonNumber() throws IOException {
        Fingerprints.Fingerprint fingerprint = of(text(0, 300));
        assertEquals(MinHash.SIZE, fingerprint.minhash().length);
        for (long value : fingerprint.minhash()) {
            assertTrue(value >= 0 && value < 1L << 53);
        }
        assertEquals(296, fingerprint.shingles());
    }

    @Test
    void theSignatureEstimatesTheJaccardSimilarity() throws IOException {
        String one = text(0, 1_000);
        String other = text(500, 1_500);
        Set<String> common = new HashSet<>(MinHash.shingles(one));
        common.retainAll(MinHash.shingles(other));
        Set<String> all = new HashSet<>(MinHash.shingles(one));
        all.addAll(MinHash.shingles(other));
        double exact = (double) common.size() / all.size();
        long[] a = of(one).minhash();
        long[] b = of(other).minhash();
        double estimate = IntStream.range(0, a.length).filter(i -> a[i] == b[i]).count() / (double) a.length;
        assertEquals(exact, estimate, 0.15);
        assertArrayEquals(a, of(one).minhash());
    }

    @Test
    void theDigestIsOfTheBytes() throws IOException {
        assertEquals("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", of("").sha256());
    }

    @Test
    void whatIsNotUtf8IsRefusedForGood() {
        for (byte[] bytes : List.of(new byte[] {'a', 'b', (byte) 0xe9, 'c'}, new byte[] {'a', 'b', (byte) 0xc3})) {
            ActivityFailure failure = assertThrows(ActivityFailure.class, () -> of(bytes));
            assertEquals("NotUtf8", failure.type());
            assertTrue(failure.nonRetryable());
            assertEquals(
                    Map.of("file", directory.resolve("document").toString(), "offset", 2),
                    failure.details().orElseThrow());
            assertTrue(failure.getMessage().contains("offset 2"), failure.getMessage());
        }
    }

    @Test
    void aCancelStopsALongText() throws IOException {
        Path file = Files.writeString(directory.resolve("long"), text(0, 5_000));
        try (FakeActivityContext context = FakeActivityContext.open()) {
            context.requestCancel();
            assertThrows(ActivityCanceled.class, () -> new Fingerprints().fingerprint(file.toString()));
        }
    }
}
