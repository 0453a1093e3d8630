package partner;

import java.io.File;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Puts published vectors before the example's own JSON reader and JOSE: one JSON object in, one out (test_java_partner.py). */
final class Check {
    public static void main(String[] arguments) throws Exception {
        Map<String, Object> given = Json.asObject(Json.parse(System.in.readAllBytes()));
        List<Object> texts = new ArrayList<>();
        for (Object text : (List<?>) given.get("json")) texts.add(read((String) text));
        List<Object> signatures = new ArrayList<>();
        for (Object vector : (List<?>) given.get("signatures")) signatures.add(judge(Json.asObject(vector)));
        Map<String, Object> found = Json.object("json", texts, "signatures", signatures,
                "opened", opened(Json.asObject(given.get("thread"))), "sealed", sealed(Json.asObject(given.get("seal"))),
                "unopened", unopened(Json.asObject(given.get("seal")), (List<?>) given.get("unopened")));
        System.out.write(Json.write(found).getBytes(StandardCharsets.UTF_8));
        System.out.flush();
    }

    private static Object read(String text) {
        try {
            return Json.write(Json.parse(text));
        } catch (Refused refused) {
            return List.of(refused.code);
        }
    }

    private static Object judge(Map<String, Object> vector) throws GeneralSecurityException {
        String jws = (String) vector.get("jws");
        boolean three = jws.split("\\.", -1).length == 3;
        return three && Jws.verifies(jws, (String) vector.get("alg"), Jwk.publicKey(Json.asObject(vector.get("jwk"))));
    }

    private static Object opened(Map<String, Object> thread) throws Refused {
        String folder = (String) thread.get("folder");
        String code = (String) thread.get("code");
        Keys keys = new Keys(code, Path.of(folder, code + ".sig.1"), List.of(Path.of(folder, code + ".enc.1")),
                new File(folder, "court").toPath());
        byte[] bytes = ((String) thread.get("bytes")).getBytes(StandardCharsets.US_ASCII);
        Message message = Message.verify(bytes, code, keys, Instant.ofEpochMilli((Long) thread.get("now")));
        return Json.object("digest", message.digest(), "envelope", message.envelope().members(), "body", message.open(keys));
    }

    private static Object sealed(Map<String, Object> seal) throws GeneralSecurityException {
        byte[] plaintext = ((String) seal.get("plaintext")).getBytes(StandardCharsets.UTF_8);
        return Jwe.encrypt(plaintext, (String) seal.get("kid"), Jwk.publicKey(Json.asObject(seal.get("jwk"))));
    }

    private static Object unopened(Map<String, Object> seal, List<?> altered) throws GeneralSecurityException {
        List<Object> reasons = new ArrayList<>();
        for (Object jwe : altered) {
            try {
                reasons.add(new String(Jwe.decrypt((String) jwe, Jwk.privateKey(Json.asObject(seal.get("jwk")))), StandardCharsets.UTF_8));
            } catch (Refused refused) {
                reasons.add(List.of(refused.code));
            }
        }
        return reasons;
    }
}
