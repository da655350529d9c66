import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { compactDecrypt, decodeProtectedHeader } from 'jose';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { parseId, type HostId } from '../../kernel/index.ts';
import { assignmentId } from '../domain/index.ts';
import type { SealedValuesMessage, WantedMessage } from './messages.ts';
import { keyOf, workloadOf } from './testkit/assignments.ts';
import { startMcoBench, type McoBench } from './testkit/mco-bench.ts';

const SECRET = 's3cret-of-a-test';
const hostId = parseId<HostId>('gw-1', 'hostId');
let bench: McoBench;

beforeEach(async () => {
  bench = await startMcoBench();
});

afterEach(() => bench.close());

function sealingPair() {
  const { privateKey } = generateKeyPairSync('x25519');
  const { x = '' } = createPublicKey(privateKey).export({ format: 'jwk' });
  return { privateKey, claim: { kty: 'OKP', crv: 'X25519', x } };
}

function assignSecret(): void {
  const key = keyOf(1);
  const bindings = { config: { password: SECRET }, requires: {}, clients: [] };
  bench.store.commit([
    {
      op: 'create',
      kind: 'assignment',
      id: assignmentId(hostId, key),
      tenant: key.tenant,
      document: { hostId, lostAfterSeconds: 30, workload: { ...workloadOf(key), bindings } },
    },
  ]);
}

// MCO-O-080 MCO-O-086
it('seals what is secret to the key of the newest proof, and never sends it in the clear to a host that has one', async () => {
  const agent = await bench.agent('gw-1');
  assignSecret();
  const [first, second] = [sealingPair(), sealingPair()];
  for (const { privateKey, claim } of [first, second]) {
    expect(await agent.open({ sealingKey: claim })).toMatchObject({ status: 201 });
    const { body } = await agent.request<WantedMessage>('GET', '/wanted?full=true');
    expect(JSON.stringify(body)).not.toContain(SECRET);
    const [assignment] = body.assignments;
    const { plaintext, protectedHeader } = await compactDecrypt(assignment?.sealed ?? '', privateKey);
    expect(protectedHeader).toMatchObject({ alg: 'ECDH-ES', enc: 'A256GCM' });
    const values = JSON.parse(new TextDecoder().decode(plaintext)) as SealedValuesMessage;
    expect(values).toEqual({
      hostId: 'gw-1',
      workload: assignment?.workload.key,
      config: { password: SECRET },
      seeds: {},
    });
  }
});

it('sends everything in the clear again to an agent of an older version that took the place of one that opens', async () => {
  const agent = await bench.agent('gw-1');
  assignSecret();
  await agent.open({ sealingKey: sealingPair().claim });
  await agent.open();
  const { body } = await agent.request<WantedMessage>('GET', '/wanted?full=true');
  expect(body.assignments[0]?.workload.bindings.config).toEqual({ password: SECRET });
});

it('names the key that it sealed to', async () => {
  const agent = await bench.agent('gw-1');
  assignSecret();
  await agent.open({ sealingKey: sealingPair().claim });
  const { body } = await agent.request<WantedMessage>('GET', '/wanted?full=true');
  expect(decodeProtectedHeader(body.assignments[0]?.sealed ?? '').kid).toMatch(/^[A-Za-z0-9_-]{43}$/);
});

// MCO-O-086
it.each([
  ['no key at all', 'x25519'],
  ['a key of another curve', { kty: 'OKP', crv: 'Ed25519', x: sealingPair().claim.x }],
  ['a key that is too short', { kty: 'OKP', crv: 'X25519', x: 'AAAA' }],
  ['a point of small order, to which nothing is secret', { kty: 'OKP', crv: 'X25519', x: 'A'.repeat(43) }],
])('refuses a proof whose sealing key is %s', async (_, sealingKey) => {
  const agent = await bench.agent('gw-1');
  const answer = await agent.open({ sealingKey });
  expect(answer).toMatchObject({ status: 401 });
  expect(JSON.stringify(answer.body)).toContain('sealingKey');
});
