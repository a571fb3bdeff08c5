// What a host accepts, and SWF's own limits where it does not say.
package dev.pyflow.activity;

import dev.pyflow.api.v1.Limits;

final class HostLimits {
    /** Without a host that tells others. The frame limit is the contract's, the payload limit fits any text of SWF's. */
    static final Limits SWF = Limits.newBuilder()
            .setFrameBytesMax(4 * 1024 * 1024)
            .setPayloadBytesMax(4 * 32_768)
            .setResultCharsMax(32_768)
            .setProgressCharsMax(2_048)
            .setCauseDepthMax(16)
            .build();

    private HostLimits() {}

    /** Those of a Welcome; a limit it does not name (0) is SWF's. */
    static Limits of(Limits told) {
        return SWF.toBuilder().mergeFrom(told).build();
    }
}
