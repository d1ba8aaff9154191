// Signatures (RFC 9421) by http-message-signatures (npm, dhensby) against a running server.
// Standard input: {client, token, issuer, path, body, headers}; standard output: one object.
import { createHash, createPrivateKey, createPublicKey, randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createSigner, createVerifier, httpbis } from 'http-message-signatures'

const { client, token, issuer, path, body, headers } = JSON.parse(readFileSync(0, 'utf8'))
const { kid } = client.private_jwk
const key = createSigner(createPrivateKey({ key: client.private_jwk, format: 'jwk' }), 'ecdsa-p256-sha256', kid)
const ours = (await (await fetch(issuer + '/oauth/jwks')).json()).keys

const digest = (content) => 'sha-256=:' + createHash('sha256').update(content).digest('base64') + ':'
const FIELDS = ['@method', '@target-uri', 'authorization', 'content-digest', ...Object.keys(headers)]

async function signed() {
  const request = {
    method: 'POST', url: issuer + path,
    headers: {
      ...headers, authorization: 'Bearer ' + token, 'content-type': 'application/json',
      'content-digest': digest(body), 'accept-signature': 'mine=();created;tag="fapi-2-response"',
    },
  }
  return httpbis.signMessage({
    key, name: 'mine', fields: FIELDS, params: ['created', 'nonce', 'keyid', 'alg', 'tag'],
    paramValues: { created: new Date(), nonce: randomUUID(), tag: 'fapi-2-request' },
  }, request)
}

async function ask(changes = {}, content = body) {
  const request = await signed()
  Object.assign(request.headers, changes)
  const answer = await fetch(request.url, { method: 'POST', headers: request.headers, body: content })
  return { request, status: answer.status, headers: Object.fromEntries(answer.headers), content: await answer.text() }
}

function holds({ request, status, headers, content }) {
  if (headers['content-digest'] !== digest(content)) return false
  const keyLookup = async ({ keyid }) => {
    const jwk = ours.find((one) => one.kid === keyid)
    return { id: keyid, algs: ['ed25519'], verify: createVerifier(createPublicKey({ key: jwk, format: 'jwk' }), 'ed25519') }
  }
  const requiredFields = ['@status', 'content-digest']
  return httpbis.verifyMessage({ keyLookup, requiredFields }, { status, headers }, request).catch(() => false)
}

const right = await ask()
const lower = (name) => Object.fromEntries(Object.entries(right.request.headers).map(([k, v]) => [k.toLowerCase(), v]))[name]
console.log(JSON.stringify({
  status: right.status, said: right.status === 200 ? null : right.content,
  signed: headersOf(right),
  holds: await holds(right),
  altered: {
    status: await holds({ ...right, status: 404 }),
    content: await holds({ ...right, content: right.content + ' ' }),
    record: await holds({ ...right, headers: { ...right.headers, 'dtsen-access-record': 'x' } }),
    request: await holds({ ...right, request: { ...right.request, url: right.request.url + '?x' } }),
  },
  refused: {
    body: await codes(ask({}, body + ' ')),
    ...Object.fromEntries(await Promise.all(Object.keys(headers).map(async (name) =>
      [name, await codes(ask({ [name]: headers[name] + '1' }))]))),
    replay: await codes(again(right.request)),
  },
}))

function headersOf({ headers }) {
  return headers['signature-input'] !== undefined && lower('signature-input') !== undefined
}

async function again(request) {
  const answer = await fetch(request.url, { method: 'POST', headers: request.headers, body })
  return { status: answer.status, content: await answer.text() }
}

async function codes(asked) {
  const { status, content } = await asked
  return [status, JSON.parse(content).type.split('/').pop()]
}
