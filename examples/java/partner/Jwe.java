package partner;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.MessageDigest;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.security.interfaces.ECPublicKey;
import java.security.interfaces.XECPublicKey;
import java.util.Arrays;
import java.util.Map;
import java.util.Set;
import javax.crypto.Cipher;
import javax.crypto.KeyAgreement;
import javax.crypto.SecretKey;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;

/** 加密与解密：紧凑 JWE。Compact JWE (RFC 7516) with ECDH-ES+A256KW (RFC 7518 section 4.6) and A256GCM; P-256 or X25519. */
final class Jwe {
    static final String ALG = "ECDH-ES+A256KW";
    static final String ENC = "A256GCM";
    private static final int KEY_BYTES = 32;
    private static final int IV_BYTES = 12;
    private static final int TAG_BYTES = 16;
    private static final Set<String> REQUIRED = Set.of("alg", "enc", "kid", "epk");
    private static final Set<String> ALLOWED = Set.of("alg", "enc", "kid", "epk", "cty", "typ", "apu", "apv");
    private static final SecureRandom RANDOM = new SecureRandom();

    private Jwe() {}

    /** The kid that `jwe` is sealed to. Throws Refused cannot-open: not a header of ours (no `zip`, no `crit`). */
    static String recipient(String jwe) throws Refused {
        return (String) headerOf(jwe).get("kid");
    }

    /** Throws Refused cannot-open; which step failed is not told. */
    static byte[] decrypt(String jwe, PrivateKey key) throws Refused {
        Map<String, Object> header = headerOf(jwe);
        String[] segments = jwe.split("\\.", 6);
        try {
            PublicKey ephemeral = Jwk.publicKey(Json.asObject(header.get("epk")));
            byte[] apu = Jwk.decode((String) header.getOrDefault("apu", ""));
            byte[] apv = Jwk.decode((String) header.getOrDefault("apv", ""));
            Cipher unwrap = Cipher.getInstance("AESWrap");
            unwrap.init(Cipher.UNWRAP_MODE, wrappingKey(key, ephemeral, apu, apv));
            SecretKey content = (SecretKey) unwrap.unwrap(Jwk.decode(segments[1]), "AES", Cipher.SECRET_KEY);
            byte[] iv = Jwk.decode(segments[2]);
            byte[] tag = Jwk.decode(segments[4]);
            if (content.getEncoded().length != KEY_BYTES || iv.length != IV_BYTES || tag.length != TAG_BYTES) {
                throw new GeneralSecurityException("a part of another length");
            }
            Cipher gcm = gcm(Cipher.DECRYPT_MODE, content, iv, segments[0]);
            return gcm.doFinal(Jwk.join(Jwk.decode(segments[3]), tag));
        } catch (GeneralSecurityException | RuntimeException altered) {
            throw new Refused("cannot-open");
        }
    }

    static String encrypt(byte[] plaintext, String kid, PublicKey key) throws GeneralSecurityException {
        boolean edwards = key instanceof XECPublicKey;
        KeyPairGenerator generator = KeyPairGenerator.getInstance(edwards ? "X25519" : "EC");
        if (!edwards) generator.initialize(Jwk.P256, RANDOM);
        KeyPair once = generator.generateKeyPair();
        Map<String, Object> header = Json.object("alg", ALG, "enc", ENC, "kid", kid, "cty", "json", "epk", epk(once.getPublic()));
        String segment = Jwk.encode(Json.write(header).getBytes(StandardCharsets.UTF_8));

        SecretKey content = new SecretKeySpec(random(KEY_BYTES), "AES");
        Cipher wrap = Cipher.getInstance("AESWrap");
        wrap.init(Cipher.WRAP_MODE, wrappingKey(once.getPrivate(), key, new byte[0], new byte[0]));
        byte[] iv = random(IV_BYTES);
        byte[] sealed = gcm(Cipher.ENCRYPT_MODE, content, iv, segment).doFinal(plaintext);
        int end = sealed.length - TAG_BYTES;
        return String.join(".", segment, Jwk.encode(wrap.wrap(content)), Jwk.encode(iv),
                Jwk.encode(Arrays.copyOf(sealed, end)), Jwk.encode(Arrays.copyOfRange(sealed, end, sealed.length)));
    }

    private static Map<String, Object> headerOf(String jwe) throws Refused {
        String[] segments = jwe.split("\\.", 6);
        Map<String, Object> header;
        try {
            header = Json.asObject(Json.parse(Jwk.decode(segments[0])));
        } catch (Refused | IllegalArgumentException unreadable) {
            throw new Refused("cannot-open");
        }
        boolean ours = segments.length == 5 && header != null && header.keySet().containsAll(REQUIRED)
                && ALLOWED.containsAll(header.keySet()) && header.get("kid") instanceof String
                && ALG.equals(header.get("alg")) && ENC.equals(header.get("enc")) && header.get("epk") instanceof Map;
        if (!ours) throw new Refused("cannot-open");
        return header;
    }

    /** 一轮 Concat KDF。One round of the Concat KDF with SHA-256 (RFC 7518 section 4.6.2), 256 bits. */
    private static SecretKey wrappingKey(PrivateKey ours, PublicKey theirs, byte[] apu, byte[] apv) throws GeneralSecurityException {
        KeyAgreement agreement = KeyAgreement.getInstance(theirs instanceof XECPublicKey ? "X25519" : "ECDH");
        agreement.init(ours);
        agreement.doPhase(theirs, true);
        MessageDigest sha256 = MessageDigest.getInstance("SHA-256");
        sha256.update(number(1));
        sha256.update(agreement.generateSecret());
        for (byte[] part : new byte[][] {ALG.getBytes(StandardCharsets.US_ASCII), apu, apv}) {
            sha256.update(number(part.length));
            sha256.update(part);
        }
        sha256.update(number(8 * KEY_BYTES));
        return new SecretKeySpec(sha256.digest(), "AES");
    }

    private static Cipher gcm(int mode, SecretKey key, byte[] iv, String protectedHeader) throws GeneralSecurityException {
        Cipher cipher = Cipher.getInstance("AES/GCM/NoPadding");
        cipher.init(mode, key, new GCMParameterSpec(8 * TAG_BYTES, iv));
        cipher.updateAAD(protectedHeader.getBytes(StandardCharsets.US_ASCII));
        return cipher;
    }

    private static Map<String, Object> epk(PublicKey key) {
        if (key instanceof ECPublicKey ec) {
            return Json.object("kty", "EC", "crv", "P-256", "x", Jwk.coordinate(ec.getW().getAffineX()),
                    "y", Jwk.coordinate(ec.getW().getAffineY()));
        }
        byte[] der = key.getEncoded(); // 末 32 字节就是密钥 its last 32 bytes are the key (RFC 8410)
        byte[] x = Arrays.copyOfRange(der, der.length - Jwk.COORDINATE_BYTES, der.length);
        return Json.object("kty", "OKP", "crv", "X25519", "x", Jwk.encode(x));
    }

    private static byte[] number(int value) {
        return ByteBuffer.allocate(4).putInt(value).array();
    }

    private static byte[] random(int count) {
        byte[] bytes = new byte[count];
        RANDOM.nextBytes(bytes);
        return bytes;
    }
}
