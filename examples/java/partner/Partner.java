package partner;

import com.rabbitmq.client.ShutdownSignalException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.PublicKey;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeoutException;

/**
 * 联执合作单位示例：收报文，验签，解密，落盘，签收，回结果。
 * A partner of the Lianzhi gateway: takes its messages, verifies and opens them, stores them, answers, signed.
 *
 * <p>Reading order: this file → Message (what is believed) → Conversation (order) → Work (what is answered).
 */
public final class Partner {
    private static final int RECONNECT_MS = 1_000;
    private static final int TICK_MS = 1_000;

    private final Options options;
    private final Keys keys;
    private final Ledger ledger;
    private final Again again = new Again();
    private final Outside outside;
    private Set<String> misnamed = Set.of();
    private long handled;
    private volatile boolean stopping;

    Partner(Options options, Keys keys, Ledger ledger) {
        this.options = options;
        this.keys = keys;
        this.ledger = ledger;
        outside = new Outside(options.code(), keys, ledger, again);
    }

    /** 断线重连，直到收到停止信号或收满 --once 封。Until told to stop, whatever happens to the connection. */
    void run() throws InterruptedException {
        for (String requestNo : ledger.conversations()) release(requestNo);
        while (!stopping) {
            try (Link link = Link.open(options)) {
                Log.say("event", "connected");
                session(link);
            } catch (IOException | TimeoutException | ShutdownSignalException lost) {
                Log.say("event", "link-lost", "error", Log.cut(lost.getMessage()));
                Thread.sleep(RECONNECT_MS);
            }
        }
    }

    void stop() {
        stopping = true;
    }

    private void session(Link link) throws IOException, TimeoutException, InterruptedException {
        outside.greet(link, Instant.now());
        send(link); // 上次没有发完的 what was left over
        while (!stopping) {
            sayLater();
            send(link);
            Link.Delivery delivery = link.next(TICK_MS);
            if (delivery != null) {
                take(delivery, link, Instant.now());
                link.ack(delivery); // 先落盘，后确认 only now: it is on the disk, and so are our answers
                send(link);
                handled++;
                if (handled >= options.once()) stopping = true;
            }
            outside.askForMissing(link, Instant.now());
        }
    }

    /** 事后的答复。What lies in answers/: into the ledger, signed, then out of the way. Said once, whatever breaks in between. */
    private void sayLater() {
        for (Later later : Later.waiting(options.answers())) {
            boolean isKnown = ledger.hasTaken(later.mark());
            if (isKnown) Log.say("event", "answer-known", "request_no", later.requestNo(), "verb", later.verb());
            later.put(isKnown || sayOne(later) ? "done" : "refused");
        }
        Set<String> found = Later.misnamed(options.answers()); // 每个名称只说一次 each name is told once
        for (String file : found) if (!misnamed.contains(file)) Log.say("event", "answer-misnamed", "file", file);
        misnamed = found;
    }

    private boolean sayOne(Later later) {
        Conversation conversation = ledger.conversation(later.requestNo());
        Answer answer;
        try {
            if (conversation == null || !conversation.canSay(later.verb())) throw new Refused("unknown-request");
            if (!options.contract().allows(conversation.type, later.verb())) throw new Refused("unknown-verb");
            answer = write(conversation, later.read());
        } catch (Refused | GeneralSecurityException | RuntimeException error) {
            String reason = error instanceof Refused refused ? refused.code : "poison";
            Log.say("event", "answer-refused", "request_no", later.requestNo(), "verb", later.verb(), "reason", reason);
            return false;
        }
        ledger.record(Json.object("conversation", conversation.toJson(), "out", List.of(answer.toJson()), "taken", later.mark()));
        Log.say("event", "answered", "request_no", later.requestNo(), "verb", later.verb(), "seqno", conversation.ours);
        return true;
    }

    /** 一封来文。A message off a queue → a line in the ledger. */
    private void take(Link.Delivery delivery, Link link, Instant now) throws IOException, TimeoutException, InterruptedException {
        Message message;
        try {
            if (!Link.CONTENT_TYPE.equals(delivery.contentType())) throw new Refused("bad-content-type");
            message = Message.verify(delivery.body(), options.code(), keys, now);
        } catch (Refused | RuntimeException error) {
            setAside(delivery.body(), error, null, Map.of());
            return;
        }
        Envelope envelope = message.envelope();
        if (envelope.subject() == null) {
            outside.take(message, link, now);
            return;
        }
        Ledger.Known known = ledger.known(envelope);
        if (known != null) again(delivery.body(), message, known, now);
        else takeNew(message, delivery, link, now);
    }

