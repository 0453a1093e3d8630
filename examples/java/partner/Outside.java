package partner;

import java.io.IOException;
import java.security.GeneralSecurityException;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeoutException;

/**
 * 请求之外：ping、pong，网关的通知，以及我方缺少报文时的通知。Outside any request: ping and pong, the gateway's notices, and
 * ours when an earlier message is missing. Whoever misses one of these asks again, so only a notice that came is written down.
 */
final class Outside {
    private final String code;
    private final Keys keys;
    private final Ledger ledger;
    private final Again again;
    private final Map<String, Instant> asked = new HashMap<>(); // request_no → when we said what we lack of it
    private Instant greeted = Instant.MIN;
    private Instant looked = Instant.MIN;
    private final PerMinute heard = new PerMinute();
    private final PerMinute told = new PerMinute();

    /** How many there were in this minute. */
    private static final class PerMinute {
        private Instant since = Instant.MIN;
        private int count;

        int next(Instant now) {
            if (since.equals(Instant.MIN) || now.isAfter(since.plusSeconds(60)) || now.isBefore(since)) {
                since = now;
                count = 0;
            }
            return ++count;
        }
    }

    Outside(String code, Keys keys, Ledger ledger, Again again) {
        this.code = code;
        this.keys = keys;
        this.ledger = ledger;
        this.again = again;
    }

    /** 来了一封。One that came, verified. */
    void take(Message message, Link link, Instant now) throws IOException, TimeoutException, InterruptedException {
        Envelope envelope = message.envelope();
        if (envelope.verb().equals("notice")) {
            notice(message, now);
            return;
        }
        if (envelope.verb().equals("ping")) link.publish(message("pong", envelope.peer(), Map.of(), now, envelope.id()));
        Log.say("event", envelope.verb(), "type", envelope.text("type"), "id", envelope.id());
    }

    /** 连接后说明能读第几版通知。After a connect: which version of a notice we read. Nothing depends on the answer. */
    void greet(Link link, Instant now) throws IOException, TimeoutException, InterruptedException {
        if (!greeted.equals(Instant.MIN) && now.isBefore(greeted.plus(Bounds.GREETING))) return;
        greeted = now;
        try {
            link.publish(message("ping", keys.court(), Json.object("notice_version", Notice.VERSION), now, null));
        } catch (IOException notTaken) {
            Log.say("event", "ping-not-sent", "error", Log.cut(notTaken.getMessage()));
        }
    }

    /** 说出缺什么。Says of every request in which something waits what we lack, where it is time to. */
    void askForMissing(Link link, Instant now) throws IOException, TimeoutException, InterruptedException {
        if (!looked.equals(Instant.MIN) && now.isBefore(looked.plus(Bounds.LOOKED))) return;
        looked = now;
        for (String requestNo : ledger.waiting()) {
            Conversation conversation = ledger.conversation(requestNo);
            if (conversation.lacks(now)) ask(conversation, link, now);
        }
    }

    /** 缺前序报文：告诉网关我方要从哪一号起。The gateway answers with its stored bytes from that number on (docs/adr/0031). */
    void ask(Conversation lacking, Link link, Instant now) throws IOException, TimeoutException, InterruptedException {
        asked.values().removeIf(at -> !now.isBefore(at.plus(Bounds.ASKED_AGAIN)));
        if (asked.containsKey(lacking.requestNo) || told.next(now) > Bounds.NOTICES_PER_MINUTE) return;
        link.publish(message("notice", keys.court(), Notice.gap(lacking.requestNo, lacking.next), now, null));
        asked.put(lacking.requestNo, now);
        Log.say("event", "asked", "request_no", lacking.requestNo, "next_seqno", lacking.next);
    }

