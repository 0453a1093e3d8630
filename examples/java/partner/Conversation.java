package partner;

import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;

/** 一件请求的往来：顺序、引用、编号。One request's conversation: order, origin, numbering. No I/O; the ledger keeps it. */
final class Conversation {
    /** 报文的去向。What becomes of a message: now, when its turn comes, or never (overtaken by a withdrawal: kept only). */
    enum Verdict {
        APPLIED, HOLD, OVERTAKEN;

        String word() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** A message that came early. at: milliseconds, when it came. */
    record Held(String text, long at) {}

    /** What our replies name. */
    record Origin(String id, String digest) {}

    // 来自第一封报文 from the first message
    final String requestNo;
    final String peer;
    final String type;
    final String dialect;
    final String version;
    final String caseNo;
    final String lane;

    long next = 1; // 对方的下一个顺序号 the peer's next seqno
    final Map<Long, String> slots = new TreeMap<>(); // seqno → id of the message that has taken it
    final Map<Long, Held> held = new TreeMap<>();
    long withdrawn; // seqno of its last `withdraw`, 0 if there is none
    boolean started; // 首封是否已办 whether the `open` was acted on
    String replyKey;
    List<String> refs = List.of();
    long ours; // 我方最后的顺序号 our last seqno
    final Map<String, Origin> origins = new LinkedHashMap<>(); // verb → what our replies name

    private Conversation(Map<String, Object> first) {
        requestNo = (String) first.get("request_no");
        peer = (String) first.get("peer");
        type = (String) first.get("type");
        dialect = (String) first.get("dialect");
        version = (String) first.get("version");
        caseNo = (String) first.get("case_no");
        lane = (String) first.get("lane");
    }

    /** The conversation as it stands before `envelope`. existing: null if there is none. lane: `urgent` or `normal`. */
    static Conversation find(Conversation existing, Envelope envelope, String lane) throws Refused {
        Matcher number = Envelope.REQUEST_NO.matcher(envelope.subject());
        boolean opens = envelope.verb().equals("open");
        if (!number.matches() || !number.group(1).equals(envelope.peer())) throw new Refused("unknown-request", "/subject");
        if (opens != (envelope.seqno() == 1)) throw new Refused("bad-envelope", "/seqno");
        if (existing == null) {
            return new Conversation(Json.object("request_no", envelope.subject(), "peer", envelope.peer(),
                    "type", envelope.matter(), "dialect", envelope.dialect(), "version", envelope.version(),
                    "case_no", envelope.text("caseno"), "lane", lane));
        }
        if (!existing.peer.equals(envelope.peer())) throw new Refused("misdirected", "/source");
        if (!existing.type.equals(envelope.matter())) throw new Refused("misdirected", "/type");
        return existing;
    }

    /**
     * 按顺序号处理；只有撤回可以超前。In order of seqno; only a withdrawal overtakes. Takes the message's number. Throws Refused:
     * `sequence-reused`, or `sequence-gap` when it is too early, or too many are early; it may come again.
     */
    Verdict place(Envelope envelope) throws Refused {
        long seqno = envelope.seqno();
        if (slots.containsKey(seqno)) throw new Refused("sequence-reused", "/seqno"); // by another id
        boolean withdraws = envelope.verb().equals("withdraw");
        boolean early = seqno > next && seqno > withdrawn;
        boolean full = seqno - next > Bounds.HELD_DISTANCE || held.size() >= Bounds.HELD_PER_REQUEST;
        if (!withdraws && early && full) throw new Refused("sequence-gap", "/seqno");
        slots.put(seqno, envelope.id());
        if (withdraws) {
            withdrawn = Math.max(withdrawn, seqno);
            held.keySet().removeIf(waiting -> waiting < seqno);
            next = Math.max(next, seqno + 1);
            return Verdict.APPLIED;
        }
        if (seqno < withdrawn) return Verdict.OVERTAKEN;
        if (seqno > next) return Verdict.HOLD;
        next = seqno + 1;
        return Verdict.APPLIED;
    }

    /** 早到的，现在轮到了。The message that waits and whose turn is now, taken out; null if there is none. */
    Held release() {
        Held due = held.remove(next);
        if (due != null) next++;
        return due;
    }

