import { createPrivateKey, createPublicKey, sign } from 'node:crypto';

/** NATS names an Ed25519 public key of a user as base32 of prefix, key and CRC-16, without padding: it begins with U. */
const USER_PREFIX = 20 << 3;
const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
/** PKCS #8 of an Ed25519 private key, up to the 32 bytes of the seed (RFC 8410). */
const PKCS8_HEAD = Buffer.from('302e020100300506032b657004220420', 'hex');

/** The NATS name of a raw Ed25519 public key. @param publicKey 32 bytes, base64url */
export function nkeyPublicFromRaw(publicKey: string): string {
  const body = Buffer.concat([Buffer.of(USER_PREFIX), Buffer.from(publicKey, 'base64url')]);
  const check = Buffer.alloc(2);
  check.writeUInt16LE(crc16(body));
  return base32(Buffer.concat([body, check]));
}

/** The NATS name of the key that a seed makes. @param seed 32 bytes, base64url */
export function nkeyPublicFromSeed(seed: string): string {
  const exported = createPublicKey(privateKey(seed)).export({ format: 'jwk' });
  return nkeyPublicFromRaw(exported.x ?? '');
}

/** Signature over the server's nonce, in the base64 that NATS expects. */
export function signWithSeed(seed: string, nonce: string): string {
  return sign(null, Buffer.from(nonce), privateKey(seed)).toString('base64');
}

function privateKey(seed: string): ReturnType<typeof createPrivateKey> {
  const key = Buffer.concat([PKCS8_HEAD, Buffer.from(seed, 'base64url')]);
  return createPrivateKey({ key, format: 'der', type: 'pkcs8' });
}

/** CRC-16/XMODEM, as NATS computes it. */
function crc16(bytes: Uint8Array): number {
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1;
    crc &= 0xffff;
  }
  return crc;
}

function base32(bytes: Uint8Array): string {
  let text = '';
  let bits = 0;
  let value = 0;
  for (const byte of bytes) {
    value = (value << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      text += BASE32.charAt((value >>> (bits - 5)) & 31);
      bits -= 5;
    }
    value &= (1 << bits) - 1;
  }
  return bits > 0 ? text + BASE32.charAt((value << (5 - bits)) & 31) : text;
}
