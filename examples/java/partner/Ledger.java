package partner;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * 台账：一个只追加的文件，每行一个 JSON。The ledger: an append-only file, one JSON object a line.
 *
 * <p>One line is one decision: the message as it came, what became of it, and every answer of ours, already signed. It is on
 * the disk (fdatasync) before the message is acknowledged and before an answer leaves. A process that dies between two
 * instructions therefore either never took the message (the broker gives it again) or has it whole (what was not yet
 * confirmed is published again, the same bytes). A last line that was cut off by a crash is dropped.
 *
 * <p>日处理量大时请换成数据库。For more than some tens of thousands of messages use a database instead.
 */
final class Ledger implements AutoCloseable {
    /** A message taken before. answer: our first reply to it, null if there is none. */
    record Known(String digest, Answer answer) {}

    private final FileChannel file;
    private final Map<String, Known> messages = new HashMap<>(); // "<source> <id>"
    private final Map<String, Map<String, Object>> conversations = new LinkedHashMap<>(); // request_no → Conversation.toJson
    private final Set<String> waiting = new LinkedHashSet<>(); // request_no, where a message waits for an earlier one
    private final Map<String, TreeMap<Long, Answer>> answers = new HashMap<>(); // request_no → seqno → answer
    private final Map<String, Answer> unsent = new LinkedHashMap<>(); // by id

    private final Map<String, Answer> said = new HashMap<>(); // by id
    private final Map<String, String> taken = new LinkedHashMap<>(); // "<file> <sha256>" of answers/ → id of the answer that it became
    private final Map<String, Long> expected = new LinkedHashMap<>(); // request_no that we do not know → our number that is taken next

    private Ledger(FileChannel file) {
        this.file = file;
    }

    /** Throws Misuse when another process has it, or it is no ledger. */
    static Ledger open(Path path) throws IOException {
        Set<StandardOpenOption> options = Set.of(StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
        FileChannel file = FileChannel.open(path, options,
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        FileLock lock = file.tryLock();
        if (lock == null) throw new Misuse(path + "：台账正由另一进程使用。 is in use by another process.");
        Ledger ledger = new Ledger(file);
        // 只用这一个描述符读：另开一个再关上，POSIX 就放掉了锁 by this descriptor only: closing another one of the file drops the lock
        byte[] bytes = Channels.newInputStream(file).readAllBytes();
        int from = 0;
        for (int end = 0; end < bytes.length; end++) {
            if (bytes[end] != '\n') continue;
            String line = new String(bytes, from, end - from, StandardCharsets.UTF_8);
            try {
                ledger.apply(Json.asObject(Json.parse(line)));
            } catch (Refused | RuntimeException damaged) {
                throw new Misuse(path + "：第 " + from + " 字节起的一行已损坏。 is damaged in the line at byte " + from + ".");
            }
            from = end + 1;
        }
        file.truncate(from);
        file.position(from);
        return ledger;
    }

    /** The message as it was taken before, or null. */
    Known known(Envelope envelope) {
        return messages.get(key(envelope.text("source"), envelope.id()));
    }

    /** A copy, so that what is decided but never written changes nothing; null if there is none. */
    Conversation conversation(String requestNo) {
        Map<String, Object> kept = conversations.get(requestNo);
        return kept == null ? null : Conversation.fromJson(kept);
    }

    List<String> conversations() {
        return List.copyOf(conversations.keySet());
    }

    /** Requests in which a message waits for an earlier one. */
    List<String> waiting() {
        return List.copyOf(waiting);
    }

    /** 这件请求里我方从该号起说过的。Everything that we said in a request, from that number of ours on, in order. */
    List<Answer> saidFrom(String requestNo, long seqno) {
        return List.copyOf(answers.getOrDefault(requestNo, new TreeMap<>()).tailMap(seqno).values());
    }

    /** Our message of that id, or null. */
    Answer said(String id) {
        return said.get(id);
    }

    /** Whether this file of answers/ has been said. */
    boolean hasTaken(String mark) {
        return taken.containsKey(mark);
    }

    /** The mark of the file of answers/ that this answer was made of, or null. */
    String markOf(String id) {
        for (Map.Entry<String, String> file : taken.entrySet()) if (file.getValue().equals(id)) return file.getKey();
        return null;
    }

    /** Our number that the gateway takes next in a request that we did not know when it said so; otherwise 1. */
    long expected(String requestNo) {
        return expected.getOrDefault(requestNo, 1L);
    }

    /** Answers that the broker has not confirmed, oldest first. */
    List<Answer> unsent() {
        return List.copyOf(unsent.values());
    }

    /**
     * entry: any of message, verdict, conversation, out, refused, notice, taken, forgotten,
     * expected. On the disk when this returns. Throws
     * UncheckedIOException, which ends the program: what is not on the disk must not be known in memory either.
     */
    void record(Map<String, Object> entry) {
        append(entry);
        try {
            file.force(false);
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        }
        apply(entry);
    }

    /** Not synced: if this line is lost, the same bytes go out once more and the gateway knows them. */
    void sent(Answer answer) {
        Map<String, Object> entry = Json.object("sent", answer.id());
        append(entry);
        apply(entry);
    }

    @Override
    public void close() throws IOException {
        file.close();
    }

    private void append(Map<String, Object> entry) {
        Map<String, Object> dated = Json.object("at", Message.moment(Instant.now()));
        dated.putAll(entry);
        ByteBuffer line = ByteBuffer.wrap((Json.write(dated) + "\n").getBytes(StandardCharsets.UTF_8));
        try { // 写了半行就失败：下次启动时去掉 half a line is dropped at the next start
            while (line.hasRemaining()) file.write(line);
        } catch (IOException diskFull) {
            throw new UncheckedIOException(diskFull);
        }
    }

    private void apply(Map<String, Object> entry) {
        List<Answer> out = new ArrayList<>();
        for (Object answer : (List<?>) entry.getOrDefault("out", List.of())) out.add(Answer.fromJson(Json.asObject(answer)));
        Map<String, Object> message = Json.asObject(entry.get("message"));
        if (message != null) {
            String key = key((String) message.get("source"), (String) message.get("id"));
            Known before = messages.get(key); // 早到的，现已办理 a message that waited, applied now
            Answer answer = out.isEmpty() ? before == null ? null : before.answer() : out.get(0);
            messages.put(key, new Known((String) message.get("digest"), answer));
        }
        Map<String, Object> conversation = Json.asObject(entry.get("conversation"));
        if (conversation != null) {
            String requestNo = (String) conversation.get("request_no");
            conversations.put(requestNo, conversation);
            if (Json.asObject(conversation.get("held")).isEmpty()) waiting.remove(requestNo);
            else waiting.add(requestNo);
        }
        for (Answer answer : out) {
            answers.computeIfAbsent(answer.requestNo(), no -> new TreeMap<>()).put(answer.seqno(), answer);
            said.put(answer.id(), answer);
            unsent.put(answer.id(), answer);
        }
        unsent.remove((String) entry.get("sent"));
        if (entry.get("taken") instanceof String mark) taken.put(mark, out.get(0).id());
        taken.remove((String) entry.get("forgotten"));
        Map<String, Object> next = Json.asObject(entry.get("expected"));
        if (next == null) return;
        expected.put((String) next.get("request_no"), (Long) next.get("next_seqno"));
        if (expected.size() > Bounds.EXPECTED) expected.remove(expected.keySet().iterator().next());
    }

    private static String key(String source, String id) {
        return source + " " + id;
    }
}
