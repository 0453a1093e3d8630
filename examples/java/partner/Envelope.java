package partner;

import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * 信封：一个 CloudEvents 1.0 事件。The signed envelope: a CloudEvents 1.0 event with exactly the members of docs/contracts.md 3.1.
 * members: as they came.
 */
record Envelope(Map<String, Object> members) {
    private static final List<String> REQUIRED =
            List.of("specversion", "id", "source", "receiver", "type", "time", "datacontenttype", "data");
    private static final List<String> IN_REQUEST = List.of("subject", "dataschema", "seqno");
    private static final Set<String> OPTIONAL = Set.of("expires", "causationid", "originhash", "caseno", "related", "groupno",
            "submissionhash", "replykey", "traceparent");
    private static final Set<String> HEAD = Set.of("outcome", "as_of", "ttl_hours", "refs", "reason_code", "effect", "level",
            "reply_by", "supersedes", "at");

    private static final String CODE = "[a-z][a-z0-9-]{1,30}";
    private static final String TIME = "\\d{4}-\\d{2}-\\d{2}T([01]\\d|2[0-3]):\\d{2}:\\d{2}\\.\\d{3}Z";
    private static final String UUID7 = "[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}";
    private static final String DIGEST = "[A-Za-z0-9_-]{43}";
    static final Pattern REQUEST_NO = Pattern.compile("(" + CODE + ")-\\d{8}-\\d{6,12}");
    private static final Pattern OUTSIDE = Pattern.compile("lianzhi\\.gateway\\.(notice|ping|pong)");
    private static final Pattern REF = Pattern.compile("[a-z0-9]{8}");
    private static final int REFS = 1_000;

    private static final Map<String, Pattern> FORMS = Map.ofEntries(
            form("specversion", "1\\.0"),
            form("id", UUID7),
            form("source", "//" + CODE),
            form("receiver", CODE),
            form("type", "lianzhi(\\.[a-z][a-z0-9-]{0,40}){2,6}"),
            form("time", TIME),
            form("datacontenttype", "application/json"),
            form("subject", REQUEST_NO.pattern()),
            form("dataschema", "urn:lianzhi:[^:\\s]+:[^:\\s]+:[^:\\s]+:\\d{1,6}"),
            form("expires", TIME),
            form("causationid", UUID7),
            form("originhash", DIGEST),
            form("caseno", "(?s).{0,60}"),
            form("related", REQUEST_NO.pattern()),
            form("groupno", REQUEST_NO.pattern()),
            form("submissionhash", DIGEST),
            form("replykey", CODE + "\\.enc\\.[a-z0-9][a-z0-9-]{0,30}"),
            form("traceparent", "[0-9a-f-]{55}"));

    String id() {
        return text("id");
    }

    /** 对方的代码。Who sent it. */
    String peer() {
        return text("source").substring(2);
    }

    /** The request; null outside any request. */
    String subject() {
        return text("subject");
    }

    Long seqno() {
        return (Long) members.get("seqno");
    }

    /** lianzhi.[matter type].[verb] */
    String verb() {
        return text("type").substring(text("type").lastIndexOf('.') + 1);
    }

    String matter() {
        return text("type").substring("lianzhi.".length(), text("type").lastIndexOf('.'));
    }

    /** urn:lianzhi:[dialect]:[matter type]:[verb]:[version] */
    String dialect() {
        return text("dataschema").split(":")[2];
    }

    String version() {
        return text("dataschema").split(":")[5];
    }

    /** refs of the head, in clear. */
    List<String> refs() {
        Map<String, Object> head = Json.asObject(Json.asObject(members.get("data")).get("head"));
        List<?> refs = head == null ? List.of() : (List<?>) head.getOrDefault("refs", List.of());
        return refs.stream().map(String.class::cast).toList();
    }

    boolean isExpired(Instant now) throws Refused {
        return text("expires") != null && !moment("expires").isAfter(now);
    }

    /** A member that is a text, or null. */
    String text(String name) {
        return members.get(name) instanceof String text ? text : null;
    }

    /** RFC 3339 UTC with milliseconds. */
    Instant moment(String name) throws Refused {
        String text = text(name);
        if (text == null || !FORMS.get(name).matcher(text).matches()) throw new Refused("bad-envelope", "/" + name);
        try {
            return Instant.parse(text);
        } catch (DateTimeParseException noSuchDay) {
            throw new Refused("bad-envelope", "/" + name);
        }
    }

    /** 成员不多不少，各合其形。No member too few or too many, each of its form. */
    void check() throws Refused {
        boolean outside = text("type") != null && OUTSIDE.matcher(text("type")).matches();
        for (String name : REQUIRED) require(name);
        if (!outside) for (String name : IN_REQUEST) require(name);
        for (String name : members.keySet()) {
            boolean allowed = REQUIRED.contains(name)
                    || (outside ? name.equals("causationid") : IN_REQUEST.contains(name) || OPTIONAL.contains(name));
            if (!allowed) throw new Refused("bad-envelope"); // 不引用对方的词 not in its words
        }
        for (Map.Entry<String, Pattern> form : FORMS.entrySet()) {
            String name = form.getKey();
            boolean fits = !members.containsKey(name) || text(name) != null && form.getValue().matcher(text(name)).matches();
            if (!fits) throw new Refused("bad-envelope", "/" + name);
        }
        checkData(Json.asObject(members.get("data")));
        if (outside) return;
        boolean counts = members.get("seqno") instanceof Long seqno && seqno > 0 && seqno < Json.MAX_INTEGER; // 下一号也写得出 so that the next is a number too
        if (!counts) throw new Refused("bad-envelope", "/seqno");
        String[] schema = text("dataschema").split(":");
        if (!text("type").equals("lianzhi." + schema[3] + "." + schema[4])) throw new Refused("bad-envelope", "/dataschema");
        if (members.containsKey("expires")) moment("expires");
        boolean opens = verb().equals("open"); // 首封之外都指名所答的报文 every message but the first names what it answers
        for (String name : List.of("causationid", "originhash")) {
            if (members.containsKey(name) == opens) throw new Refused("bad-envelope", "/" + name);
        }
    }

    private void require(String name) throws Refused {
        if (!members.containsKey(name)) throw new Refused("bad-envelope", "/" + name);
    }

    /** 信封里的明文代码：只有这些成员。The codes in clear: these members and no other. */
    private static void checkData(Map<String, Object> data) throws Refused {
        if (data == null || !Set.of("_sd", "head").containsAll(data.keySet())) throw new Refused("bad-envelope", "/data");
        if (!data.containsKey("head")) return;
        Map<String, Object> head = Json.asObject(data.get("head"));
        if (head == null) throw new Refused("bad-envelope", "/data");
        if (!HEAD.containsAll(head.keySet())) throw new Refused("bad-envelope", "/data/head");
        if (!head.containsKey("refs")) return;
        boolean fits = head.get("refs") instanceof List<?> refs && refs.size() <= REFS
                && refs.stream().allMatch(ref -> ref instanceof String text && REF.matcher(text).matches());
        if (!fits) throw new Refused("bad-envelope", "/data/head/refs");
    }

    private static Map.Entry<String, Pattern> form(String name, String pattern) {
        return Map.entry(name, Pattern.compile(pattern));
    }
}
