#!/bin/bash
# Look one person up: a token by private_key_jwt (ES256), bound by DPoP. Needs curl, jq, openssl 3.
# Usage: echo NIK | lookup.sh CLIENT_FILE
# Prints the answer; the receipt goes to standard error. Exit 0: found. 1: not found. 2: no answer.
set -euo pipefail
umask 077
fail() { echo "$*" >&2; exit 2; }

file=$1
read -r nik || fail "a NIK is read from standard input"
member() { jq --exit-status --raw-output "$1" "$file"; }
issuer=$(member .issuer) && client=$(member .client_id) || fail "$file is no client's file"
[ "$(member .private_jwk.alg)" = ES256 ] || fail "this recipe signs with ES256 alone"
case $issuer in https://*|http://localhost:*) ;; *) fail "$issuer is not encrypted" ;; esac
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT

hex() { od -An -v -tx1 | tr -d ' \n'; }
bytes() { local text; text=$(sed 's/../\\x&/g'); printf "$text"; }
base64url() { openssl base64 -A | tr '+/' '-_' | tr -d '='; }
of_base64url() { local text; text=$(tr -- '-_' '+/'); while ((${#text} % 4)); do text+='='; done
  printf %s "$text" | openssl base64 -d -A; }

# The registered key, from JWK to what openssl reads (RFC 5915); and a key for proofs, which
# nobody registers: any new one will do.
part() { member ".private_jwk.$1" | tr -d '\n' | of_base64url | hex; }
printf %s "30770201010420$(part d)a00a06082a8648ce3d030107a14403420004$(part x)$(part y)" |
  bytes | openssl ec -inform DER -out "$work/key.pem" 2>/dev/null
openssl ecparam -name prime256v1 -genkey -noout -out "$work/proof.pem"
point=$(openssl ec -in "$work/proof.pem" -pubout -outform DER 2>/dev/null | tail -c 64 | hex)
x=$(printf %s "${point:0:64}" | bytes | base64url)
y=$(printf %s "${point:64}" | bytes | base64url)

jwt() { # KEY HEADER CLAIMS: a signed JWT. JWS wants r and s at 32 bytes each, openssl gives DER.
  local said der r s
  said=$(printf %s "$2" | base64url).$(printf %s "$3" | base64url)
  der=$(printf %s "$said" | openssl dgst -sha256 -sign "$work/$1.pem" | hex)
  r=${der:8:16#${der:6:2}*2} der=${der:8+16#${der:6:2}*2}
  s=${der:4:16#${der:2:2}*2}
  r=$(printf '%64s' "${r#00}" | tr ' ' 0) s=$(printf '%64s' "${s#00}" | tr ' ' 0)
  printf %s "$said.$(printf %s "$r$s" | bytes | base64url)"
}
random() { openssl rand -hex 16; }

proof() { # METHOD PATH [TOKEN]: a proof for one request; htu is the issuer's address, always
  local ath=
  [ -z "${3:-}" ] || ath=',"ath":"'$(printf %s "$3" | openssl dgst -sha256 -binary | base64url)'"'
  jwt proof '{"typ":"dpop+jwt","alg":"ES256","jwk":{"kty":"EC","crv":"P-256","x":"'"$x"'","y":"'"$y"'"}}' \
    '{"jti":"'"$(random)"'","htm":"'"$1"'","htu":"'"$issuer$2"'","iat":'"$(date +%s)$ath$nonce"'}'
}

send() { # URL, headers on fd 3, body on fd 4: leaves status, $work/headers and $work/body
  status=$(curl --silent --show-error --max-time 30 --dump-header "$work/headers" \
    --output "$work/body" --write-out '%{http_code}' --header @/dev/fd/3 \
    --data-binary @/dev/fd/4 "$1") || status=000
  local given; given=$(header dpop-nonce)
  [ -z "$given" ] || nonce=',"nonce":"'$given'"'
}
header() { sed -n "s/^$1: *//Ip" "$work/headers" 2>/dev/null | tr -d '\r' | tail -n 1; }
wants_nonce() { [[ $status = 40[01] ]] && grep -q use_dpop_nonce "$work/headers" "$work/body"; }

token() {
  local now assertion form
  now=$(date +%s)
  assertion=$(jwt key '{"alg":"ES256","kid":"'"$(member .private_jwk.kid)"'"}' \
    '{"iss":"'"$client"'","sub":"'"$client"'","aud":"'"$issuer"'","jti":"'"$(random)"'","iat":'"$now"',"exp":'"$((now + 60))"'}')
  form="grant_type=client_credentials&client_assertion=$assertion"
  form+="&client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
  send "$(member .token_endpoint)" 3< <(printf 'DPoP: %s\n' "$(proof POST /oauth/token)") \
    4< <(printf %s "$form")
}
nonce=
token
if wants_nonce; then token; fi
[ "$status" = 200 ] ||
  fail "no token ($status): $(jq -r '"\(.error): \(.error_description // "")"' "$work/body" 2>/dev/null)"
access=$(jq -r .access_token "$work/body")

# One key for all tries: a repeat costs a request, and its people nothing.
path=/v1/individuals/lookup key=$(random) tries=0
while :; do
  send "$issuer$path" 3< <(printf '%s\n' "Authorization: DPoP $access" "Idempotency-Key: $key" \
    "Content-Type: application/json" "DPoP: $(proof POST $path "$access")") \
    4< <(printf '{"nik":"%s"}' "$nik")
  ((++tries < 6)) || break
  if wants_nonce; then continue; fi
  case $status in
    429|503|000) wait=$(header retry-after); wait=${wait:-$tries}
      [ "$wait" -le 60 ] || break
      sleep "$wait" ;;
    *) break ;;
  esac
done
[ "$status" != 000 ] || fail "$issuer does not answer"
receipt=$(header dtsen-access-record)
[ -z "$receipt" ] || echo "DTSEN-Access-Record: $receipt" >&2
code=$(jq -r '.type // "" | split("/") | last // ""' "$work/body" 2>/dev/null) || code=
[ "$status" = 200 ] || [ "$code" = subject-not-found ] || fail "refused: $status $code"
cat "$work/body"
[ "$status" = 200 ]
