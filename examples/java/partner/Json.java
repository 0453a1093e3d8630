package partner;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * 约定所允许的 JSON。JSON as the contract allows it (docs/contracts.md 3.1), stricter than RFC 8259: UTF-8 without a byte order
 * mark, no member twice, integers within ±(2^53−1) only (money is a string), bounded depth, no U+0000, no lone surrogate.
 * Two readers of the same bytes then read the same thing.
 *
 * <p>A value is a Map, List, String, Long, Boolean or null.
 */
final class Json {
    static final long MAX_INTEGER = (1L << 53) - 1;

    private final String text;
    private int at;

    private Json(String text) {
        this.text = text;
    }

    static Object parse(byte[] utf8) throws Refused {
        try {
            return parse(StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(utf8)).toString());
        } catch (CharacterCodingException notUtf8) {
            throw new Refused("bad-encoding");
        }
    }

    static Object parse(String text) throws Refused {
        if (text.startsWith("\uFEFF")) throw new Refused("bad-encoding");
        Json reader = new Json(text);
        Object value = reader.value(0);
        reader.space();
        if (reader.at != text.length()) throw new Refused("malformed-json");
        return value;
    }

    /** Names and values in turn; a value that is null is left out, as the contract says of members. */
    static Map<String, Object> object(Object... namesAndValues) {
        Map<String, Object> object = new LinkedHashMap<>();
        for (int i = 0; i < namesAndValues.length; i += 2) {
            if (namesAndValues[i + 1] != null) object.put((String) namesAndValues[i], namesAndValues[i + 1]);
        }
        return object;
    }

    /** The object that it is, or null. Keys of a parsed object are always texts. */
    @SuppressWarnings("unchecked")
    static Map<String, Object> asObject(Object value) {
        return value instanceof Map ? (Map<String, Object>) value : null;
    }

    static String write(Object value) {
        StringBuilder out = new StringBuilder();
        write(value, out);
        return out.toString();
    }

    private Object value(int depth) throws Refused {
        space();
        char c = peek();
        if ((c == '{' || c == '[') && depth == Bounds.JSON_DEPTH) throw new Refused("too-deep");
        return switch (c) {
            case '{' -> object(depth + 1);
            case '[' -> array(depth + 1);
            case '"' -> string();
            case 't' -> word("true", true);
            case 'f' -> word("false", false);
            case 'n' -> word("null", null);
            default -> number();
        };
    }

    private Map<String, Object> object(int depth) throws Refused {
        Map<String, Object> object = new LinkedHashMap<>();
        at++;
        space();
        if (skip('}')) return object;
        do {
            space();
            if (peek() != '"') throw new Refused("malformed-json");
            String name = string();
            space();
            expect(':');
            if (object.containsKey(name)) throw new Refused("duplicate-member");
            object.put(name, value(depth));
            space();
        } while (skip(','));
        expect('}');
        return object;
    }

    private List<Object> array(int depth) throws Refused {
        List<Object> array = new ArrayList<>();
        at++;
        space();
        if (skip(']')) return array;
        do {
            array.add(value(depth));
            space();
        } while (skip(','));
        expect(']');
        return array;
    }

    private String string() throws Refused {
        StringBuilder out = new StringBuilder();
        at++;
        for (char c = next(); c != '"'; c = next()) {
            if (c < 0x20) throw new Refused("malformed-json");
            out.append(c == '\\' ? escaped() : c);
        }
        for (int i = 0; i < out.length(); i += Character.charCount(out.codePointAt(i))) {
            int point = out.codePointAt(i);
            if (point == 0 || Character.getType(point) == Character.SURROGATE) throw new Refused("bad-encoding");
        }
        return out.toString();
    }

    private char escaped() throws Refused {
        char c = next();
        return switch (c) {
            case '"', '\\', '/' -> c;
            case 'b' -> '\b';
            case 'f' -> '\f';
            case 'n' -> '\n';
            case 'r' -> '\r';
            case 't' -> '\t';
            case 'u' -> hex();
            default -> throw new Refused("malformed-json");
        };
    }

    private char hex() throws Refused {
        int unit = 0;
        for (int i = 0; i < 4; i++) {
            int place = "0123456789abcdef".indexOf(Character.toLowerCase(next()));
            if (place < 0) throw new Refused("malformed-json");
            unit = unit << 4 | place;
        }
        return (char) unit;
    }

    private Long number() throws Refused {
        int from = at;
        while (at < text.length() && "+-.0123456789eE".indexOf(text.charAt(at)) >= 0) at++;
        String digits = text.substring(from, at);
        if (!digits.matches("-?(0|[1-9]\\d*)(\\.\\d+)?([eE][+-]?\\d+)?")) throw new Refused("malformed-json");
        if (!digits.matches("-?\\d{1,16}") || Math.abs(Long.parseLong(digits)) > MAX_INTEGER) {
            throw new Refused("bad-number");
        }
        return Long.valueOf(digits);
    }

    private Object word(String word, Object meaning) throws Refused {
        if (!text.startsWith(word, at)) throw new Refused("malformed-json");
        at += word.length();
        return meaning;
    }

    private void space() {
        while (at < text.length() && " \t\n\r".indexOf(text.charAt(at)) >= 0) at++;
    }

    private char peek() throws Refused {
        if (at >= text.length()) throw new Refused("malformed-json");
        return text.charAt(at);
    }

    private char next() throws Refused {
        char c = peek();
        at++;
        return c;
    }

    private boolean skip(char c) throws Refused {
        if (peek() != c) return false;
        at++;
        return true;
    }

    private void expect(char c) throws Refused {
        if (!skip(c)) throw new Refused("malformed-json");
    }

    private static void write(Object value, StringBuilder out) {
        if (value instanceof Map<?, ?> map) {
            String before = "{";
            for (Map.Entry<?, ?> member : map.entrySet()) {
                out.append(before);
                quote((String) member.getKey(), out);
                out.append(':');
                write(member.getValue(), out);
                before = ",";
            }
            out.append(map.isEmpty() ? "{}" : "}");
        } else if (value instanceof List<?> list) {
            String before = "[";
            for (Object item : list) {
                out.append(before);
                write(item, out);
                before = ",";
            }
            out.append(list.isEmpty() ? "[]" : "]");
        } else if (value instanceof String string) {
            quote(string, out);
        } else if (value == null || value instanceof Long || value instanceof Integer || value instanceof Boolean) {
            out.append(value);
        } else {
            throw new IllegalArgumentException("no JSON value: " + value.getClass());
        }
    }

    private static void quote(String string, StringBuilder out) {
        out.append('"');
        for (char c : string.toCharArray()) {
            if (c == '"' || c == '\\') out.append('\\').append(c);
            else if (c < 0x20) out.append(String.format("\\u%04x", (int) c));
            else out.append(c);
        }
        out.append('"');
    }
}
