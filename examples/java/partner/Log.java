package partner;

import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * 日志：每行一个 JSON，只有编号和代码，从不写姓名、证件号、地点。
 * The log: one JSON object a line on standard output; numbers and codes only, never a name, an ID or a place.
 *
 * <p>控制字符一律写成 \\u…：换行会伪造一行日志，ESC 会操纵终端，U+202E 会倒转文字。
 * What a terminal would obey is written as \\u…: JSON does so for C0 alone, not for C1 and the marks that turn text.
 */
final class Log {
    private static final Pattern OBEYED = Pattern.compile("[\\p{Cc}\\p{Cf}\\p{Cs}\\p{Zl}\\p{Zp}]");
    private static final PrintStream OUT = new PrintStream(System.out, true, StandardCharsets.UTF_8);

    private Log() {}

    /** Names and values in turn; a value that is null is left out. */
    static void say(Object... namesAndValues) {
        OUT.println(visible(Json.write(Json.object(namesAndValues))));
    }

    /** JSON without a character that a terminal would obey. */
    static String visible(String json) {
        return OBEYED.matcher(json).replaceAll(found -> Matcher.quoteReplacement(escaped(found.group())));
    }

    /** 他人的文字，截短。A text that somebody else chose, cut. */
    static String cut(String text) {
        return text == null ? "" : text.substring(0, Math.min(text.length(), Bounds.TEXT_LENGTH));
    }

    private static String escaped(String character) {
        StringBuilder out = new StringBuilder();
        for (char unit : character.toCharArray()) out.append(String.format("\\u%04x", (int) unit));
        return out.toString();
    }
}
