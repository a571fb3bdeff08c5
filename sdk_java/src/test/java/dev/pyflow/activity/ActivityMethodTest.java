// How inputs become arguments: the table of proto/README.md, row by row.
package dev.pyflow.activity;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import dev.pyflow.api.v1.Payload;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class ActivityMethodTest {
    static class Base {
        @Activity
        String inherited() {
            return "inherited";
        }

        @Activity
        String overridden() {
            return "base";
        }
    }

    static final class Shapes extends Base {
        @Activity
        String none() {
            return "none";
        }

        @Activity
        String one(Object value) {
            return "one " + value;
        }

        @Activity
        String two(String path, int sentences) {
            return path + " " + sentences;
        }

        @Activity
        String defaulted(String path, Optional<Integer> sentences) {
            return path + " " + sentences.orElse(3);
        }

        @Activity(spread = false)
        String unspread(Map<String, Object> value) {
            return "whole " + value;
        }

        @Activity
        String typed(List<Long> numbers, boolean flag, double ratio) {
            return numbers + " " + flag + " " + ratio;
        }

        @Activity
        @Override
        String overridden() {
            return "sub";
        }
    }

    private static ActivityMethod method(String name) {
        return ActivityMethod.of(new Shapes()).stream()
                .filter(method -> method.type().getName().equals(name))
                .findFirst()
                .orElseThrow();
    }

    private static Object call(String name, String json) throws Throwable {
        return method(name).call(Optional.ofNullable(json).map(text -> Payload.newBuilder()
                .setData(ByteString.copyFromUtf8(text))
                .build()));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            nullValues = "ABSENT",
            quoteCharacter = '`',
            value = {
                "none      | ABSENT                              | none",
                "none      | null                                | none",
                "inherited | ABSENT                              | inherited",
                "overridden| ABSENT                              | sub",
                "one       | 5                                   | one 5",
                "one       | null                                | one null",
                "one       | {}                                  | one {}",
                "one       | [1,2]                               | one [1, 2]",
                "one       | {\"value\":7}                       | one 7",
                "one       | {\"value\":7,\"other\":8}           | one {value=7, other=8}",
                "two       | {\"path\":\"/a\",\"sentences\":2}   | /a 2",
                "two       | {\"sentences\":2,\"path\":\"/a\"}   | /a 2",
                "defaulted | {\"path\":\"/a\"}                   | /a 3",
                "defaulted | {\"path\":\"/a\",\"sentences\":null}| /a 3",
                "defaulted | {\"path\":\"/a\",\"sentences\":9}   | /a 9",
                "defaulted | \"/b\"                              | /b 3",
                "unspread  | {\"value\":1}                       | whole {value=1}",
                "typed     | {\"numbers\":[9223372036854775807],\"flag\":true,\"ratio\":1}| [9223372036854775807] true"
                        + " 1.0",
            })
    void fits(String name, String json, String expected) throws Throwable {
        assertEquals(expected, call(name, json));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            nullValues = "ABSENT",
            quoteCharacter = '`',
            value = {
                "none      | 5                                          | takes no argument",
                "one       | ABSENT                                     | 'value' has no value; there is no input",
                "two       | ABSENT                                     | 'path' has no value",
                "two       | {\"path\":\"/a\"}                          | 'sentences' has no value; the input has"
                        + " [path]",
                "two       | {\"path\":\"/a\",\"lines\":2}              | [path, lines]",
                "two       | \"/a\"                                     | 'sentences' has no value",
                "two       | {\"path\":7,\"sentences\":2}               | 'path'",
                "two       | {\"path\":\"/a\",\"sentences\":\"2\"}      | 'sentences'",
                "two       | {\"path\":\"/a\",\"sentences\":2.5}        | 'sentences'",
                "two       | {\"path\":\"/a\",\"sentences\":4294967296} | 'sentences'",
                "two       | {\"path\":\"/a\",\"sentences\":null}       | 'sentences'",
                "typed     | {\"numbers\":[1.5],\"flag\":1,\"ratio\":0} | 'numbers'",
            })
    void doesNotFit(String name, String json, String message) {
        ActivityFailure failure = assertThrows(ActivityFailure.class, () -> call(name, json));
        assertEquals("pyflow.BadArguments", failure.type());
        assertTrue(failure.nonRetryable());
        assertTrue(failure.getMessage().contains(message), failure.getMessage());
        assertTrue(failure.getMessage().startsWith("activity " + name + " 1.0("), failure.getMessage());
    }

    @Test
    void badDeclarationsAreRefusedBeforeAnythingRuns() {
        for (Object bad : List.of(
                new Object(),
                new Object() {
                    @Activity(startToCloseTimeout = "60")
                    void noDuration() {}
                },
                new Object() {
                    @Activity(heartbeatTimeout = "PT0S")
                    void zero() {}
                },
                new Object() {
                    @Activity(version = "")
                    void unversioned() {}
                })) {
            assertThrows(WorkerException.Misused.class, () -> ActivityMethod.of(bad));
        }
        String longName = assertThrows(
                        WorkerException.Misused.class,
                        () -> ActivityMethod.of(new Object() {
                            @Activity(
                                    version = "0123456789012345678901234567890123456789012345678901234567890123456789")
                            void versioned() {}
                        }))
                .getMessage();
        assertTrue(longName.contains("64"), longName);
    }

    @Test
    void whatTheMethodThrowsComesThroughUnwrapped() {
        Samples samples = new Samples();
        ActivityMethod fail = ActivityMethod.of(samples).stream()
                .filter(method -> method.type().getName().equals("fail"))
                .findFirst()
                .orElseThrow();
        Payload plain = Payload.newBuilder()
                .setData(ByteString.copyFromUtf8("\"plain\""))
                .build();
        assertThrows(Samples.CardExpired.class, () -> fail.call(Optional.of(plain)));
        assertTrue(Arrays.stream(Samples.class.getDeclaredMethods())
                .anyMatch(method -> method.getName().equals("fail")));
    }
}