    private void takeNew(Message message, Link.Delivery delivery, Link link, Instant now)
            throws IOException, TimeoutException, InterruptedException {
        Envelope envelope = message.envelope();
        Conversation conversation = null;
        Conversation.Verdict verdict;
        try {
            String lane = delivery.isUrgent() ? "urgent" : "normal";
            Conversation before = ledger.conversation(envelope.subject());
            conversation = Conversation.find(before, envelope, lane);
            if (before == null) conversation.ours = ledger.expected(envelope.subject()) - 1; // 恢复后接着编号 after a restore
            verdict = conversation.place(envelope);
        } catch (Refused | RuntimeException error) {
            boolean gap = error instanceof Refused refused && refused.code.equals(Notice.GAP);
            // 太早，留不下：说出缺哪一号 too early to be kept: say what we lack; the conversation is as it was
            setAside(delivery.body(), error, envelope, gap ? Json.object("conversation", conversation.toJson()) : Map.of());
            if (gap) outside.ask(conversation, link, now);
            return;
        }
        String text = new String(delivery.body(), StandardCharsets.US_ASCII);
        if (verdict == Conversation.Verdict.APPLIED) {
            apply(message, text, conversation, now);
            release(envelope.subject());
            return;
        }
        if (verdict == Conversation.Verdict.HOLD) {
            conversation.held.put(envelope.seqno(), new Conversation.Held(text, now.toEpochMilli()));
        }
        ledger.record(Json.object("message", taken(message, text), "verdict", verdict.word(), "conversation", conversation.toJson()));
        say(verdict.word(), envelope);
    }

    /** 轮到它了。Its turn: open it, decide what to answer, sign the answers, and write all of that as one line. */
    private void apply(Message message, String text, Conversation placed, Instant now) {
        Envelope envelope = message.envelope();
        Conversation conversation = Conversation.fromJson(placed.toJson());
        List<Map<String, Object>> out = new ArrayList<>();
        List<String> verbs = new ArrayList<>();
        try {
            if (envelope.isExpired(now)) throw new Refused("expired", "/expires");
            Map<String, Object> body = message.open(keys);
            conversation.remember(envelope, message.digest());
            List<Work.Saying> sayings =
                    Work.answersTo(envelope.verb(), conversation, body, options.system(), options.demo(), now);
            for (Work.Saying saying : sayings) {
                out.add(write(conversation, saying).toJson());
                verbs.add(saying.verb());
            }
        } catch (Refused | GeneralSecurityException | RuntimeException error) {
            // 内容不可用：占用其顺序号；首封除外，修好后同一报文可再收。It has used up its number; an `open` has not, and may come again.
            boolean opens = envelope.verb().equals("open");
            setAside(text.getBytes(StandardCharsets.US_ASCII), error, envelope, opens ? Map.of()
                    : Json.object("message", taken(message, text), "conversation", placed.toJson()));
            return;
        }
        Map<String, Object> line = Json.object("message", taken(message, text), "verdict", "applied",
                "conversation", conversation.toJson(), "out", out);
        if (envelope.verb().equals("urge")) { // 催办：说过的再说一遍 whoever urges may have lost what we said
            line.put("out", again.within(conversation.requestNo, ledger.saidFrom(conversation.requestNo, 1), now));
        }
        ledger.record(line);
        say("applied", envelope, "answers", verbs);
    }

    /** 早到的，现在轮到了。Messages that came early and whose turn is now; judged by the time at which they came. */
    private void release(String requestNo) {
        for (;;) {
            Conversation conversation = ledger.conversation(requestNo);
            Conversation.Held early = conversation == null ? null : conversation.release();
            if (early == null) return;
            byte[] bytes = early.text().getBytes(StandardCharsets.US_ASCII);
            Instant came = Instant.ofEpochMilli(early.at());
            Message message;
            try {
                message = Message.verify(bytes, options.code(), keys, came);
            } catch (Refused | RuntimeException error) { // 例如密钥已吊销 its key was revoked
                setAside(bytes, error, null, Json.object("conversation", conversation.toJson()));
                continue;
            }
            apply(message, early.text(), conversation, came);
        }
    }

