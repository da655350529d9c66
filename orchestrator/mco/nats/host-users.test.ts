import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decode, type User } from '@nats-io/jwt';
import * as fc from 'fast-check';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { SYSTEM_TENANT, nkeyName, type HostId } from '../../../kernel/index.ts';
import { createFakeClock, type FakeClock } from '../../../test/kit/fake-clock.ts';
import { createMemoryStore, type MemoryStore } from '../../store/index.ts';
import { loadAccountKeys } from './account-keys.ts';
import { computeRevocations, createHostUsers, type HostUsers } from './host-users.ts';

const folder = mkdtempSync(join(tmpdir(), 'nats-keys-'));
const keys = loadAccountKeys(folder);
const DAY = 24 * 3600 * 1000;

let store: MemoryStore;
let clock: FakeClock;
let users: HostUsers;

beforeEach(() => {
  store = createMemoryStore();
  clock = createFakeClock();
  users = createHostUsers(store, clock, keys);
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Raw public key, base64url. */
function publicKeyOf(number: number): string {
  return Buffer.alloc(32, number + 1).toString('base64url');
}

function enrol(hostId: string, key: number): void {
  store.commit([
    {
      op: 'put',
      kind: 'host',
      id: hostId,
      tenant: SYSTEM_TENANT,
      document: {
        state: 'READY',
        roles: ['orchestration', 'monitoring'],
        publicKey: { kty: 'OKP', crv: 'Ed25519', x: publicKeyOf(key) },
        enrolledAt: '2026-11-22T18:00:00.000Z',
        tenants: [],
        draining: false,
        disputed: false,
        boots: [],
      },
    },
  ]);
}

function forget(hostId: string): void {
  const expectedRevision = store.get('host', hostId)?.revision;
  if (expectedRevision !== undefined)
    store.commit([{ op: 'delete', kind: 'host', id: hostId, expectedRevision }]);
}

describe('the keys of the account', () => {
  it('are made once, readable by their owner only, and are the same at every start', () => {
    const path = join(folder, 'nats-keys.json');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(loadAccountKeys(folder).account.getPublicKey()).toBe(keys.account.getPublicKey());
  });

  it('that cannot be read end the start with a word on what to do, and stay as they are', () => {
    const broken = mkdtempSync(join(tmpdir(), 'nats-keys-'));
    const path = join(broken, 'nats-keys.json');
    for (const text of ['', '{', '{}', '{"operator":"SUAB","account":"x","system":"y"}', 'null']) {
      writeFileSync(path, text);
      expect(() => loadAccountKeys(broken)).toThrow(/nats-keys\.json cannot be used.*restore the file/);
      expect(readFileSync(path, 'utf8')).toBe(text);
    }
    rmSync(broken, { recursive: true, force: true });
  });
});

describe('the user of a host', () => {
  it('has a JWT for a year, which is renewed when it is a month old, and not before', async () => {
    enrol('gw-1', 1);
    const first = await users.issue('gw-1' as HostId);
    expect(decode(first ?? '').sub).toBe(nkeyName(publicKeyOf(1)));
    expect(decode(first ?? '').exp).toBe(Math.floor((clock.now() + 365 * DAY) / 1000));
    await clock.advance(29 * DAY);
    expect(await users.renew('gw-1' as HostId)).toBeUndefined();
    await clock.advance(2 * DAY);
    expect(await users.renew('gw-1' as HostId)).toBeDefined();
    expect(await users.renew('gw-1' as HostId)).toBeUndefined();
    expect(await users.issue('gw-2' as HostId)).toBeUndefined();
  });

  it('gets a JWT that allows all there is with its next session, where its own is of before that', async () => {
    enrol('gw-1', 1);
    await users.issue('gw-1' as HostId);
    const user = store.get('nats-user', nkeyName(publicKeyOf(1)));
    if (user === undefined) throw new RangeError('there is no user');
    const { operations: _operations, ...document } = user.document;
    const { id, tenant } = user;
    store.commit([{ op: 'put', kind: 'nats-user', id, tenant, document }]);
    const renewed = decode<User>((await users.renew('gw-1' as HostId)) ?? '');
    expect(renewed.nats.pub?.allow).toContain('mco.v1.gw-1.stream');
    expect(await users.renew('gw-1' as HostId)).toBeUndefined();
  });

  it('is remembered until its JWT has expired, also after the host is gone', async () => {
    enrol('gw-1', 1);
    await users.issue('gw-1' as HostId);
    forget('gw-1');
    users.purge();
    expect([...store.list('nats-user')]).toHaveLength(1);
    await clock.advance(366 * DAY);
    users.purge();
    expect([...store.list('nats-user')]).toHaveLength(0);
  });
});

describe('revocations', () => {
  it('name whoever was given a JWT and is no host with that key now, whatever happened in between', async () => {
    const step = fc.record({
      hostId: fc.constantFrom('gw-1', 'gw-2', 'gw-3'),
      key: fc.nat({ max: 3 }),
      what: fc.constantFrom('enrol', 'forget', 'issue'),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        store = createMemoryStore();
        users = createHostUsers(store, clock, keys);
        const issued = new Map<string, string>();
        const keyOfHost = new Map<string, number>();
        let revocations = {};
        for (const { hostId, key, what } of steps) {
          if (what === 'forget') {
            forget(hostId);
            keyOfHost.delete(hostId);
          } else if (what === 'enrol' && !keyOfHost.has(hostId) && ![...keyOfHost.values()].includes(key)) {
            enrol(hostId, key);
            keyOfHost.set(hostId, key);
          } else if ((await users.issue(hostId as HostId)) !== undefined)
            issued.set(nkeyName(publicKeyOf(keyOfHost.get(hostId) ?? 0)), hostId);
          revocations = computeRevocations(store, revocations, clock.now());
        }
        const expected = [...issued]
          .filter(([name, hostId]) => nkeyName(publicKeyOf(keyOfHost.get(hostId) ?? 99)) !== name)
          .map(([name]) => name);
        expect(new Set(Object.keys(revocations))).toEqual(new Set(expected));
      }),
      { numRuns: 30 },
    );
  });

  it('name the key of a host that was revoked', async () => {
    enrol('gw-1', 1);
    await users.issue('gw-1' as HostId);
    const host = store.get('host', 'gw-1');
    if (host === undefined) throw new RangeError('gw-1 is gone');
    const document = { ...host.document, revokedAt: '2026-11-22T18:30:00.000Z' };
    store.commit([{ op: 'put', kind: 'host', id: 'gw-1', tenant: SYSTEM_TENANT, document }]);
    expect(Object.keys(computeRevocations(store, {}, clock.now()))).toEqual([nkeyName(publicKeyOf(1))]);
  });

  it('keep their time, and say so from now on only for the new ones', async () => {
    enrol('gw-1', 1);
    enrol('gw-2', 2);
    await Promise.all(['gw-1', 'gw-2'].map((hostId) => users.issue(hostId as HostId)));
    forget('gw-1');
    const first = computeRevocations(store, {}, clock.now());
    await clock.advance(10_000);
    forget('gw-2');
    const second = computeRevocations(store, first, clock.now());
    expect(second).toEqual({ ...first, [nkeyName(publicKeyOf(2))]: Math.floor(clock.now() / 1000) });
  });
});
