// The golden frames of the contract: decoded, looked at by their JSON form, encoded to the same bytes.
package dev.pyflow.activity;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import com.google.protobuf.ByteString;
import com.google.protobuf.Descriptors.EnumValueDescriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Duration;
import com.google.protobuf.Message;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

final class GoldenFramesTest {
    private static final Path FRAMES = Path.of("../proto/golden/frames.txt");
    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

    static Stream<String> frames() throws IOException {
        return Files.readAllLines(FRAMES).stream().filter(line -> !line.startsWith("#"));
    }

    @Test
    void areThere() throws IOException {
        assertTrue(frames().count() > 30);
    }

    @ParameterizedTest
    @MethodSource("frames")
    void golden(String line) throws Exception {
        String[] columns = line.split("\t");
        byte[] bytes = HexFormat.of().parseHex(columns[2]);
        Class<?> kind = Class.forName("dev.pyflow.api.v1." + columns[1]);
        Message decoded = (Message) kind.getMethod("parseFrom", byte[].class).invoke(null, bytes);
        assertArrayEquals(bytes, decoded.toByteArray());
        if (!columns[3].equals("-")) {
            assertEquals(new ObjectMapper().readTree(columns[3]), form(decoded));
        }
    }

    /** The JSON form of protobuf, as far as the contract needs it. */
    private static JsonNode form(Message message) {
        if (message instanceof Duration duration) {
            String fraction = duration.getNanos() == 0 ? "" : String.format(".%03d", duration.getNanos() / 1_000_000);
            return TextNode.valueOf(duration.getSeconds() + fraction + "s");
        }
        ObjectNode object = JSON.objectNode();
        message.getAllFields().forEach((field, value) -> object.set(field.getJsonName(), form(field, value)));
        return object;
    }

    private static JsonNode form(FieldDescriptor field, Object value) {
        if (field.isMapField()) {
            ObjectNode entries = JSON.objectNode();
            for (Object entry : (List<?>) value) {
                Message pair = (Message) entry;
                List<FieldDescriptor> fields = pair.getDescriptorForType().getFields();
                entries.set(pair.getField(fields.get(0)).toString(), single(pair.getField(fields.get(1))));
            }
            return entries;
        }
        if (field.isRepeated()) {
            ArrayNode items = JSON.arrayNode();
            ((List<?>) value).forEach(item -> items.add(single(item)));
            return items;
        }
        return value instanceof Integer number ? unsigned(number) : single(value);
    }

    private static JsonNode unsigned(int value) {
        long number = Integer.toUnsignedLong(value);
        return number <= Integer.MAX_VALUE ? JSON.numberNode((int) number) : JSON.numberNode(number);
    }

    private static JsonNode single(Object value) {
        if (value instanceof Message message) {
            return form(message);
        }
        if (value instanceof ByteString bytes) {
            return TextNode.valueOf(Base64.getEncoder().encodeToString(bytes.toByteArray()));
        }
        if (value instanceof EnumValueDescriptor constant) {
            return TextNode.valueOf(constant.getName());
        }
        if (value instanceof Boolean bool) {
            return JSON.booleanNode(bool);
        }
        if (value instanceof Long number) {
            return TextNode.valueOf(Long.toUnsignedString(number));
        }
        return TextNode.valueOf(value.toString());
    }
}
