package partner;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;

/**
 * 报文：{@code <JWS>~<披露>~}，即 SD-JWT（RFC 9901）包着一个 CloudEvents 1.0 信封。
 * The signed form: {@code <JWS>~<disclosure>~}, an SD-JWT (RFC 9901) around a CloudEvents 1.0 envelope.
 *
 * <p>The envelope is signed in clear. The payload stands in the disclosure, whose digest is signed: {@code data._sd}. The
 * disclosure is base64url of {@code [salt, "body", {…}]} or, sealed, {@code [salt, "sealed", "<compact JWE>"]}. Bytes are
 * kept and compared as they came; nothing is ever serialised a second time.
 *
 * <p>digest: of the JWS part, as {@code originhash} and deduplication use it.
 */
record Message(Envelope envelope, String digest, Content content) {
    /** 披露的内容。What the disclosure holds. */
    sealed interface Content permits Body, Sealed {}

    record Body(Map<String, Object> members) implements Content {}

    record Sealed(String jwe) implements Content {}

    private static final Set<String> HEADER = Set.of("alg", "kid", "typ", "cty");
    private static final String TYP = "lianzhi+sd-jwt";
    private static final String CTY = "cloudevents+json";
    private static final Duration AHEAD = Duration.ofMinutes(5); // 报文时间最多超前 a message may be so far ahead of our clock
    private static final Duration BEHIND = Duration.ofDays(30); // 最多落后 and so far behind
    private static final DateTimeFormatter MOMENT =
            DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss.SSS'Z'").withZone(ZoneOffset.UTC);
    private static final int SALT_LENGTH = 22;
    private static final SecureRandom RANDOM = new SecureRandom();

    /** 逐条核对一封报文。Everything that makes a message believed, in order; throws Refused with the first that fails. */
    static Message verify(byte[] bytes, String code, Keys keys, Instant now) throws Refused {
        // 1 形式 form: ASCII, two tildes, three segments
        if (bytes.length > Bounds.MESSAGE_BYTES) throw new Refused("too-large");
        String text = new String(bytes, StandardCharsets.ISO_8859_1);
        String[] parts = text.split("~", 4);
        String[] segments = parts[0].split("\\.", 4);
        if (!text.chars().allMatch(c -> c > 0x20 && c < 0x7f) || segments.length != 3) throw new Refused("not-an-sd-jwt");
        if (parts.length != 3 || parts[1].isEmpty() || !parts[2].isEmpty()) throw new Refused("bad-disclosure");

        // 2 签名头恰为四个成员 the protected header has exactly four members
        Map<String, Object> header = Json.asObject(Json.parse(fromBase64url(segments[0], "not-an-sd-jwt")));
        boolean four = header != null && header.keySet().equals(HEADER)
                && header.values().stream().allMatch(String.class::isInstance);
        if (!four) throw new Refused("bad-header");
        if (!header.get("typ").equals(TYP)) throw new Refused("bad-typ", "/typ");
        if (!header.get("cty").equals(CTY)) throw new Refused("bad-header", "/cty");

        // 3 验签 the signature, by a key of the participant that `source` names
        Map<String, Object> event = Json.asObject(Json.parse(fromBase64url(segments[1], "not-an-sd-jwt")));
        if (event == null || !(event.get("source") instanceof String source)) throw new Refused("bad-envelope", "/source");
        Envelope envelope = new Envelope(event);
        Instant time = envelope.moment("time");
        String alg = (String) header.get("alg");
        String participant = source.startsWith("//") ? source.substring(2) : source;
        PublicKey key = keys.verifying(participant, (String) header.get("kid"), alg, time, now);
        if (!Jws.verifies(parts[0], alg, key)) throw new Refused("bad-signature");

        // 4 时间 the message's own time
        if (time.isAfter(now.plus(AHEAD))) throw new Refused("clock-ahead", "/time");
        if (time.isBefore(now.minus(BEHIND))) throw new Refused("stale", "/time");

        // 5 披露的摘要就是签过名的那个 the disclosure is the one that was signed
        Map<String, Object> data = Json.asObject(event.get("data"));
        if (data == null) throw new Refused("bad-envelope", "/data");
        if (!List.of(digestOf(parts[1])).equals(data.get("_sd"))) throw new Refused("bad-disclosure", "/data/_sd");
        Content content = disclosed(parts[1]);

        // 6 信封 the envelope, and whether it is addressed to us
        envelope.check();
        if (!envelope.text("receiver").equals(code)) throw new Refused("wrong-receiver", "/receiver");
        return new Message(envelope, digestOf(parts[0]), content);
    }

