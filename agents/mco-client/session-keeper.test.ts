import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { parseId, silentLogger, toTimestamp, type Clock, type HostId } from '../../kernel/index.ts';
import { openIdentity, type HostIdentity } from '../identity/index.ts';
import { createSessionKeeper } from './session-keeper.ts';
import type { Transport, TransportRequest } from './transport.ts';

const HOUR = 3_600_000;
const SERVER_START = Date.parse('2026-11-22T18:00:00.000Z');
let directory: string;
let identity: HostIdentity;
/** Milliseconds since the start, on either side. */
let elapsed: number;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'keeper-'));
  identity = await openIdentity(directory, parseId<HostId>('gw-1', 'hostId'));
  await identity.update({ isEnrolled: true, m2mSpId: '//iotmano.test' });
  elapsed = 0;
});

afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

/** A host whose clock is years behind. */
const clock: Clock = {
  now: () => elapsed,
  monotonic: () => elapsed,
  sleep: () => Promise.resolve(),
};

interface Asked {
  readonly path: string;
  readonly body: { readonly proof?: string; readonly wantsCertificate?: boolean };
}

/** An orchestrator that issues certificates for a day, or less, and takes those that are good by its own clock. */
function orchestrator(asked: Asked[], takesCertificates = true, life = 24 * HOUR): Transport {
  const issue = () => ({
    certificate: '-----BEGIN CERTIFICATE-----',
    notBefore: toTimestamp(SERVER_START + elapsed),
    notAfter: toTimestamp(SERVER_START + elapsed + life),
  });
  const answerTo = ({ path, body }: Asked): [number, object] => {
    if (path.endsWith('/challenges')) return [201, { nonce: 'A'.repeat(22), expiresInSeconds: 60 }];
    const { current } = identity.certificate;
    const isGood = current !== undefined && Date.parse(current.notAfter) > SERVER_START + elapsed;
    if (body.proof === undefined && !(takesCertificates && isGood))
      return [401, { title: 'Unauthorized', detail: 'no good certificate' }];
    return [
      201,
      {
        token: 'x'.repeat(40),
        expiresInSeconds: 3600,
        heartbeatIntervalSeconds: 10,
        leaseSeconds: 20,
        serverTime: toTimestamp(SERVER_START + elapsed),
        stateId: 'state-1',
        stateIdConfirmed: true,
        ...(body.wantsCertificate === true ? { certificate: issue() } : {}),
      },
    ];
  };
  return {
    isEncrypted: true,
    close: () => {},
    stream: () => Promise.reject(new TypeError('nothing is streamed')),
    send: async ({ path, body }: TransportRequest) => {
      const question: Asked = {
        path,
        body: JSON.parse(Buffer.from(body ?? Buffer.from('{}')).toString()) as Asked['body'],
      };
      asked.push(question);
      const [status, answer] = answerTo(question);
      return { status, headers: {}, body: Buffer.from(JSON.stringify(answer)) };
    },
  };
}

function keeperOver(transport: Transport) {
  return createSessionKeeper({
    transport,
    identity,
    bootId: 'boot-0001',
    clock,
    log: silentLogger,
    agentVersion: 'test',
  });
}

// MCO-C-061
it('has a new certificate before two thirds of the life of the old one have passed, whatever its own clock says', async () => {
  const asked: Asked[] = [];
  const keeper = keeperOver(orchestrator(asked));
  let renewals = 0;
  for (; elapsed < 100 * HOUR; elapsed += HOUR / 10) {
    const before = identity.certificate.current;
    await keeper.envelope();
    const { current } = identity.certificate;
    if (current !== before) renewals += 1;
    const age = SERVER_START + elapsed - Date.parse(current?.notBefore ?? '');
    expect(age).toBeLessThan((24 * HOUR * 2) / 3);
  }
  // Not at every session either.
  expect(renewals).toBeGreaterThan(5);
  expect(renewals).toBeLessThan(9);
  expect(asked.filter(({ body }) => body.proof !== undefined)).toHaveLength(1);
});

// MCO-C-061
it('has a new certificate in time also where a session may last longer than it', async () => {
  for (const life of [HOUR, HOUR / 2, HOUR / 120]) {
    const asked: Asked[] = [];
    const keeper = keeperOver(orchestrator(asked, true, life));
    const end = elapsed + 20 * life;
    for (; elapsed < end; elapsed += life / 50) {
      await keeper.envelope();
      const { notBefore = '' } = identity.certificate.current ?? {};
      expect(SERVER_START + elapsed - Date.parse(notBefore)).toBeLessThan((life * 2) / 3);
    }
    expect(asked.filter(({ path }) => path.endsWith('/sessions')).length).toBeLessThan(50);
  }
});

it('does not open one session after the other for certificates that are over when they come', async () => {
  const asked: Asked[] = [];
  const keeper = keeperOver(orchestrator(asked, true, 0));
  for (let count = 0; count < 100; count += 1) await keeper.envelope();
  expect(asked.filter(({ path }) => path.endsWith('/sessions'))).toHaveLength(1);
});

// MCO-C-065
it('proves its key after an absence that was longer than the life of its certificate', async () => {
  const asked: Asked[] = [];
  const keeper = keeperOver(orchestrator(asked));
  await keeper.envelope();
  elapsed = 1000 * HOUR;
  await keeper.envelope();
  expect(asked.filter(({ body }) => body.proof !== undefined)).toHaveLength(2);
  expect(Date.parse(identity.certificate.current?.notAfter ?? '')).toBe(SERVER_START + 1024 * HOUR);
  elapsed += HOUR;
  await keeper.envelope();
  expect(asked.at(-1)?.body.proof).toBeUndefined();
});

// MCO-C-065
it('goes on with proofs where no certificate is taken', async () => {
  const asked: Asked[] = [];
  const keeper = keeperOver(orchestrator(asked, false));
  for (; elapsed < 3 * HOUR; elapsed += HOUR) expect((await keeper.envelope()).token).toBe('x'.repeat(40));
});