    /** 一封回文。One answer, numbered and signed; a result is sealed exactly when the `open` named a key for it. */
    private Answer write(Conversation conversation, Work.Saying saying) throws Refused, GeneralSecurityException {
        Instant now = Instant.now();
        String id = Message.uuid7(now);
        Envelope envelope = conversation.reply(saying, options.code(), id, now);
        Message.Content content = new Message.Body(saying.body());
        if (saying.verb().equals("result") && conversation.replyKey != null) {
            PublicKey key = keys.sealing(conversation.peer, conversation.replyKey, now);
            content = Message.seal(saying.body(), envelope, conversation.replyKey, key);
        }
        String text = Message.sign(envelope, content, keys.signing());
        String routingKey = conversation.routingKey(saying.verb(), options.code());
        return new Answer(id, conversation.requestNo, conversation.ours, saying.verb(), routingKey, text);
    }

    /** 收过的：一字不差就把当时的答复及其后说过的原样再发；否则是警报。Taken before: what we said from our answer on, the same bytes. */
    private void again(byte[] bytes, Message message, Ledger.Known known, Instant now) {
        if (!known.digest().equals(message.digest())) {
            setAside(bytes, new Refused("id-reused", "/id"), message.envelope(), Map.of());
            return;
        }
        if (known.answer() != null) {
            List<Map<String, Object>> out = new ArrayList<>(List.of(known.answer().toJson())); // 它总要再发 this one always
            String requestNo = known.answer().requestNo();
            out.addAll(again.within(requestNo, ledger.saidFrom(requestNo, known.answer().seqno() + 1), now));
            ledger.record(Json.object("out", out));
        }
        say("again", message.envelope());
    }

    /** 不合约定，或使本程序出错（poison）：留存，交人处理，队列继续。Kept for a person to see; the queue moves on, nothing loops. */
    private void setAside(byte[] bytes, Exception error, Envelope envelope, Map<String, Object> kept) {
        Refused refused = error instanceof Refused known ? known : new Refused("poison");
        String sha256 = HexFormat.of().formatHex(Message.sha256(bytes));
        String beginning = Base64.getEncoder().encodeToString(Arrays.copyOf(bytes, Math.min(bytes.length, Bounds.REFUSED_BYTES)));
        Map<String, Object> line = new LinkedHashMap<>(kept);
        line.put("refused", Json.object("reason", refused.code, "pointer", refused.pointer, "sha256", sha256, "bytes", beginning));
        ledger.record(line);
        String fault = refused == error ? null : error.getClass().getSimpleName();
        say("refused", envelope, "reason", refused.code, "pointer", refused.pointer, "sha256", sha256, "fault", fault);
    }

    /** 台账里还没有得到确认的答复。Every answer in the ledger that the broker has not confirmed. */
    private void send(Link link) throws IOException, TimeoutException, InterruptedException {
        for (Answer answer : ledger.unsent()) {
            link.publish(answer);
            ledger.sent(answer);
        }
    }

    private static Map<String, Object> taken(Message message, String text) {
        Envelope envelope = message.envelope();
        return Json.object("source", envelope.text("source"), "id", envelope.id(), "digest", message.digest(), "text", text);
    }

    private static void say(String event, Envelope envelope, Object... more) {
        List<Object> line = new ArrayList<>(List.of("event", event));
        if (envelope != null) {
            line.addAll(Arrays.asList("type", envelope.text("type"), "id", envelope.id(), "request_no", envelope.subject(),
                    "seqno", envelope.seqno()));
        }
        line.addAll(Arrays.asList(more));
        Log.say(line.toArray());
    }

    /** 退出码 0 正常，1 台账写不进，2 参数或密钥有误。Exit code 0 done, 1 the ledger cannot be written, 2 wrong options or keys. */
    public static void main(String[] arguments) {
        try {
            Options options = Options.read(arguments, System.getenv());
            Keys keys = new Keys(options.code(), options.signKey(), options.openKeys(), options.gatewayKeys());
            if (options.show() != null) {
                boolean any = Show.show(options.show(), options.code(), options.ledger(), keys);
                Runtime.getRuntime().halt(any ? 0 : 1);
            }
            try (Ledger ledger = Ledger.open(options.ledger())) {
                Partner partner = new Partner(options, keys, ledger);
                stopWhenTold(partner, Thread.currentThread());
                partner.run();
            }
        } catch (Misuse misuse) {
            System.err.println(misuse.getMessage());
            Runtime.getRuntime().halt(2);
        } catch (Exception failed) {
            failed.printStackTrace();
            Runtime.getRuntime().halt(1);
        }
    }

    /** SIGINT、SIGTERM：办完手头这一封，再结束。The one in hand is finished, then the program ends, with code 0. */
    private static void stopWhenTold(Partner partner, Thread running) {
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            partner.stop();
            try {
                running.join();
            } catch (InterruptedException hurried) {
                Thread.currentThread().interrupt();
            }
            Runtime.getRuntime().halt(0);
        }));
    }
}
