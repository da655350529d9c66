/** NATS names the Ed25519 public key of a user as base32 of prefix, key and CRC-16, without padding: it begins with U. */
const USER_PREFIX = 20 << 3;
const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** The NATS name of a user whose raw Ed25519 public key this is. @param publicKey 32 bytes, base64url, as `x` of a JWK */
export function nkeyName(publicKey: string): string {
  const body = Buffer.concat([Buffer.of(USER_PREFIX), Buffer.from(publicKey, 'base64url')]);
  const check = Buffer.alloc(2);
  check.writeUInt16LE(crc16(body));
  return base32(Buffer.concat([body, check]));
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

/** RFC 4648 without padding; 35 bytes, so that nothing is left over. */
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
  return text;
}
