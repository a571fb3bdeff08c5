// The options of a worker's command line, the same in every language (proto/README.md).
package dev.pyflow.activity;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Iterator;
import java.util.List;

final class Options {
    static final String USAGE =
            """
      Options (each also as an environment variable):
        --host ADDRESS           unix:/path, name:7233 or [::1]:7233                  PYFLOW_HOST_ADDRESS
        --task-list NAME         SWF activity task list                               PYFLOW_TASK_LIST
        --domain NAME            SWF domain; left out: the host's first               PYFLOW_DOMAIN
        --slots N                tasks at a time; default 8                           PYFLOW_SLOTS
        --start-timeout SECONDS  end when no host has answered within so long of the  PYFLOW_START_TIMEOUT
                                 start; default: as --give-up-after, else 30
        --give-up-after SECONDS  end when a host that had answered is gone for so     PYFLOW_GIVE_UP_AFTER
                                 long; default: never
        --token-file FILE        bearer token                                         PYFLOW_HOST_TOKEN_FILE
        --tls-ca FILE            authority of the host's certificate; means TLS       PYFLOW_HOST_TLS_CA
        --tls-cert FILE          the worker's own certificate; means TLS              PYFLOW_HOST_TLS_CERT
        --tls-key FILE           its key, PKCS#8                                      PYFLOW_HOST_TLS_KEY
        --insecure               plaintext to an address that is not loopback         PYFLOW_HOST_INSECURE=1
      """;

    private static final double MILLIS_PER_SECOND = 1_000;

    private Options() {}

    static void apply(String[] arguments, ActivityWorker.Builder worker) {
        HostOptions host = worker.hostOptions();
        for (Iterator<String> rest = List.of(arguments).iterator(); rest.hasNext(); ) {
            String option = rest.next();
            switch (option) {
                case "--host" -> worker.host(value(option, rest));
                case "--task-list" -> worker.taskList(value(option, rest));
                case "--domain" -> worker.domain(value(option, rest));
                case "--slots" -> worker.slots(whole(option, value(option, rest)));
                case "--start-timeout" -> worker.startTimeout(seconds(option, value(option, rest)));
                case "--give-up-after" -> worker.giveUpAfter(seconds(option, value(option, rest)));
                case "--token-file" -> host.tokenFile(Path.of(value(option, rest)));
                case "--tls-ca" -> host.tlsCa(Path.of(value(option, rest)));
                case "--tls-cert" -> host.tlsCert(Path.of(value(option, rest)));
                case "--tls-key" -> host.tlsKey(Path.of(value(option, rest)));
                case "--insecure" -> host.insecure(true);
                default -> throw new WorkerException.Misused("unknown option " + option);
            }
        }
    }

    private static String value(String option, Iterator<String> rest) {
        if (!rest.hasNext()) {
            throw new WorkerException.Misused(option + " needs a value");
        }
        return rest.next();
    }

    static int whole(String name, String text) {
        try {
            return Integer.parseInt(text);
        } catch (NumberFormatException e) {
            throw new WorkerException.Misused(name + " must be a whole number, not '" + text + "'", e);
        }
    }

    static Duration seconds(String name, String text) {
        try {
            double seconds = Double.parseDouble(text);
            if (seconds > 0 && Double.isFinite(seconds)) {
                return Duration.ofMillis(Math.round(seconds * MILLIS_PER_SECOND));
            }
        } catch (NumberFormatException e) {
            // told below, like a number that makes no sense
        }
        throw new WorkerException.Misused(name + " must be a positive number of seconds, not '" + text + "'");
    }
}
