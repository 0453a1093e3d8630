package partner;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * 网关的通知，第 1、2 版：我方哪封报文为何被拒。A notice of the gateway, version 1 or 2: why bytes of ours were refused.
 *
 * <p>不认识的成员略过；认识而不合格式的也略过。A member that we do not know is passed over, and so is one that is not of its form: a
 * newer gateway may say more. What is kept is codes and numbers, so that a notice writes nothing of its own.
 */
record Notice(Map<String, Object> members) {
    static final long VERSION = 2; // 每次 ping 都说明 said in every ping: without it the gateway writes version 1
    static final String GAP = "sequence-gap";
    static final String REUSED = "sequence-reused";

    private static final Pattern CODE = Pattern.compile("[a-z0-9-]{1,64}");
    private static final Map<String, Pattern> FORMS = Map.of(
            "message_id", Pattern.compile("[0-9a-f-]{36}"),
            "request_no", Envelope.REQUEST_NO,
            "body_sha256", Pattern.compile("[0-9a-f]{64}"),
            "pointer", Pattern.compile("[\\x21-\\x7e]{0,200}"));
    /** 下一个应发的顺序号；我方时钟快多少毫秒。clock_offset_ms: how far our clock is ahead. */
    private static final List<String> NUMBERS = List.of("next_seqno", "clock_offset_ms");

    static Notice read(Map<String, Object> body) {
        Map<String, Object> notice = new LinkedHashMap<>();
        notice.put("reason", code(body.get("reason")));
        if (body.containsKey("rule")) notice.put("rule", code(body.get("rule")));
        FORMS.forEach((name, form) -> {
            if (body.get(name) instanceof String text && form.matcher(text).matches()) notice.put(name, text);
        });
        for (String name : NUMBERS) if (body.get(name) instanceof Long number) notice.put(name, number);
        return new Notice(notice);
    }

    /** 我方缺少对方的报文。What we say of a request whose earlier message we lack: the number that we take next. */
    static Map<String, Object> gap(String requestNo, long nextSeqno) {
        return Json.object("body_sha256", "", "reason", GAP, "title_zh", "顺序号缺失，后续报文在等待", "title_en", "A seqno is missing; later messages wait for it",
                "request_no", requestNo, "next_seqno", nextSeqno);
    }

    /** 对方要我方从哪一号再发。The number that the other side takes next of ours, where that is what it says; else null. */
    Long asksFrom() {
        boolean gap = GAP.equals(members.get("reason")) && members.containsKey("request_no") && !members.containsKey("message_id");
        return gap && next() > 0 ? next() : null;
    }

    /** 我方这封用了已用过的号。The message of ours that stands under a number that was used before, where that is what it says. */
    String reused() {
        return REUSED.equals(members.get("reason")) && members.containsKey("request_no") ? (String) members.get("message_id") : null;
    }

    /** The number that the gateway takes next of ours; 0: it does not say. */
    long next() {
        return members.get("next_seqno") instanceof Long next && next > 0 ? next : 0;
    }

    String requestNo() {
        return (String) members.get("request_no");
    }

    /** 怎么改，法院的话，只写进日志。What to mend, in the court's words: for the log alone, cut; null: it says nothing. */
    static String detail(Map<String, Object> body, String language) {
        return body.get("detail_" + language) instanceof String text ? Log.cut(text) : null;
    }

    private static String code(Object value) {
        return value instanceof String text && CODE.matcher(text).matches() ? text : "unknown";
    }
}
