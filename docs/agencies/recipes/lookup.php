<?php
// Look one person up: a token by private_key_jwt (ES256), bound by DPoP. PHP 8 with openssl.
// Usage: echo NIK | php lookup.php CLIENT_FILE
// Prints the answer; the receipt goes to standard error. Exit 0: found. 1: not found. 2: no answer.
declare(strict_types=1);

function fail(string $said): never
{
    fwrite(STDERR, "$said\n");
    exit(2);
}

$client = json_decode((string) @file_get_contents($argv[1] ?? ''), true) ?? fail('no client\'s file');
$nik = trim((string) fgets(STDIN));
$issuer = $client['issuer'];
$jwk = $client['private_jwk'];
$jwk['alg'] === 'ES256' || fail('this recipe signs with ES256 alone');
preg_match('#^(https://|http://localhost[:/])#', $issuer) || fail("$issuer is not encrypted");

function base64url(string $bytes): string
{
    return rtrim(strtr(base64_encode($bytes), '+/', '-_'), '=');
}

function bytes(string $base64url): string
{
    return base64_decode(strtr($base64url, '-_', '+/'));
}

// The registered key, from JWK to what openssl reads (RFC 5915); and a key for proofs, which nobody
// registers: any new one will do.
$der = hex2bin('30770201010420') . bytes($jwk['d']) . hex2bin('a00a06082a8648ce3d030107a14403420004')
    . bytes($jwk['x']) . bytes($jwk['y']);
$pem = "-----BEGIN EC PRIVATE KEY-----\n" . chunk_split(base64_encode($der), 64, "\n");
$registered = openssl_pkey_get_private("$pem-----END EC PRIVATE KEY-----\n") ?: fail('no key');
$proving = openssl_pkey_new(['private_key_type' => OPENSSL_KEYTYPE_EC, 'curve_name' => 'prime256v1']);
$point = openssl_pkey_get_details($proving)['ec'];

/** A signed JWT. JWS wants r and s at 32 bytes each, openssl gives DER. */
function jwt(OpenSSLAsymmetricKey $key, array $header, array $claims): string
{
    $said = base64url(json_encode($header)) . '.'
        . base64url(json_encode(array_filter($claims, fn ($value) => $value !== null), JSON_UNESCAPED_SLASHES));
    openssl_sign($said, $der, $key, OPENSSL_ALGO_SHA256) || fail('cannot sign');
    $length = ord($der[3]);
    $both = [substr($der, 4, $length), substr($der, 6 + $length)];
    $both = array_map(fn ($each) => str_pad(ltrim($each, "\0"), 32, "\0", STR_PAD_LEFT), $both);
    return $said . '.' . base64url(implode($both));
}

/** A proof for one request; `htu` is the issuer's address, whatever stands between. */
function proof(string $path, ?string $token = null): string
{
    global $proving, $point, $issuer, $nonce;
    $public = ['kty' => 'EC', 'crv' => 'P-256', 'x' => base64url(str_pad($point['x'], 32, "\0", STR_PAD_LEFT)),
        'y' => base64url(str_pad($point['y'], 32, "\0", STR_PAD_LEFT))];
    return jwt($proving, ['typ' => 'dpop+jwt', 'alg' => 'ES256', 'jwk' => $public], [
        'jti' => bin2hex(random_bytes(16)), 'htm' => 'POST', 'htu' => $issuer . $path, 'iat' => time(),
        'ath' => $token === null ? null : base64url(hash('sha256', $token, true)), 'nonce' => $nonce,
    ]);
}

/** Sends what $make makes, anew for each try: a proof serves once. Returns status, headers, body. */
function send(string $url, callable $make): array
{
    global $nonce, $issuer;
    for ($tries = 1; ; $tries++) {
        [$headers, $body] = $make();
        $context = stream_context_create(['http' => [
            'method' => 'POST', 'header' => $headers, 'content' => $body,
            'ignore_errors' => true, 'timeout' => 30, 'follow_location' => 0,
        ]]);
        $http_response_header = [];
        $text = @file_get_contents($url, false, $context);
        $told = [];
        foreach ($http_response_header as $line) {
            $parts = explode(':', $line, 2);
            $told[strtolower($parts[0])] = trim($parts[1] ?? '');
        }
        $status = $text === false ? 0 : (int) explode(' ', $http_response_header[0])[1];
        $nonce = $told['dpop-nonce'] ?? $nonce;
        $challenge = ($told['www-authenticate'] ?? '') . $text;
        $asks_nonce = in_array($status, [400, 401], true) && str_contains($challenge, 'use_dpop_nonce');
        $later = in_array($status, [0, 429, 503], true);
        $seconds = (int) ($told['retry-after'] ?? $tries);
        if ($tries === 6 || !($asks_nonce || $later) || ($later && $seconds > 60)) {
            $status !== 0 || fail("$issuer does not answer");
            return [$status, $told, $text];
        }
        $later && sleep($seconds);
    }
}

$nonce = null;
[$status, , $text] = send($client['token_endpoint'], function () use ($client, $registered, $jwk, $issuer) {
    $claims = ['iss' => $client['client_id'], 'sub' => $client['client_id'], 'aud' => $issuer,
        'jti' => bin2hex(random_bytes(16)), 'iat' => time(), 'exp' => time() + 60];
    $form = ['grant_type' => 'client_credentials',
        'client_assertion_type' => 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        'client_assertion' => jwt($registered, ['alg' => 'ES256', 'kid' => $jwk['kid']], $claims)];
    $headers = ['Content-Type: application/x-www-form-urlencoded', 'DPoP: ' . proof('/oauth/token')];
    return [$headers, http_build_query($form)];
});
$told = json_decode($text, true);
$token = $told['access_token'] ?? fail("no token ($status): " . ($told['error'] ?? '') . ': ' . ($told['error_description'] ?? ''));

$path = '/v1/individuals/lookup';
$key = bin2hex(random_bytes(16)); // one for all tries: a repeat costs a request, and its people nothing
[$status, $headers, $text] = send($issuer . $path, fn () => [
    ["Authorization: DPoP $token", 'DPoP: ' . proof($path, $token), 'Content-Type: application/json',
        "Idempotency-Key: $key"],
    json_encode(['nik' => $nik]),
]);
if (isset($headers['dtsen-access-record'])) {
    fwrite(STDERR, "DTSEN-Access-Record: {$headers['dtsen-access-record']}\n");
}
$code = basename(json_decode($text, true)['type'] ?? '');
$status === 200 || $code === 'subject-not-found' || fail("refused: $status $code");
echo $text, "\n";
exit($status === 200 ? 0 : 1);
