// Look one person up: a token by private_key_jwt, bound by DPoP. Node 18 or later, nothing else.
// Usage: echo NIK | node lookup.mjs CLIENT_FILE
// Prints the answer; the receipt goes to standard error. Exit 0: found. 1: not found. 2: no answer.
import { constants, createHash, createPrivateKey, generateKeyPairSync, randomUUID, sign } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'

const fail = (said) => { console.error(said); process.exit(2) }
process.on('uncaughtException', (error) => fail(error.cause?.message ?? error.message))

const client = JSON.parse(readFileSync(process.argv[2]))
const nik = readFileSync(0, 'utf8').trim()
const { issuer, private_jwk: jwk } = client
if (!/^(https:|http:\/\/localhost[:/])/.test(issuer)) fail(`${issuer} is not encrypted`)

// The registered key; and a key for proofs, which nobody registers: any new one will do.
const registered = createPrivateKey({ key: jwk, format: 'jwk' })
const proving = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const publicJwk = proving.publicKey.export({ format: 'jwk' })

const HOW = {
  ES256: ['sha256', { dsaEncoding: 'ieee-p1363' }],
  PS256: ['sha256', { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 }],
  Ed25519: [null, {}],
  EdDSA: [null, {}],
}
const encoded = (value) => Buffer.from(JSON.stringify(value)).toString('base64url')
function jwt(key, header, claims) {
  const said = `${encoded(header)}.${encoded(claims)}`
  const [hash, how] = HOW[header.alg] ?? fail(`${header.alg} is not accepted`)
  return `${said}.${sign(hash, Buffer.from(said), { key, ...how }).toString('base64url')}`
}
const now = () => Math.floor(Date.now() / 1000)

let nonce
function proof(method, path, token) { // `htu` is the issuer's address, whatever stands between
  const ath = token && createHash('sha256').update(token).digest('base64url')
  const claims = { jti: randomUUID(), htm: method, htu: issuer + path, iat: now(), ath, nonce }
  return jwt(proving.privateKey, { typ: 'dpop+jwt', alg: 'ES256', jwk: publicJwk }, claims)
}

// Sends what `make` makes, anew for each try: a proof serves once.
async function send(url, make) {
  for (let tries = 1; ; tries++) {
    let answer
    try {
      answer = await fetch(url, { method: 'POST', redirect: 'error', signal: AbortSignal.timeout(30_000), ...make() })
    } catch (error) {
      if (tries === 6) fail(`${issuer} does not answer: ${error.cause?.message ?? error.message}`)
      await wait(tries * 500)
      continue
    }
    const text = await answer.text()
    nonce = answer.headers.get('dpop-nonce') ?? nonce
    const challenge = `${answer.headers.get('www-authenticate')} ${text}`
    const asksNonce = [400, 401].includes(answer.status) && challenge.includes('use_dpop_nonce')
    const later = [429, 503].includes(answer.status)
    const seconds = Number(answer.headers.get('retry-after') ?? tries)
    if (tries === 6 || !(asksNonce || later) || (later && seconds > 60)) return { answer, text }
    if (later) await wait(seconds * 1000)
  }
}
const read = (text) => { try { return JSON.parse(text) } catch { return {} } }

const granted = await send(client.token_endpoint, () => ({
  headers: { DPoP: proof('POST', '/oauth/token') },
  body: new URLSearchParams({
    grant_type: 'client_credentials',
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: jwt(registered, { alg: jwk.alg, kid: jwk.kid }, {
      iss: client.client_id, sub: client.client_id, aud: issuer,
      jti: randomUUID(), iat: now(), exp: now() + 60,
    }),
  }),
}))
const { access_token: token, error, error_description: why } = read(granted.text)
if (!token) fail(`no token (${granted.answer.status}): ${error}: ${why ?? ''}`)

const path = '/v1/individuals/lookup'
const key = randomUUID() // one for all tries: a repeat costs a request, and its people nothing
const { answer, text } = await send(issuer + path, () => ({
  headers: {
    Authorization: `DPoP ${token}`,
    DPoP: proof('POST', path, token),
    'Content-Type': 'application/json',
    'Idempotency-Key': key,
  },
  body: JSON.stringify({ nik }),
}))
const receipt = answer.headers.get('dtsen-access-record')
if (receipt) console.error(`DTSEN-Access-Record: ${receipt}`)
const code = read(text).type?.split('/').pop() ?? ''
if (answer.status !== 200 && code !== 'subject-not-found') fail(`refused: ${answer.status} ${code}`)
console.log(text)
process.exitCode = answer.status === 200 ? 0 : 1