    /** 打开密封的内容 → 业务字段。The body; sealed content is opened with our key, both ids inside must be the envelope's. */
    Map<String, Object> open(Keys keys) throws Refused {
        if (content instanceof Body body) return body.members();
        String jwe = ((Sealed) content).jwe();
        Map<String, Object> inside = Json.asObject(Json.parse(Jwe.decrypt(jwe, keys.opening(Jwe.recipient(jwe)))));
        if (inside == null || !inside.keySet().equals(Set.of("request_no", "message_id", "body"))) {
            throw new Refused("seal-mismatch");
        }
        if (!envelope.subject().equals(inside.get("request_no"))) throw new Refused("seal-mismatch", "/request_no");
        if (!envelope.id().equals(inside.get("message_id"))) throw new Refused("seal-mismatch", "/message_id");
        Map<String, Object> body = Json.asObject(inside.get("body"));
        if (body == null) throw new Refused("seal-mismatch", "/body");
        return body;
    }

    /** 加密给 key。A compact JWE to that key; both ids go inside, so that it cannot be lifted into another message. */
    static Sealed seal(Map<String, Object> body, Envelope envelope, String kid, PublicKey key) throws GeneralSecurityException {
        Map<String, Object> inside =
                Json.object("request_no", envelope.subject(), "message_id", envelope.id(), "body", body);
        return new Sealed(Jwe.encrypt(Json.write(inside).getBytes(StandardCharsets.UTF_8), kid, key));
    }

    /** 签名。Puts the content into a disclosure and its digest into `data._sd`, and signs. */
    static String sign(Envelope envelope, Content content, Keys.Signing signing) throws GeneralSecurityException {
        Object disclosed = content instanceof Body body ? body.members() : ((Sealed) content).jwe();
        byte[] salt = new byte[16];
        RANDOM.nextBytes(salt);
        List<Object> triple = List.of(Jwk.encode(salt), content instanceof Body ? "body" : "sealed", disclosed);
        String disclosure = Jwk.encode(Json.write(triple).getBytes(StandardCharsets.UTF_8));
        Map<String, Object> event = new LinkedHashMap<>(envelope.members());
        Map<String, Object> data = new LinkedHashMap<>(Json.asObject(event.get("data")));
        data.put("_sd", List.of(digestOf(disclosure)));
        event.put("data", data);
        Map<String, Object> header = Json.object("alg", signing.alg(), "kid", signing.kid(), "typ", TYP, "cty", CTY);
        byte[] payload = Json.write(event).getBytes(StandardCharsets.UTF_8);
        return Jws.sign(header, payload, signing.alg(), signing.key()) + "~" + disclosure + "~";
    }

    /** 摘要 base64url(SHA-256(ASCII)): of a JWS part for `originhash`, of a disclosure for `_sd`. */
    static String digestOf(String text) {
        return Jwk.encode(sha256(text.getBytes(StandardCharsets.US_ASCII)));
    }

    static byte[] sha256(byte[] bytes) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(bytes);
        } catch (GeneralSecurityException everyJdkHasIt) {
            throw new IllegalStateException(everyJdkHasIt);
        }
    }

    /** RFC 3339 UTC，毫秒，Z。With milliseconds, and `Z`. */
    static String moment(Instant time) {
        return MOMENT.format(time);
    }

    /** UUIDv7（RFC 9562）: 48 bits of milliseconds, then version, variant and random bits. */
    static String uuid7(Instant now) {
        byte[] random = new byte[10];
        RANDOM.nextBytes(random);
        ByteBuffer bytes = ByteBuffer.allocate(16).putLong(now.toEpochMilli() << 16).position(6).put(random);
        long high = bytes.getLong(0) & ~0xf000L | 0x7000L;
        long low = bytes.getLong(8) & 0x3fff_ffff_ffff_ffffL | 0x8000_0000_0000_0000L;
        return new UUID(high, low).toString();
    }

    private static Content disclosed(String disclosure) throws Refused {
        Object value = Json.parse(fromBase64url(disclosure, "bad-disclosure"));
        if (!(value instanceof List<?> triple) || triple.size() != 3) throw new Refused("bad-disclosure");
        if (!(triple.get(0) instanceof String salt) || salt.length() < SALT_LENGTH) throw new Refused("bad-disclosure", "/0");
        Map<String, Object> members = Json.asObject(triple.get(2));
        if ("body".equals(triple.get(1)) && members != null) return new Body(members);
        if ("sealed".equals(triple.get(1)) && triple.get(2) instanceof String jwe) return new Sealed(jwe);
        throw new Refused("bad-disclosure", "/1");
    }

    private static byte[] fromBase64url(String text, String code) throws Refused {
        try {
            return Jwk.decode(text);
        } catch (IllegalArgumentException notBase64) {
            throw new Refused(code);
        }
    }
}
