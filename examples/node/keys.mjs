// 密钥：自己的私钥，法院交来的公钥文件（JWKS）。Keys: our private ones, and the court's JWKS file.
//
// kid = <participant>.<sig|sub|enc>.<label>. A key is only ever looked up among those of the participant that is
// expected; nothing in a message can bring a key along. The key decides the algorithm, the header must agree.
import { createPrivateKey, createPublicKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Refused } from './refused.mjs';

const SIGNING = { 'P-256': ['ES256'], Ed25519: ['Ed25519', 'EdDSA'] };

export class Keys {
  #sign;
  #open = new Map();
  #court = new Map();

  // files: { sign, open: [...], court }, all JWK or JWKS in JSON.
  constructor(code, files) {
    this.#sign = ownKey(code, 'sig', files.sign);
    for (const file of files.open) {
      const key = ownKey(code, 'enc', file);
      this.#open.set(key.kid, key.private);
    }
    for (const jwk of readJson(files.court).keys) {
      if (SIGNING[jwk.crv] || jwk.use === 'enc') this.#court.set(jwk.kid, jwk);
    }
  }

  // 法院的代码，即网关。The court that the file is of: whom a ping goes to.
  get court() {
    return [...this.#court.keys()].find((kid) => kid.split('.')[1] === 'sig')?.split('.')[0];
  }

  get signing() {
    return this.#sign; // { kid, alg, private }
  }

  // The court's key that `kid` names, for a signature said to be made by `participant` at `time`.
  verifying(participant, kid, alg, time, now) {
    const [owner, purpose] = kid.split('.');
    if (owner !== participant) throw new Refused('foreign-key', '/kid');
    const jwk = this.#court.get(kid);
    if (!jwk) throw new Refused('unknown-kid', '/kid');
    if (purpose !== 'sig') throw new Refused('wrong-key-purpose', '/kid');
    if (!SIGNING[jwk.crv]?.includes(alg)) throw new Refused('bad-alg', '/alg');
    if (!inForce(jwk, time)) throw new Refused('key-not-valid-at-time', '/time');
    if (jwk.revoked_at !== undefined && jwk.revoked_at <= now / 1000) throw new Refused('key-revoked', '/kid');
    return createPublicKey({ key: jwk, format: 'jwk' });
  }

  // The key that the `open` named in `replykey`: the asking court system's own, or the gateway's.
  sealing(participant, kid, now) {
    const jwk = this.#court.get(kid);
    const fits = jwk && kid.startsWith(`${participant}.enc.`) && inForce(jwk, now) && !(jwk.revoked_at <= now / 1000);
    if (!fits) throw new Refused('unknown-kid', '/replykey');
    return createPublicKey({ key: jwk, format: 'jwk' });
  }

  opening(kid) {
    const key = this.#open.get(kid);
    if (!key) throw new Refused('cannot-open', '/kid');
    return key;
  }
}

function ownKey(code, purpose, file) {
  const jwk = readJson(file);
  if (!jwk.kid?.startsWith(`${code}.${purpose}.`) || !jwk.d) {
    throw new Error(`${file}：须为 ${code}.${purpose}.* 的私钥（JWK）。 must be the private JWK ${code}.${purpose}.*`);
  }
  return { kid: jwk.kid, alg: jwk.alg ?? SIGNING[jwk.crv]?.[0], private: createPrivateKey({ key: jwk, format: 'jwk' }) };
}

// nbf ≤ time < exp, in seconds (NumericDate); absent is open.
function inForce(jwk, milliseconds) {
  const seconds = milliseconds / 1000;
  return (jwk.nbf ?? -Infinity) <= seconds && seconds < (jwk.exp ?? Infinity);
}

function readJson(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new Error(`${file}：读不到或不是 JSON。 cannot be read as JSON: ${error.message}`);
  }
}
