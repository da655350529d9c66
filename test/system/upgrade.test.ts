/** A function that others use is brought to another version under a steady load of requests: none fails, whether the version is good or not. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { overlapsOf, readJournal } from '../kit/journal.ts';
import { createTestSystem, eventually, type Copy, type TestSystem } from '../kit/test-system.ts';

const TWO = { flavours: [{ name: 'default', levels: [{ name: 'small', instances: { main: 2 } }] }] };
const PATIENT = { restart: { within: '60s', times: 5, backoff: '200ms..1s' }, lostAfter: '30s' };
const UPGRADE = {
  strategy: 'rolling',
  maxUnavailable: 0,
  maxSurge: 1,
  healthyFor: '1s',
  healthyWithin: '8s',
};

/** What a client has counted since it started. */
interface Load {
  readonly sent: number;
  readonly answered: number;
  readonly failures: readonly string[];
  readonly versions: Readonly<Record<string, number>>;
}

let system: TestSystem;

function metadataOf(productName: string, softwareVersion: string) {
  return {
    invariantId: `urn:test:function:${productName}`,
    provider: 'test',
    productName,
    softwareVersion,
    descriptorVersion: '1.0.0',
    role: 'ae',
  };
}

/** A provider of the same function in a version of its own. */
function version(softwareVersion: string, args: readonly string[] = []) {
  return {
    provides: 'speech',
    args,
    more: {
      metadata: metadataOf('provider', softwareVersion),
      ...TWO,
      healing: PATIENT,
      upgrade: UPGRADE,
    },
  };
}

beforeAll(async () => {
  system = await createTestSystem();
  await system.startOrchestrator();
  await system.addHosts('host-a', 'host-b');
  await system.onboard({
    provider: version('1.0.0'),
    client: { args: ['load'], requires: 'speech', more: { healing: PATIENT } },
  });
  await system.deploy('talk', [
    { name: 'provider', version: '*' },
    { name: 'client', bind: { speech: 'provider' } },
  ]);
  await system.onboard({ good: version('2.0.0'), bad: version('3.0.0', ['deaf']) });
}, 90_000);

afterAll(() => system.cleanUp(), 30_000);

async function copiesOf(name: string): Promise<readonly Copy[]> {
  return (await system.copies('talk')).filter((copy) => copy.function === name);
}

async function load(): Promise<Load> {
  const [client] = await copiesOf('client');
  if (client === undefined) throw new Error('there is no client');
  return (await system.ask(client)) as unknown as Load;
}

/** Waits for some more requests, all of which have been answered. */
async function answeredOn(): Promise<Load> {
  const before = await load();
  return eventually('there are more answers', async () => {
    const now = await load();
    return now.answered > before.answered + 50 && now;
  });
}

const upgrade = (to: string) =>
  system.iotmano(['service', 'upgrade', 'talk', '--function', `provider=${to}`]);

describe('an upgrade under load', () => {
  it('loses no request: the new version is known to its clients before the old one ends', async () => {
    await answeredOn();
    expect(await upgrade('2.0.0')).toMatchObject({ code: 0 });
    const { failures, versions } = await answeredOn();
    expect(failures).toEqual([]);
    expect(versions['2.0.0']).toBeGreaterThan(0);
    expect((await copiesOf('provider')).map(({ state }) => state)).toEqual(['RUNNING', 'RUNNING']);
    const listed = await system.iotmano(['operation', 'list', '-o', 'json']);
    expect(JSON.parse(listed.stdout)).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ operation: 'CHANGE_VNFPKG', operationState: 'COMPLETED' }),
        expect.objectContaining({ lcmOperationType: 'UPDATE', operationState: 'COMPLETED' }),
      ]),
    );
    expect(await system.iotmano(['service', 'upgrade', 'talk', '--pause'])).toMatchObject({
      code: 6,
      stderr: expect.stringContaining('no upgrade of talk is under way'),
    });
    const before = versions['1.0.0'];
    expect((await answeredOn()).versions['1.0.0']).toBe(before);
  }, 90_000);

  it('loses no request either when the new version never gets well: it goes back by itself, and nothing of it is left', async () => {
    const pids = async () =>
      (await Promise.all((await copiesOf('provider')).map(system.ask)))
        .map(({ pid }) => pid)
        .toSorted((a, b) => a - b);
    const before = await pids();
    const { code, stderr } = await upgrade('3.0.0');
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /UPDATE ended as ROLLED_BACK: provider: provider 3.0.0 is not well: .*going back to provider 2.0.0/,
    );
    expect(await pids()).toEqual(before);
    const { failures, versions } = await answeredOn();
    expect(failures).toEqual([]);
    expect(versions['3.0.0'] ?? 0).toBe(0);
  }, 90_000);
});

describe('a single writer', () => {
  it('is never in two versions at once, and stays on its host', async () => {
    const journal = join(system.folder, 'writer.journal');
    const writer = (softwareVersion: string) => ({
      journal,
      more: {
        metadata: metadataOf('writer', softwareVersion),
        state: { writers: 'single' },
        offline: { onDisconnect: 'stop-after', stopAfter: '8s', coldBoot: false },
        healing: PATIENT,
        upgrade: { strategy: 'recreate', healthyFor: '1s' },
      },
    });
    await system.onboard({ writer: writer('1.0.0') });
    await system.deploy('ledger', [{ name: 'writer', version: '*' }]);
    await system.onboard({ 'writer-2': writer('2.0.0') });
    const upgraded = await system.iotmano(['service', 'upgrade', 'ledger', '--to', 'writer']);
    expect(upgraded).toMatchObject({ code: 0 });
    const spans = readJournal(journal);
    expect({ overlaps: overlapsOf(spans), spans }).toEqual({ overlaps: [], spans });
    expect(new Set(spans.map(({ host }) => host)).size).toBe(1);
    expect(new Set(spans.map(({ pid }) => pid)).size).toBe(2);
  }, 90_000);
});

describe('a host that is drained under load', () => {
  it('ends empty without a failed request, and says so only when everything has stopped', async () => {
    const before = (await load()).failures.length;
    const [client] = await copiesOf('client');
    const hostId = client?.hostId === 'host-a' ? 'host-b' : 'host-a';
    const drained = await system.iotmano(['host', 'drain', hostId, '--deadline', '60', '--max-away', '1']);
    expect(drained).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/everything has stopped\n.* is empty\n$/s),
    });
    expect((await copiesOf('provider')).map((copy) => copy.hostId)).not.toContain(hostId);
    const { failures } = await answeredOn();
    expect(failures.slice(before)).toEqual([]);
    expect(await system.iotmano(['host', 'uncordon', hostId])).toMatchObject({ code: 0 });
  }, 90_000);
});
