// Why a worker ended, other than by being asked to.
//
//   WorkerException
//   +- Refused      the host ended the stream for good (GoAway UNAUTHENTICATED, INCOMPATIBLE or SUPERSEDED)
//   +- Unreachable  no host answered for as long as startTimeout or giveUpAfter allow
//   +- Misused      options or activities that cannot work; nothing was started
package dev.pyflow.activity;

/** Why a worker ended, or could not start. The message says what happened and what to do next. */
public abstract sealed class WorkerException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private WorkerException(String message, Throwable cause) {
        super(message, cause);
    }

    /** The host ended the stream for good. */
    public static final class Refused extends WorkerException {
        private static final long serialVersionUID = 1L;

        private final String reason;

        Refused(String reason, String message) {
            super(message, null);
            this.reason = reason;
        }

        /**
         * The host's reason as the contract spells it.
         *
         * @return {@code UNAUTHENTICATED}, {@code INCOMPATIBLE} or {@code SUPERSEDED}
         */
        public String reason() {
            return reason;
        }
    }

    /** No host answered for as long as {@code startTimeout} or {@code giveUpAfter} allow. */
    public static final class Unreachable extends WorkerException {
        private static final long serialVersionUID = 1L;

        Unreachable(String message) {
            super(message, null);
        }
    }

    /** Options or activities that cannot work. */
    public static final class Misused extends WorkerException {
        private static final long serialVersionUID = 1L;

        Misused(String message) {
            super(message, null);
        }

        Misused(String message, Throwable cause) {
            super(message, cause);
        }
    }
}
