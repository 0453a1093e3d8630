package partner;

import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.util.Arrays;
import java.util.Map;

/** 签名与验签：紧凑 JWS。Compact JWS (RFC 7515): ES256 (RFC 7518 section 3.4) and Ed25519 (RFC 8037). */
final class Jws {
    private static final int SIGNATURE_BYTES = 64;

    private Jws() {}

    /** alg: one that the key's type allows; whoever calls has seen to that. */
    static String sign(Map<String, Object> header, byte[] payload, String alg, PrivateKey key) throws GeneralSecurityException {
        String input = Jwk.encode(Json.write(header).getBytes(StandardCharsets.UTF_8)) + "." + Jwk.encode(payload);
        Signature signing = signatureOf(alg);
        signing.initSign(key);
        signing.update(input.getBytes(StandardCharsets.US_ASCII));
        return input + "." + Jwk.encode(signing.sign());
    }

    /** Whether the third segment of `jws` signs the first two. `jws` has three segments. */
    static boolean verifies(String jws, String alg, PublicKey key) {
        int end = jws.lastIndexOf('.');
        try {
            byte[] signature = Jwk.decode(jws.substring(end + 1));
            if (signature.length != SIGNATURE_BYTES || alg.equals("ES256") && !isInRange(signature)) return false;
            Signature verifying = signatureOf(alg);
            verifying.initVerify(key);
            verifying.update(jws.substring(0, end).getBytes(StandardCharsets.US_ASCII));
            return verifying.verify(signature);
        } catch (GeneralSecurityException | IllegalArgumentException malformed) {
            return false;
        }
    }

    /** 0 < r, s < n：个别旧版 JDK 17 不查（CVE-2022-21449）。Early releases of JDK 17 took r = s = 0 for any message. */
    private static boolean isInRange(byte[] signature) {
        BigInteger n = Jwk.P256.getOrder();
        BigInteger r = new BigInteger(1, Arrays.copyOfRange(signature, 0, SIGNATURE_BYTES / 2));
        BigInteger s = new BigInteger(1, Arrays.copyOfRange(signature, SIGNATURE_BYTES / 2, SIGNATURE_BYTES));
        return r.signum() > 0 && s.signum() > 0 && r.compareTo(n) < 0 && s.compareTo(n) < 0;
    }

    private static Signature signatureOf(String alg) throws GeneralSecurityException {
        return Signature.getInstance(alg.equals("ES256") ? "SHA256withECDSAinP1363Format" : "Ed25519");
    }
}