    /** 缺前序报文，应当询问。Whether it is time to say that an earlier message is missing: the first at once, others later. */
    boolean lacks(Instant now) {
        if (held.isEmpty()) return false;
        long since = held.values().stream().mapToLong(Held::at).min().getAsLong();
        return next == 1 || !now.isBefore(Instant.ofEpochMilli(since).plus(Bounds.ASKED_AFTER));
    }

    /** What replies will name (causationid, originhash), and what they need from the `open`. */
    void remember(Envelope envelope, String digest) {
        String verb = envelope.verb();
        if (List.of("open", "supplement", "withdraw").contains(verb)) origins.put(verb, new Origin(envelope.id(), digest));
        if (!verb.equals("open")) return;
        started = true;
        replyKey = envelope.text("replykey");
        refs = envelope.refs();
    }

    /**
     * The envelope of our next message. A verb that answers a verb names that one; any other names the `open` or the last
     * `supplement`. The result of a `location` type is canonical, not in our dialect. Uses up our next seqno.
     */
    Envelope reply(Work.Saying saying, String code, String id, Instant now) {
        Origin origin = saying.verb().equals("withdraw-ack")
                ? origins.get("withdraw") : origins.getOrDefault("supplement", origins.get("open"));
        String said = saying.canonical() ? "canonical" : dialect;
        ours++;
        return new Envelope(Json.object(
                "specversion", "1.0",
                "id", id,
                "source", "//" + code,
                "receiver", peer,
                "type", "lianzhi." + type + "." + saying.verb(),
                "subject", requestNo,
                "time", Message.moment(now),
                "dataschema", String.join(":", "urn:lianzhi", said, type, saying.verb(), version),
                "datacontenttype", "application/json",
                "seqno", ours,
                "causationid", origin.id(),
                "originhash", origin.digest(),
                "caseno", caseNo, // 只有来文带了案号才带 only if the request had it
                "data", Json.object("head", saying.head())));
    }

    /** Whether there is what this verb has to name: the request was acted on, or, for `withdraw-ack`, withdrawn. */
    boolean canSay(String verb) {
        return origins.containsKey(verb.equals("withdraw-ack") ? "withdraw" : "open");
    }

    /** Withdrawals and their answers travel in the urgent lane, whatever lane the request came in. */
    String routingKey(String verb, String code) {
        return String.join(".", code, verb.equals("withdraw-ack") ? "urgent" : lane, type, verb);
    }

    // 台账中的形式 as it stands in the ledger

    Map<String, Object> toJson() {
        Map<String, Object> taken = new LinkedHashMap<>();
        slots.forEach((seqno, id) -> taken.put(seqno.toString(), id));
        Map<String, Object> waiting = new LinkedHashMap<>();
        held.forEach((seqno, early) -> waiting.put(seqno.toString(), Json.object("text", early.text(), "at", early.at())));
        Map<String, Object> named = new LinkedHashMap<>();
        origins.forEach((verb, origin) -> named.put(verb, List.of(origin.id(), origin.digest())));
        return Json.object("request_no", requestNo, "peer", peer, "type", type, "dialect", dialect, "version", version,
                "case_no", caseNo, "lane", lane, "next", next, "slots", taken, "held", waiting, "withdrawn", withdrawn,
                "started", started, "reply_key", replyKey, "refs", refs, "ours", ours, "origins", named);
    }

    static Conversation fromJson(Map<String, Object> kept) {
        Conversation conversation = new Conversation(kept);
        conversation.next = (Long) kept.get("next");
        Json.asObject(kept.get("slots")).forEach((seqno, id) -> conversation.slots.put(Long.valueOf(seqno), (String) id));
        Json.asObject(kept.get("held")).forEach((seqno, early) -> {
            Map<String, Object> message = Json.asObject(early);
            conversation.held.put(Long.valueOf(seqno), new Held((String) message.get("text"), (Long) message.get("at")));
        });
        conversation.withdrawn = (Long) kept.get("withdrawn");
        conversation.started = (Boolean) kept.get("started");
        conversation.replyKey = (String) kept.get("reply_key");
        List<String> refs = new ArrayList<>();
        for (Object ref : (List<?>) kept.get("refs")) refs.add((String) ref);
        conversation.refs = refs;
        conversation.ours = (Long) kept.get("ours");
        Json.asObject(kept.get("origins")).forEach((verb, origin) -> {
            List<?> pair = (List<?>) origin;
            conversation.origins.put(verb, new Origin((String) pair.get(0), (String) pair.get(1)));
        });
        return conversation;
    }
}