    /** 记下通知；它说缺我方报文时，再发。A notice is written down, so many a minute; one that asks for ours is heeded. */
    private void notice(Message message, Instant now) {
        Envelope envelope = message.envelope();
        Map<String, Object> body = message.content() instanceof Message.Body said ? said.members() : Map.of();
        Notice notice = Notice.read(body);
        String forgotten = toSayAnew(notice, envelope.peer());
        if (forgotten == null && !hasRoom(now)) return;
        Map<String, Object> entry = Json.object("notice", Json.object("source", envelope.text("source"), "id", envelope.id()));
        Json.asObject(entry.get("notice")).putAll(notice.members());
        if (forgotten != null) entry.put("forgotten", forgotten);
        heed(notice, envelope.peer(), entry, now);
        ledger.record(entry);
        String again = forgotten == null ? null : forgotten.split(" ")[0];
        Log.say("event", "notice", "type", envelope.text("type"), "id", envelope.id(), "notice", notice.members(),
                "detail_zh", Notice.detail(body, "zh"), "detail_en", Notice.detail(body, "en"), "put_again", again);
    }

    /** Whether one more notice of this minute is written down. */
    private boolean hasRoom(Instant now) {
        int number = heard.next(now);
        if (number == Bounds.NOTICES_PER_MINUTE + 1) Log.say("event", "more-notices");
        return number <= Bounds.NOTICES_PER_MINUTE;
    }

    /**
     * 这份答复用了已用过的号，没有算数：同一文件可再放一次。The mark of an answer that had a number used before and so did not count: the
     * same file may be put into answers/ again. Once for each answer, so never bounded by the minute. Null: none.
     */
    private String toSayAnew(Notice notice, String sender) {
        return notice.reused() == null || !sender.equals(keys.court()) ? null : ledger.markOf(notice.reused());
    }

    /**
     * 通知只在我方台账证实的范围内起作用（docs/adr/0027）。What a notice changes, held against our own records: stored bytes go out
     * again; in a request in which we have said nothing yet, or in which a message of ours stands under a number that was used
     * before our ledger was restored, we count on from the number that the gateway takes next.
     */
    private void heed(Notice notice, String sender, Map<String, Object> entry, Instant now) {
        Long from = notice.asksFrom();
        Conversation conversation = notice.requestNo() == null ? null : ledger.conversation(notice.requestNo());
        if (conversation == null) {
            boolean counts = (from != null || notice.reused() != null) && sender.equals(keys.court());
            if (!counts || notice.next() == 0 || notice.next() > Bounds.RENUMBER_AHEAD) return;
            entry.put("expected", Json.object("request_no", notice.requestNo(), "next_seqno", notice.next()));
            return;
        }
        if (!List.of(keys.court(), conversation.peer).contains(sender)) return;
        if (notice.reused() != null) {
            renumber(notice, conversation, sender, entry);
            return;
        }
        if (from == null) return;
        if (conversation.ours == 0 && sender.equals(keys.court()) && from <= Bounds.RENUMBER_AHEAD) {
            conversation.ours = from - 1;
            entry.put("conversation", conversation.toJson());
        } else {
            entry.put("out", again.within(notice.requestNo(), ledger.saidFrom(notice.requestNo(), from), now));
        }
    }

    private void renumber(Notice notice, Conversation conversation, String sender, Map<String, Object> entry) {
        long ours = notice.next() - 1;
        boolean isOurs = sender.equals(keys.court()) && ledger.said(notice.reused()) != null;
        if (!isOurs || ours <= conversation.ours || ours > conversation.ours + Bounds.RENUMBER_AHEAD) return;
        conversation.ours = ours;
        entry.put("conversation", conversation.toJson());
    }

    private Answer message(String verb, String receiver, Map<String, Object> body, Instant now, String causationId) {
        String id = Message.uuid7(now);
        Envelope envelope = new Envelope(Json.object("specversion", "1.0", "id", id, "source", "//" + code, "receiver", receiver,
                "type", "lianzhi.gateway." + verb, "time", Message.moment(now), "datacontenttype", "application/json",
                "causationid", causationId, "data", Map.of()));
        try {
            String text = Message.sign(envelope, new Message.Body(body), keys.signing());
            return new Answer(id, null, 0, verb, code + ".normal.gateway." + verb, text);
        } catch (GeneralSecurityException unusableKey) {
            throw new IllegalStateException(unusableKey);
        }
    }
}
