// JSON as the contract wants it: UTF-8, no NaN or infinities, integers exact, nothing cut silently.
package dev.pyflow.activity;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamWriteConstraints;
import com.fasterxml.jackson.core.util.JsonGeneratorDelegate;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JavaType;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.MapperFeature;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.cfg.CoercionAction;
import com.fasterxml.jackson.databind.cfg.CoercionInputShape;
import com.fasterxml.jackson.databind.cfg.MutableCoercionConfig;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.type.LogicalType;
import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import dev.pyflow.api.v1.Payload;
import java.io.IOException;
import java.lang.reflect.Type;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** Values to payloads and back. */
final class Json {
    static final String CONTENT_TYPE = "application/json";

    /** Arrays and objects inside each other, either way. What the pool's threads can write and read by recursion. */
    static final int NESTING_DEPTH_MAX = 2_000;

    private static final JsonMapper MAPPER = JsonMapper.builder(JsonFactory.builder()
                    .streamReadConstraints(StreamReadConstraints.builder()
                            .maxNestingDepth(NESTING_DEPTH_MAX)
                            .build())
                    .streamWriteConstraints(StreamWriteConstraints.builder()
                            .maxNestingDepth(NESTING_DEPTH_MAX)
                            .build())
                    .addDecorator((factory, generator) -> new FiniteNumbers(generator))
                    .build())
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS, DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
            .disable(DeserializationFeature.ACCEPT_FLOAT_AS_INT, DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .disable(SerializationFeature.WRITE_DATES_AS_TIMESTAMPS)
            .disable(MapperFeature.ALLOW_COERCION_OF_SCALARS)
            .withCoercionConfig(LogicalType.Textual, Json::textOnlyFromText)
            .findAndAddModules()
            .build();

    private Json() {}

    /** A value that cannot be written or read, and where. */
    static final class Unfit extends Exception {
        private static final long serialVersionUID = 1L;

        Unfit(String message, Throwable cause) {
            super(message, cause);
        }
    }

    static Payload write(Object value) throws Unfit {
        try {
            // A String first: Jackson's own UTF-8 writer spells what lies outside the basic plane as escapes.
            CharBuffer text = CharBuffer.wrap(MAPPER.writeValueAsString(value));
            ByteBuffer bytes = StandardCharsets.UTF_8.newEncoder().encode(text);
            return Payload.newBuilder()
                    .setData(UnsafeByteOperations.unsafeWrap(bytes))
                    .build();
        } catch (CharacterCodingException e) {
            throw new Unfit("a text in it has half of a surrogate pair, which UTF-8 cannot carry", e);
        } catch (JsonProcessingException e) {
            throw new Unfit(explain(e), e);
        } catch (StackOverflowError e) {
            throw new Unfit("it is nested too deeply, or contains itself", e);
        }
    }

    static JsonNode readTree(Payload payload) throws Unfit {
        if (!payload.getContentType().isEmpty() && !payload.getContentType().equals(CONTENT_TYPE)) {
            throw new Unfit(
                    "its content type is '" + payload.getContentType() + "', this worker reads " + CONTENT_TYPE
                            + " only",
                    null);
        }
        try {
            // A String first: Jackson's own UTF-8 reader lets some malformed bytes pass.
            ByteBuffer bytes = payload.getData().asReadOnlyByteBuffer();
            JsonNode tree = MAPPER.readTree(
                    StandardCharsets.UTF_8.newDecoder().decode(bytes).toString());
            if (tree.isMissingNode()) {
                throw new Unfit("it is empty", null);
            }
            return tree;
        } catch (CharacterCodingException e) {
            throw new Unfit("it is not UTF-8", e);
        } catch (JsonProcessingException e) {
            throw new Unfit(explain(e), e);
        }
    }

    static Object convert(JsonNode value, JavaType type) throws Unfit {
        try {
            return MAPPER.readerFor(type).readValue(value);
        } catch (IOException e) {
            throw new Unfit(explain(e), e);
        } catch (StackOverflowError e) {
            throw new Unfit("it is nested too deeply for " + type.toCanonical(), e);
        }
    }

    static JavaType type(Type type) {
        return MAPPER.constructType(type);
    }

    /** How many UTF-16 units the text has, which is what SWF counts. */
    static int characters(Payload payload) {
        ByteString data = payload.getData();
        int units = 0;
        for (int i = 0; i < data.size(); i++) {
            int b = data.byteAt(i);
            if ((b & 0xC0) != 0x80) {
                units += (b & 0xF8) == 0xF0 ? 2 : 1;
            }
        }
        return units;
    }

    private static void textOnlyFromText(MutableCoercionConfig config) {
        for (CoercionInputShape shape :
                List.of(CoercionInputShape.Integer, CoercionInputShape.Float, CoercionInputShape.Boolean)) {
            config.setCoercion(shape, CoercionAction.Fail);
        }
    }

    private static String explain(IOException e) {
        if (!(e instanceof JsonProcessingException json)) {
            return e.getMessage();
        }
        StringBuilder text = new StringBuilder(json.getOriginalMessage());
        if (e instanceof JsonMappingException mapping && !mapping.getPath().isEmpty()) {
            text.append(" (at ").append(mapping.getPathReference()).append(')');
        }
        return text.toString();
    }

    /** Refuses what JSON does not have; Jackson would write the string "NaN". */
    private static final class FiniteNumbers extends JsonGeneratorDelegate {
        FiniteNumbers(JsonGenerator generator) {
            super(generator, false);
        }

        @Override
        public void writeNumber(double value) throws IOException {
            if (!Double.isFinite(value)) {
                throw new JsonMappingException(this, value + " has no JSON form");
            }
            super.writeNumber(value);
        }

        @Override
        public void writeNumber(float value) throws IOException {
            if (!Float.isFinite(value)) {
                throw new JsonMappingException(this, value + " has no JSON form");
            }
            super.writeNumber(value);
        }

        @Override
        public void writeArray(double[] array, int offset, int length) throws IOException {
            writeStartArray(array, length);
            for (int i = offset; i < offset + length; i++) {
                writeNumber(array[i]);
            }
            writeEndArray();
        }
    }
}
