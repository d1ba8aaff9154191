// Look one person up: a token by private_key_jwt, bound by DPoP. Java 17, its own classes alone.
// Usage: echo NIK | java Lookup.java CLIENT_FILE
// Prints the answer; the receipt goes to standard error. Exit 0: found. 1: not found. 2: no answer.
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.math.BigInteger;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.AlgorithmParameters;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.MessageDigest;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.interfaces.ECPublicKey;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.ECParameterSpec;
import java.security.spec.ECPrivateKeySpec;
import java.security.spec.EdECPrivateKeySpec;
import java.security.spec.MGF1ParameterSpec;
import java.security.spec.NamedParameterSpec;
import java.security.spec.PSSParameterSpec;
import java.security.spec.RSAPrivateCrtKeySpec;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.UUID;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import static java.nio.charset.StandardCharsets.UTF_8;

class Lookup {
    static final HttpClient HTTP = HttpClient.newBuilder()
        .version(HttpClient.Version.HTTP_1_1).connectTimeout(Duration.ofSeconds(10)).build();
    static final String ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

    final String file, jwk, issuer, client, alg;
    final PrivateKey registered;
    final KeyPair proving; // of a key that nobody registers: any new one will do
    String nonce;

    Lookup(String file) throws GeneralSecurityException {
        this.file = file;
        Matcher found = Pattern.compile("\"private_jwk\"\\s*:\\s*\\{([^}]*)\\}").matcher(file);
        jwk = found.find() ? found.group(1) : fail("this recipe needs a private_jwk");
        issuer = member(file, "issuer");
        client = member(file, "client_id");
        alg = member(jwk, "alg");
        if (!issuer.matches("(https://|http://localhost[:/]).*")) fail(issuer + " is not encrypted");
        registered = privateKey();
        KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
        generator.initialize(new ECGenParameterSpec("secp256r1"));
        proving = generator.generateKeyPair();
    }

    public static void main(String[] arguments) throws Exception {
        String nik = new BufferedReader(new InputStreamReader(System.in)).readLine().strip();
        Lookup one = new Lookup(Files.readString(Path.of(arguments[0])));
        System.exit(one.lookUp(nik, one.token()));
    }

    String token() {
        HttpResponse<String> answer = send(member(file, "token_endpoint"), () -> {
            long now = Instant.now().getEpochSecond();
            String assertion = jwt(registered, alg,
                "{\"alg\":\"%s\",\"kid\":\"%s\"}".formatted(alg, member(jwk, "kid")),
                "{\"iss\":\"%s\",\"sub\":\"%s\",\"aud\":\"%s\",\"jti\":\"%s\",\"iat\":%d,\"exp\":%d}"
                    .formatted(client, client, issuer, UUID.randomUUID(), now, now + 60));
            return HttpRequest.newBuilder()
                .header("Content-Type", "application/x-www-form-urlencoded")
                .header("DPoP", proof("/oauth/token", null))
                .POST(HttpRequest.BodyPublishers.ofString("grant_type=client_credentials"
                    + "&client_assertion_type=" + URLEncoder.encode(ASSERTION, UTF_8)
                    + "&client_assertion=" + assertion));
        });
        if (answer.statusCode() == 200) return member(answer.body(), "access_token");
        return fail("no token (" + answer.statusCode() + "): " + find(answer.body(), "error")
            + ": " + find(answer.body(), "error_description"));
    }

    int lookUp(String nik, String token) {
        String path = "/v1/individuals/lookup";
        // One for all tries: a repeat costs a request, and its people nothing.
        String key = UUID.randomUUID().toString();
        HttpResponse<String> answer = send(issuer + path, () -> HttpRequest.newBuilder()
            .header("Authorization", "DPoP " + token)
            .header("DPoP", proof(path, token))
            .header("Content-Type", "application/json")
            .header("Idempotency-Key", key)
            .POST(HttpRequest.BodyPublishers.ofString("{\"nik\":\"" + nik + "\"}")));
        answer.headers().firstValue("DTSEN-Access-Record")
            .ifPresent(receipt -> System.err.println("DTSEN-Access-Record: " + receipt));
        int status = answer.statusCode();
        String type = find(answer.body(), "type");
        String code = type.substring(type.lastIndexOf('/') + 1);
        if (status != 200 && !code.equals("subject-not-found")) fail("refused: " + status + " " + code);
        System.out.println(answer.body());
        return status == 200 ? 0 : 1;
    }

