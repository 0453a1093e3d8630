package partner;

import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.AlgorithmParameters;
import java.security.spec.ECFieldFp;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.ECParameterSpec;
import java.security.spec.ECPoint;
import java.security.spec.ECPrivateKeySpec;
import java.security.spec.ECPublicKeySpec;
import java.security.spec.PKCS8EncodedKeySpec;
import java.security.spec.X509EncodedKeySpec;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.Map;

/** JWK（RFC 7517、7518、8037）→ java.security 的密钥。P-256, Ed25519 and X25519; no other curve is taken. */
final class Jwk {
    static final int COORDINATE_BYTES = 32;
    static final ECParameterSpec P256 = p256();

    /** What stands before the 32 bytes of a key in DER (RFC 8410), public and private. */
    private static final Map<String, String[]> DER = Map.of(
            "Ed25519", new String[] {"302a300506032b6570032100", "302e020100300506032b657004220420"},
            "X25519", new String[] {"302a300506032b656e032100", "302e020100300506032b656e04220420"});

    private Jwk() {}

    /** Throws GeneralSecurityException: not of this form, or a point that is not on the curve. */
    static PublicKey publicKey(Map<String, Object> jwk) throws GeneralSecurityException {
        String curve = text(jwk, "crv");
        if (DER.containsKey(curve) && "OKP".equals(jwk.get("kty"))) {
            byte[] der = join(HexFormat.of().parseHex(DER.get(curve)[0]), coordinate(jwk, "x"));
            return KeyFactory.getInstance(curve).generatePublic(new X509EncodedKeySpec(der));
        }
        if (!"P-256".equals(curve) || !"EC".equals(jwk.get("kty"))) throw new GeneralSecurityException("another curve");
        ECPoint point = new ECPoint(new BigInteger(1, coordinate(jwk, "x")), new BigInteger(1, coordinate(jwk, "y")));
        if (!isOnP256(point)) throw new GeneralSecurityException("not a point of P-256");
        return KeyFactory.getInstance("EC").generatePublic(new ECPublicKeySpec(point, P256));
    }

    static PrivateKey privateKey(Map<String, Object> jwk) throws GeneralSecurityException {
        String curve = text(jwk, "crv");
        byte[] secret = coordinate(jwk, "d");
        if (DER.containsKey(curve)) {
            byte[] der = join(HexFormat.of().parseHex(DER.get(curve)[1]), secret);
            return KeyFactory.getInstance(curve).generatePrivate(new PKCS8EncodedKeySpec(der));
        }
        if (!"P-256".equals(curve)) throw new GeneralSecurityException("another curve");
        return KeyFactory.getInstance("EC").generatePrivate(new ECPrivateKeySpec(new BigInteger(1, secret), P256));
    }

    /** base64url without padding. */
    static String encode(byte[] bytes) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    }

    /** 只有一种写法。Only the one spelling that we would write ourselves. Throws IllegalArgumentException. */
    static byte[] decode(String text) {
        byte[] bytes = Base64.getUrlDecoder().decode(text);
        if (!encode(bytes).equals(text)) throw new IllegalArgumentException("not base64url without padding");
        return bytes;
    }

    /** 大整数 → 定长字节。A coordinate of full length, leading zeros with it (RFC 7518 section 6.2.1.2). */
    static String coordinate(BigInteger number) {
        byte[] bytes = number.toByteArray();
        byte[] fixed = new byte[COORDINATE_BYTES];
        int length = Math.min(bytes.length, COORDINATE_BYTES);
        System.arraycopy(bytes, bytes.length - length, fixed, COORDINATE_BYTES - length, length);
        return encode(fixed);
    }

    static byte[] join(byte[]... parts) {
        byte[] joined = new byte[Arrays.stream(parts).mapToInt(part -> part.length).sum()];
        int at = 0;
        for (byte[] part : parts) {
            System.arraycopy(part, 0, joined, at, part.length);
            at += part.length;
        }
        return joined;
    }

    /** Without this somebody could learn our private key from points of other curves. */
    private static boolean isOnP256(ECPoint point) {
        BigInteger p = ((ECFieldFp) P256.getCurve().getField()).getP();
        BigInteger x = point.getAffineX();
        BigInteger y = point.getAffineY();
        if (x.compareTo(p) >= 0 || y.compareTo(p) >= 0) return false;
        BigInteger right = x.pow(3).add(P256.getCurve().getA().multiply(x)).add(P256.getCurve().getB());
        return y.pow(2).subtract(right).mod(p).signum() == 0;
    }

    private static byte[] coordinate(Map<String, Object> jwk, String member) throws GeneralSecurityException {
        byte[] bytes;
        try {
            bytes = decode(text(jwk, member));
        } catch (IllegalArgumentException notBase64) {
            throw new GeneralSecurityException(member + " is not base64url");
        }
        if (bytes.length != COORDINATE_BYTES) throw new GeneralSecurityException(member + " has not 32 bytes");
        return bytes;
    }

    private static String text(Map<String, Object> jwk, String member) throws GeneralSecurityException {
        if (jwk.get(member) instanceof String text) return text;
        throw new GeneralSecurityException(member + " is missing");
    }

    private static ECParameterSpec p256() {
        try {
            AlgorithmParameters parameters = AlgorithmParameters.getInstance("EC");
            parameters.init(new ECGenParameterSpec("secp256r1"));
            return parameters.getParameterSpec(ECParameterSpec.class);
        } catch (GeneralSecurityException everyJdkHasIt) {
            throw new IllegalStateException(everyJdkHasIt);
        }
    }
}
