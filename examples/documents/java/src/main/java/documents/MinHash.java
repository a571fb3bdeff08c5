// MinHash signatures over sets of word shingles, by exactly the numbers README.md tells.
package documents;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/** A signature in the making. */
final class MinHash {
    static final int SIZE = 128;
    static final int SHINGLE_WORDS = 5;

    /** Signature values are below 2^53, so that every JSON reader gives them back exactly. */
    private static final long MASK = (1L << 53) - 1;

    private static final long SEED_START = 0x5EED;
    private static final long GOLDEN_GAMMA = 0x9E3779B97F4A7C15L;
    private static final long[] SEEDS = seeds();

    private final long[] minima = new long[SIZE];

    MinHash() {
        Arrays.fill(minima, Long.MAX_VALUE);
    }

    void add(String shingle) {
        long hash = ByteBuffer.wrap(sha256(shingle.getBytes(StandardCharsets.UTF_8)))
                .getLong();
        for (int i = 0; i < SIZE; i++) {
            minima[i] = Math.min(minima[i], splitmix64(hash ^ SEEDS[i]) & MASK);
        }
    }

    long[] values() {
        return minima.clone();
    }

    /** All runs of five words; a shorter text is one shingle, an empty one too. */
    static Set<String> shingles(String text) {
        List<String> words = words(text);
        Set<String> shingles = new LinkedHashSet<>();
        for (int i = 0; i + SHINGLE_WORDS <= words.size(); i++) {
            shingles.add(String.join(" ", words.subList(i, i + SHINGLE_WORDS)));
        }
        if (shingles.isEmpty()) {
            shingles.add(String.join(" ", words));
        }
        return shingles;
    }

    /** Maximal runs of letters (Unicode L*) and decimal digits (Nd), each in lower case. */
    static List<String> words(String text) {
        List<String> words = new ArrayList<>();
        int start = -1;
        for (int at = 0; at <= text.length(); ) {
            int character = at < text.length() ? text.codePointAt(at) : ' ';
            if (Character.isLetterOrDigit(character)) {
                start = start < 0 ? at : start;
            } else if (start >= 0) {
                words.add(text.substring(start, at).toLowerCase(Locale.ROOT));
                start = -1;
            }
            at += Character.charCount(character);
        }
        return words;
    }

    static byte[] sha256(byte[] bytes) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(bytes);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform must have SHA-256", e);
        }
    }

    static long splitmix64(long x) {
        long z = x + GOLDEN_GAMMA;
        z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return z ^ (z >>> 31);
    }

    private static long[] seeds() {
        long[] seeds = new long[SIZE];
        for (int i = 0; i < SIZE; i++) {
            seeds[i] = splitmix64(SEED_START + i * GOLDEN_GAMMA);
        }
        return seeds;
    }
}