    /** Sends what is made, anew for each try: a proof serves once. */
    HttpResponse<String> send(String url, Supplier<HttpRequest.Builder> make) {
        for (int tries = 1; ; tries++) {
            HttpResponse<String> answer = null;
            try {
                HttpRequest request = make.get().uri(URI.create(url)).timeout(Duration.ofSeconds(30)).build();
                answer = HTTP.send(request, HttpResponse.BodyHandlers.ofString());
            } catch (IOException error) {
                if (tries == 6) fail(issuer + " does not answer: " + error);
            } catch (InterruptedException error) {
                fail("interrupted");
            }
            long seconds = tries;
            if (answer != null) {
                int status = answer.statusCode();
                nonce = answer.headers().firstValue("DPoP-Nonce").orElse(nonce);
                String challenge = answer.headers().firstValue("WWW-Authenticate").orElse("") + answer.body();
                boolean asksNonce = (status == 400 || status == 401) && challenge.contains("use_dpop_nonce");
                boolean later = status == 429 || status == 503;
                seconds = asksNonce ? 0 : answer.headers().firstValueAsLong("Retry-After").orElse(tries);
                if (tries == 6 || !(asksNonce || later) || seconds > 60) return answer;
            }
            try {
                Thread.sleep(seconds * 1000);
            } catch (InterruptedException error) {
                fail("interrupted");
            }
        }
    }

    /** A proof for one request; `htu` is the issuer's address, whatever stands between. */
    String proof(String path, String token) {
        ECPublicKey key = (ECPublicKey) proving.getPublic();
        String header = "{\"typ\":\"dpop+jwt\",\"alg\":\"ES256\",\"jwk\":{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"%s\",\"y\":\"%s\"}}"
            .formatted(coordinate(key.getW().getAffineX()), coordinate(key.getW().getAffineY()));
        String more = nonce == null ? "" : ",\"nonce\":\"" + nonce + "\"";
        if (token != null) more += ",\"ath\":\"" + base64url(sha256(token)) + "\"";
        return jwt(proving.getPrivate(), "ES256", header,
            "{\"jti\":\"%s\",\"htm\":\"POST\",\"htu\":\"%s\",\"iat\":%d%s}".formatted(
                UUID.randomUUID(), issuer + path, Instant.now().getEpochSecond(), more));
    }

    static String jwt(PrivateKey key, String alg, String header, String claims) {
        try {
            String said = base64url(header.getBytes(UTF_8)) + "." + base64url(claims.getBytes(UTF_8));
            Signature signer = switch (alg) {
                case "ES256" -> Signature.getInstance("SHA256withECDSAinP1363Format");
                case "PS256" -> Signature.getInstance("RSASSA-PSS");
                case "Ed25519", "EdDSA" -> Signature.getInstance("Ed25519");
                default -> throw new GeneralSecurityException(alg + " is not accepted");
            };
            if (alg.equals("PS256")) {
                signer.setParameter(new PSSParameterSpec("SHA-256", "MGF1", MGF1ParameterSpec.SHA256, 32, 1));
            }
            signer.initSign(key);
            signer.update(said.getBytes(UTF_8));
            return said + "." + base64url(signer.sign());
        } catch (GeneralSecurityException error) {
            return fail("cannot sign: " + error.getMessage());
        }
    }

    /** The registered key. */
    PrivateKey privateKey() throws GeneralSecurityException {
        switch (alg) {
            case "ES256":
                AlgorithmParameters curve = AlgorithmParameters.getInstance("EC");
                curve.init(new ECGenParameterSpec("secp256r1"));
                return KeyFactory.getInstance("EC").generatePrivate(
                    new ECPrivateKeySpec(number("d"), curve.getParameterSpec(ECParameterSpec.class)));
            case "PS256":
                return KeyFactory.getInstance("RSA").generatePrivate(new RSAPrivateCrtKeySpec(
                    number("n"), number("e"), number("d"), number("p"), number("q"),
                    number("dp"), number("dq"), number("qi")));
            default:
                byte[] secret = Base64.getUrlDecoder().decode(member(jwk, "d"));
                return KeyFactory.getInstance("Ed25519").generatePrivate(
                    new EdECPrivateKeySpec(NamedParameterSpec.ED25519, secret));
        }
    }

    BigInteger number(String name) {
        return new BigInteger(1, Base64.getUrlDecoder().decode(member(jwk, name)));
    }

    static String coordinate(BigInteger value) {
        byte[] bytes = new byte[32], all = value.toByteArray();
        int from = Math.max(0, all.length - 32), length = all.length - from;
        System.arraycopy(all, from, bytes, 32 - length, length);
        return base64url(bytes);
    }

    static byte[] sha256(String text) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(text.getBytes(UTF_8));
        } catch (GeneralSecurityException error) {
            throw new IllegalStateException(error);
        }
    }

    static String base64url(byte[] bytes) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    }

    /** A text member; use your JSON library where you have one. */
    static String find(String json, String name) {
        Matcher found = Pattern.compile("\"" + name + "\"\\s*:\\s*\"([^\"]*)\"").matcher(json);
        return found.find() ? found.group(1) : "";
    }

    static String member(String json, String name) {
        String found = find(json, name);
        return found.isEmpty() ? fail("there is no " + name) : found;
    }

    static String fail(String said) {
        System.err.println(said);
        System.exit(2);
        return said;
    }
}
