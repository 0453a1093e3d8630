package partner;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.time.Instant;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * 密钥：自己的私钥，法院交来的公钥文件（JWKS）。Keys: our private ones, and the court's JWKS file.
 *
 * <p>kid = {@code <participant>.<sig|sub|enc>.<label>}. A key is only ever looked up among those of the participant that is
 * expected; nothing in a message can bring a key along. The key decides the algorithm, the header must agree.
 */
final class Keys {
    private static final Map<String, List<String>> ALGORITHMS =
            Map.of("P-256", List.of("ES256"), "Ed25519", List.of("Ed25519", "EdDSA"));

    private static final Pattern KID = Pattern.compile("[a-z][a-z0-9-]{1,30}\\.(sig|sub|enc)\\.[a-z0-9][a-z0-9-]{0,30}");

    /** Our own key that signs. */
    record Signing(String kid, String alg, PrivateKey key) {}

    private final Signing signing;
    private final Map<String, PrivateKey> opening = new HashMap<>();
    private final Map<String, Map<String, Object>> court = new LinkedHashMap<>();

    /** All files are JWK or JWKS in JSON. Throws Misuse, with the file's name. */
    Keys(String code, Path signFile, List<Path> openFiles, Path courtFile) {
        Map<String, Object> sign = ownKey(code, "sig", signFile);
        String alg = algorithms(sign).stream().findFirst()
                .orElseThrow(() -> new Misuse(signFile + "：须为 P-256 或 Ed25519。 must be of P-256 or Ed25519."));
        signing = new Signing((String) sign.get("kid"), alg, privateKey(sign, signFile));
        for (Path file : openFiles) {
            Map<String, Object> jwk = ownKey(code, "enc", file);
            opening.put((String) jwk.get("kid"), privateKey(jwk, file));
        }
        if (!(readObject(courtFile).get("keys") instanceof List<?> keys)) {
            throw new Misuse(courtFile + "：缺少 keys，不是 JWKS。 has no keys: not a JWKS.");
        }
        for (Object key : keys) {
            Map<String, Object> jwk = Json.asObject(key);
            if (jwk != null && jwk.get("kid") instanceof String kid && KID.matcher(kid).matches()) court.put(kid, jwk);
        }
        if (court() == null) throw new Misuse(courtFile + "：没有法院的签名公钥。 has no key of the court that signs.");
    }

    /** 法院的代码，即网关。The court that the file is of: whom a ping goes to. */
    String court() {
        return court.keySet().stream().filter(kid -> kid.contains(".sig."))
                .map(kid -> kid.substring(0, kid.indexOf('.'))).findFirst().orElse(null);
    }

    Signing signing() {
        return signing;
    }

    /** The court's key that `kid` names, for a signature said to be made by `participant` at `time`. */
    PublicKey verifying(String participant, String kid, String alg, Instant time, Instant now) throws Refused {
        String[] words = kid.split("\\.", 3);
        if (!words[0].equals(participant)) throw new Refused("foreign-key", "/kid");
        Map<String, Object> jwk = court.get(kid);
        if (jwk == null) throw new Refused("unknown-kid", "/kid");
        if (!words[1].equals("sig")) throw new Refused("wrong-key-purpose", "/kid");
        if (!algorithms(jwk).contains(alg)) throw new Refused("bad-alg", "/alg");
        if (!inForce(jwk, time)) throw new Refused("key-not-valid-at-time", "/time");
        if (isRevoked(jwk, now)) throw new Refused("key-revoked", "/kid");
        return publicKey(jwk, "/kid");
    }

    /** The key that the `open` named in `replykey`: the asking court system's own, or the gateway's. */
    PublicKey sealing(String participant, String kid, Instant now) throws Refused {
        Map<String, Object> jwk = court.get(kid);
        boolean fits = jwk != null && kid.startsWith(participant + ".enc.") && inForce(jwk, now) && !isRevoked(jwk, now);
        if (!fits) throw new Refused("unknown-kid", "/replykey");
        return publicKey(jwk, "/replykey");
    }

    PrivateKey opening(String kid) throws Refused {
        PrivateKey key = opening.get(kid);
        if (key == null) throw new Refused("cannot-open");
        return key;
    }

    private static List<String> algorithms(Map<String, Object> jwk) {
        return jwk.get("crv") instanceof String curve ? ALGORITHMS.getOrDefault(curve, List.of()) : List.of();
    }

    /** nbf ≤ time < exp, in seconds (NumericDate); absent is open. */
    private static boolean inForce(Map<String, Object> jwk, Instant time) {
        long from = jwk.get("nbf") instanceof Long nbf ? nbf : Long.MIN_VALUE;
        long until = jwk.get("exp") instanceof Long exp ? exp : Long.MAX_VALUE;
        return from <= time.getEpochSecond() && time.getEpochSecond() < until;
    }

    private static boolean isRevoked(Map<String, Object> jwk, Instant now) {
        return jwk.get("revoked_at") instanceof Long at && at <= now.getEpochSecond();
    }

    private static PublicKey publicKey(Map<String, Object> jwk, String pointer) throws Refused {
        try {
            return Jwk.publicKey(jwk);
        } catch (GeneralSecurityException unusable) {
            throw new Refused("unknown-kid", pointer);
        }
    }

    private static Map<String, Object> ownKey(String code, String purpose, Path file) {
        Map<String, Object> jwk = readObject(file);
        boolean ours = jwk.get("kid") instanceof String kid && kid.startsWith(code + "." + purpose + ".");
        if (!ours || !jwk.containsKey("d")) {
            String wanted = code + "." + purpose + ".*";
            throw new Misuse(file + "：须为 " + wanted + " 的私钥（JWK）。 must be the private JWK " + wanted);
        }
        return jwk;
    }

    private static PrivateKey privateKey(Map<String, Object> jwk, Path file) {
        try {
            return Jwk.privateKey(jwk);
        } catch (GeneralSecurityException unusable) {
            throw new Misuse(file + "：私钥不可用。 is no usable private key: " + unusable.getMessage());
        }
    }

    private static Map<String, Object> readObject(Path file) {
        try {
            Map<String, Object> object = Json.asObject(Json.parse(Files.readAllBytes(file)));
            if (object != null) return object;
            throw new Misuse(file + "：不是 JSON 对象。 is no JSON object.");
        } catch (IOException | Refused unreadable) {
            throw new Misuse(file + "：读不到或不是 JSON。 cannot be read as JSON: " + unreadable.getMessage());
        }
    }
}
