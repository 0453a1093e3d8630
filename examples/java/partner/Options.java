package partner;

import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * 命令行参数与环境变量。Command line, or environment: --sign-key or LIANZHI_SIGN_KEY, and so on.
 *
 * @param ca null: whom the machine trusts
 * @param contract what we may say
 * @param answers where what is said later is put
 * @param demo make receipts and results up, for trials
 * @param once end after so many messages
 * @param show the request to show instead of running; null: run
 */
record Options(String code, Broker broker, Path ca, Path signKey, List<Path> openKeys, Path gatewayKeys, Path ledger,
        Contract contract, Path answers, String system, int prefetch, boolean demo, long once, String show) {
    /** Where the broker is, and who we are there. */
    record Broker(String host, int port, boolean tls, String virtualHost, String user, String password) {}

    private static final List<String> NAMES = List.of("code", "amqp", "password-file", "ca", "sign-key", "open-key",
            "gateway-keys", "ledger", "contract", "answers", "system", "prefetch", "once");
    private static final List<String> REQUIRED = List.of("code", "amqp", "sign-key", "open-key", "gateway-keys");

    /** Throws Misuse: an option is missing, unknown or not of its form. */
    static Options read(String[] arguments, Map<String, String> environment) {
        Map<String, List<String>> given = new LinkedHashMap<>();
        for (String name : NAMES) {
            String value = environment.get("LIANZHI_" + name.replace('-', '_').toUpperCase(Locale.ROOT));
            if (value == null || value.isEmpty() || name.equals("once")) continue;
            given.put(name, name.equals("open-key") ? List.of(value.split(",")) : List.of(value));
        }
        Map<String, List<String>> typed = new LinkedHashMap<>();
        boolean shows = arguments.length > 1 && arguments[0].equals("show");
        boolean demo = false; // 只作参数 only as an option: nothing left in an environment may invent
        for (int i = shows ? 2 : 0; i < arguments.length; i += 2) {
            if (arguments[i].equals("--demo")) {
                demo = true;
                i--; // it has no value
                continue;
            }
            String name = arguments[i].replaceFirst("^--", "");
            if (!NAMES.contains(name) || i + 1 == arguments.length) {
                throw new Misuse(arguments[i] + "：没有这个参数，或缺少它的值。 No such option, or its value is missing.");
            }
            typed.computeIfAbsent(name, first -> new ArrayList<>()).add(arguments[i + 1]);
        }
        given.putAll(typed);
        given.forEach((name, values) -> {
            if (values.stream().anyMatch(value -> value.indexOf('\uFFFD') >= 0)) { // JDK 按 locale 读参数 the JDK reads them by the locale
                throw new Misuse("--" + name + "：文字读不出，请以 LC_ALL=C.UTF-8 运行。 cannot be read: run with LC_ALL=C.UTF-8.");
            }
        });
        for (String name : REQUIRED) {
            if (!given.containsKey(name)) throw new Misuse("缺少参数 --" + name + "。 The option --" + name + " is missing.");
        }
        String code = one(given, "code", null);
        return new Options(
                code,
                broker(one(given, "amqp", null), code, one(given, "password-file", null)),
                given.containsKey("ca") ? Path.of(one(given, "ca", null)) : null,
                Path.of(one(given, "sign-key", null)),
                given.get("open-key").stream().map(Path::of).toList(),
                Path.of(one(given, "gateway-keys", null)),
                Path.of(one(given, "ledger", "ledger.jsonl")),
                Contract.read(given.containsKey("contract") ? Path.of(one(given, "contract", null)) : null),
                Path.of(one(given, "answers", "answers")),
                one(given, "system", code),
                (int) count("prefetch", one(given, "prefetch", "20"), 65_535),
                demo,
                given.containsKey("once") ? count("once", one(given, "once", null), Integer.MAX_VALUE) : Long.MAX_VALUE,
                shows ? arguments[1] : null);
    }

    /** 登录用户就是单位代码，除非地址中另有。The broker user is the participant's code, unless the URL names another. */
    private static Broker broker(String amqp, String code, String passwordFile) {
        URI url;
        try {
            url = new URI(amqp);
        } catch (URISyntaxException malformed) {
            url = URI.create("");
        }
        boolean tls = "amqps".equals(url.getScheme());
        if (url.getHost() == null || !(tls || "amqp".equals(url.getScheme()))) {
            throw new Misuse("--amqp 须为 amqp:// 或 amqps:// 地址。 must be an amqp:// or amqps:// URL.");
        }
        String[] login = url.getRawUserInfo() == null ? new String[0] : url.getRawUserInfo().split(":", 2);
        String user = login.length > 0 && !login[0].isEmpty() ? decoded(login[0]) : code;
        String password = passwordFile != null ? password(passwordFile) : login.length > 1 ? decoded(login[1]) : "";
        int port = url.getPort() != -1 ? url.getPort() : tls ? 5671 : 5672;
        String path = url.getRawPath();
        return new Broker(url.getHost(), port, tls, path.length() > 1 ? decoded(path.substring(1)) : "/", user, password);
    }

    private static String password(String file) {
        try {
            return Files.readString(Path.of(file)).strip();
        } catch (IOException unreadable) {
            throw new Misuse(file + "：读不到密码文件。 The password cannot be read.");
        }
    }

    private static String decoded(String text) {
        return URLDecoder.decode(text.replace("+", "%2B"), StandardCharsets.UTF_8);
    }

    private static String one(Map<String, List<String>> given, String name, String otherwise) {
        List<String> values = given.get(name);
        return values == null ? otherwise : values.get(values.size() - 1);
    }

    private static long count(String name, String text, int most) {
        if (text.matches("[1-9]\\d{0,9}") && Long.parseLong(text) <= most) return Long.parseLong(text);
        throw new Misuse("--" + name + " 须为正整数。 must be a positive integer.");
    }
}
