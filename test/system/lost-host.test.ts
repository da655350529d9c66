/** Hosts that fall silent, come back, come and go: functions follow, and what must not run twice does not. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { overlapsOf, readJournal } from '../kit/journal.ts';
import { createTestSystem, eventually, isAlive, type Copy, type TestSystem } from '../kit/test-system.ts';

const SINGLE_WRITER = {
  state: { writers: 'single' },
  offline: { onDisconnect: 'stop-after', stopAfter: '2s', coldBoot: false },
  healing: { restart: { within: '60s', times: 5, backoff: '200ms..1s' }, lostAfter: '3s' },
  upgrade: { strategy: 'recreate', maxUnavailable: 1, maxSurge: 0 },
};

let system: TestSystem;
let journals: Readonly<Record<'many' | 'single', string>>;

beforeAll(async () => {
  system = await createTestSystem();
  journals = { many: join(system.folder, 'many.journal'), single: join(system.folder, 'single.journal') };
  await system.startOrchestrator();
  await system.addHosts('host-a', 'host-b');
  await system.onboard({
    many: { journal: journals.many },
    single: { journal: journals.single, more: SINGLE_WRITER },
    everywhere: {},
  });
}, 60_000);

afterAll(() => system.cleanUp(), 30_000);

async function onlyCopy(service: string): Promise<Copy> {
  const [copy] = await system.running(service, 1);
  if (copy === undefined) throw new Error(`no copy of ${service}`);
  return copy;
}

/** Waits until the service runs on another host. */
function moved(service: string, from: string): Promise<Copy> {
  return eventually(
    `${service} runs elsewhere than on ${from}`,
    async () =>
      (await system.copies(service)).find(({ hostId, state }) => hostId !== from && state === 'RUNNING'),
    30,
  );
}

/** The copies that have written within the last moments. */
async function writers(journal: string): Promise<readonly number[]> {
  const since = Date.now();
  await sleep(500);
  return readJournal(journal)
    .filter(({ to }) => to > since)
    .map(({ pid }) => pid);
}

async function remove(id: string): Promise<void> {
  expect(await system.ended(await system.begin(id, 'terminate'))).toMatchObject({
    operationState: 'COMPLETED',
  });
}

describe('a host that falls silent', () => {
  // MCO-O-025 MCO-O-042
  it('loses its function to another one, and stops its own copy when it is back', async () => {
    const id = await system.deploy('many', [{ name: 'many' }]);
    const before = await onlyCopy('many');
    const { pid: old } = await system.ask(before);
    const agent = system.agent(before.hostId);
    process.kill(agent.pid, 'SIGSTOP');
    const after = await moved('many', before.hostId);
    // Cut off, it keeps what it runs.
    expect(isAlive(old)).toBe(true);
    process.kill(agent.pid, 'SIGCONT');
    await eventually('the old copy is stopped', () => !isAlive(old));
    expect(await onlyCopy('many')).toMatchObject({ id: after.id, hostId: after.hostId });
    expect(await writers(journals.many)).toEqual([(await system.ask(after)).pid]);
    await remove(id);
  }, 60_000);

  it('is a machine that went down with all that it ran, and runs nothing of it when it starts again', async () => {
    const id = await system.deploy('many', [{ name: 'many' }]);
    const before = await onlyCopy('many');
    const { pid: old } = await system.ask(before);
    await system.agent(before.hostId).kill();
    process.kill(old, 'SIGKILL');
    const after = await moved('many', before.hostId);
    await system.startAgent(before.hostId);
    await system.readyHosts(before.hostId);
    expect(await onlyCopy('many')).toMatchObject({ id: after.id });
    const { pid } = await system.ask(after);
    await eventually('one writes', async () => String(await writers(journals.many)) === String(pid));
    await remove(id);
  }, 60_000);

  it('does not hold up a terminate, and stops what was terminated when it is back', async () => {
    const id = await system.deploy('many', [{ name: 'many' }]);
    const before = await onlyCopy('many');
    const { pid } = await system.ask(before);
    const agent = system.agent(before.hostId);
    process.kill(agent.pid, 'SIGSTOP');
    await remove(id);
    expect(isAlive(pid)).toBe(true);
    expect((await system.request('DELETE', `/nslcm/v2/ns_instances/${id}`)).status).toBe(204);
    process.kill(agent.pid, 'SIGCONT');
    await eventually('it is stopped', () => !isAlive(pid));
    expect(await writers(journals.many)).toEqual([]);
    await eventually('it is forgotten', async () => (await system.copies()).length === 0);
    await system.readyHosts('host-a', 'host-b');
  }, 60_000);

  // MCO-O-048
  it('never lets a single writer run twice: it stops by itself before the other starts', async () => {
    const id = await system.deploy('single', [{ name: 'single' }]);
    const before = await onlyCopy('single');
    const agent = system.agent(before.hostId);
    process.kill(agent.pid, 'SIGSTOP');
    const second = await moved('single', before.hostId);
    process.kill(agent.pid, 'SIGCONT');
    // The first host reports that its copy is gone.
    expect(await onlyCopy('single')).toMatchObject({ id: second.id });

    await system.agent(second.hostId).kill();
    const third = await moved('single', second.hostId);
    await system.startAgent(second.hostId);
    await system.readyHosts(second.hostId);
    expect(await onlyCopy('single')).toMatchObject({ id: third.id });
    expect(await writers(journals.single)).toEqual([(await system.ask(third)).pid]);

    const spans = readJournal(journals.single);
    // On a slow machine a copy may have stopped by itself once more and been started again where it was.
    const moves = spans.map(({ host }) => host).filter((host, index, all) => host !== all[index - 1]);
    expect(moves).toEqual([before.hostId, second.hostId, third.hostId]);
    // With all spans, so that a failure shows who ran when.
    expect({ overlaps: overlapsOf(spans), spans }).toEqual({ overlaps: [], spans });
    await remove(id);
  }, 90_000);
});

describe('a function that covers hosts', () => {
  it('comes to a gateway that enrols, and goes from one that leaves', async () => {
    const id = await system.deploy('everywhere', [
      { name: 'everywhere', coverage: { each: 'tier = device-edge' } },
    ]);
    await system.running('everywhere', 2);
    await system.addHosts('host-c');
    const copies = await system.running('everywhere', 3);
    const third = copies.find(({ hostId }) => hostId === 'host-c');
    const { pid } = await system.ask(third ?? never());
    await system.agent('host-c').stop(10);
    const leave = await system.iotmano([
      ...'agent leave --host-id host-c --address 127.0.0.1 --log-level silent --server'.split(' '),
      system.url,
      '--data',
      join(system.folder, 'host-c'),
    ]);
    expect(leave).toMatchObject({ code: 0, stderr: 'host-c has left\n' });
    expect((await system.running('everywhere', 2)).map(({ hostId }) => hostId).toSorted()).toEqual([
      'host-a',
      'host-b',
    ]);
    expect(isAlive(pid)).toBe(false);
    await remove(id);
  }, 60_000);
});

function never(): never {
  throw new Error('there is no copy on host-c');
}
