/**
 * Offline autonomy, the rows in which the orchestrator is away, is another one than before, or loses sight of many hosts at once
 * (docs/autonomy.md). They run side by side, each in a system of its own.
 */
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { openBadLink, type BadLink } from '../kit/autonomy/bad-link.ts';
import {
  PATIENCE_SECONDS,
  addTestedHost,
  alivePids,
  busiestSecond,
  expectAutonomy,
  serviceOf,
  terminateGone,
  testedFunctions,
  testedServices,
  type TestedHost,
} from '../kit/autonomy/tested-host.ts';
import { readJournal } from '../kit/journal.ts';
import { createTestSystem, eventually, isAlive, type TestSystem } from '../kit/test-system.ts';

const cleanUps: (() => Promise<void>)[] = [];
afterAll(() => Promise.all(cleanUps.map((cleanUp) => cleanUp())), 30_000);

async function newSystem(): Promise<TestSystem> {
  const system = await createTestSystem();
  cleanUps.push(() => system.cleanUp());
  await system.startOrchestrator();
  return system;
}

async function newLink(system: TestSystem): Promise<BadLink> {
  const link = await openBadLink(system.url);
  cleanUps.push(() => link.close());
  return link;
}

async function newTestedHosts(system: TestSystem, ...hostIds: string[]): Promise<TestedHost[]> {
  await system.onboard(testedFunctions(system));
  await system.onboardServices(testedServices(hostIds));
  const hosts = await Promise.all(hostIds.map((hostId) => addTestedHost(system, hostId)));
  cleanUps.push(async () => void (await Promise.all(hosts.map(({ link }) => link.close()))));
  return hosts;
}

const bothAlive = (system: TestSystem, { hostId }: TestedHost): (readonly number[])[] =>
  (['kept', 'gone'] as const).map((role) => alivePids(system, role, hostId));

/** The host is heard, and is held to what it has pinned. */
async function seenUnconfirmed(system: TestSystem, { hostId }: TestedHost): Promise<void> {
  await eventually(`${hostId} is heard and follows another state`, async () => {
    const { status, body } = await system.request<{ state: string; stateConfirmed: boolean; facts?: object }>(
      'GET',
      `/iotmano/v1/hosts/${hostId}`,
    );
    return status === 200 && body.state === 'READY' && body.facts !== undefined && !body.stateConfirmed;
  });
}

describe.concurrent('functions run on', () => {
  // MCO-O-043 MCO-O-030 MCO-O-049
  it('when the orchestrator is away for long', async () => {
    const system = await newSystem();
    const hosts = await newTestedHosts(system, 'one', 'two');
    // What is accepted now, hosts hear of only when the orchestrator is back.
    for (const { link } of hosts) link.set('cut');
    await Promise.all(hosts.map((host) => terminateGone(system, host)));
    await system.orchestrator().kill();
    for (const { link } of hosts) link.set('open');
    await sleep(2.5 * PATIENCE_SECONDS * 1000);
    for (const host of hosts) expect(bothAlive(system, host)).toEqual([[host.pids.kept], [host.pids.gone]]);
    // Recent measurements are in the memory of the orchestrator only.
    for (const { link } of hosts) link.forgetAcknowledged();
    await system.startOrchestrator();
    await Promise.all(hosts.map((host) => expectAutonomy(system, host)));
  }, 150_000);

  // MCO-C-027 MCO-C-052
  it('when the orchestrator was wiped, until an operator has confirmed the new one', async () => {
    const system = await newSystem();
    const [host] = (await newTestedHosts(system, 'wiped')) as [TestedHost];
    await system.orchestrator().kill();
    rmSync(system.data, { recursive: true });
    await system.startOrchestrator();
    await sleep(3000);
    await system.agent('wiped').kill();
    await system.startAgent('wiped', { ...host.start, enrol: true });
    await seenUnconfirmed(system, host);
    await sleep(3000);
    expect(bothAlive(system, host)).toEqual([[host.pids.kept], [host.pids.gone]]);
    expect(await system.iotmano(['host', 'confirm', 'wiped'])).toMatchObject({ code: 0 });
    await eventually('what the new state does not have is stopped', () =>
      bothAlive(system, host).every((pids) => pids.length === 0),
    );
    expect(busiestSecond(host.link)).toBeLessThanOrEqual(20);
  }, 150_000);

  // MCO-C-050 MCO-C-051 MCO-C-052
  it.each(['database', 'whole directory'] as const)(
    'when the %s of the orchestrator was restored from an old backup, until an operator has confirmed it',
    async (what) => {
      const system = await newSystem();
      const backup = `${system.data}.backup`;
      const hostId = what === 'database' ? 'older' : 'oldest';
      const [host] = (await newTestedHosts(system, hostId)) as [TestedHost];
      await system.orchestrator().stop(10);
      cpSync(system.data, backup, { recursive: true });
      await system.startOrchestrator();
      // What the backup knows nothing of: a function that has gone, and one that has come.
      await terminateGone(system, host);
      await eventually('it is stopped', () => alivePids(system, 'gone', hostId).length === 0);
      await system.onboard({ late: { more: { offline: { onDisconnect: 'keep', coldBoot: true } } } });
      await system.deploy('late', [{ name: 'late', coverage: { each: `site = ${hostId}` } }]);
      const [late] = await system.running('late', 1);
      const { pid } = await system.ask(late as NonNullable<typeof late>);
      await system.orchestrator().kill();
      if (what === 'database') {
        for (const file of ['state.db', 'state.db-wal'])
          rmSync(join(system.data, 'state', file), { force: true });
        cpSync(join(backup, 'state/state.db'), join(system.data, 'state/state.db'));
      } else {
        rmSync(system.data, { recursive: true });
        cpSync(backup, system.data, { recursive: true });
      }
      host.link.forgetAcknowledged();
      await system.startOrchestrator();
      await seenUnconfirmed(system, host);
      await sleep(3000);
      expect([...bothAlive(system, host), isAlive(pid)]).toEqual([[host.pids.kept], [], true]);
      expect(await system.iotmano(['host', 'confirm', hostId])).toMatchObject({ code: 0 });
      await eventually('what the backup does not know is stopped', () => !isAlive(pid));
      await system.running(serviceOf('gone', hostId), 1);
      await terminateGone(system, host);
      await expectAutonomy(system, host, { starts: { gone: 2 } });
    },
    150_000,
  );

  // MCO-O-045
  it('and nothing is moved when a third of a zone falls silent at once', async () => {
    const system = await newSystem();
    const journal = join(system.folder, 'mobile.journal');
    const hostIds = Array.from({ length: 9 }, (_, index) => `z${index}`);
    await system.onboard({
      mobile: {
        journal,
        more: {
          healing: {
            restart: { within: '60s', times: 5, backoff: '200ms..1s' },
            lostAfter: `${PATIENCE_SECONDS}s`,
          },
          flavours: [{ name: 'default', levels: [{ name: 'three', instances: { main: 3 } }] }],
          placement: { spread: { by: 'host' } },
        },
      },
    });
    const links = new Map<string, BadLink>();
    for (const hostId of hostIds) links.set(hostId, await newLink(system));
    await Promise.all(
      hostIds.map((hostId) =>
        system.startAgent(hostId, {
          enrol: true,
          server: links.get(hostId)?.url ?? '',
          labels: { zone: 'north' },
        }),
      ),
    );
    await system.readyHosts(...hostIds);
    await system.deploy('mobile', [{ name: 'mobile' }]);
    const copies = await system.running('mobile', 3);
    const pids = await Promise.all(copies.map(async (copy) => (await system.ask(copy)).pid));
    const silent = copies.map(({ hostId }) => hostId);
    expect(new Set(silent).size).toBe(3);
    for (const hostId of silent) links.get(hostId)?.set('cut');
    await eventually('all three are silent', async () => {
      const hosts =
        await system.get<{ hostId: string; state: string; braked: boolean }[]>('/iotmano/v1/hosts');
      return hosts.filter(({ state, braked }) => state === 'SUSPECT' && braked).length === 3;
    });
    await sleep(2 * PATIENCE_SECONDS * 1000);
    expect(pids.map(isAlive)).toEqual([true, true, true]);
    for (const hostId of silent) links.get(hostId)?.set('open');
    await system.readyHosts(...hostIds);
    expect((await system.running('mobile', 3)).map(({ id }) => id)).toEqual(copies.map(({ id }) => id));
    const spans = readJournal(journal);
    expect(new Set(spans.map(({ pid }) => pid))).toEqual(new Set(pids));
    expect(spans.filter(({ pid }) => isAlive(pid))).toHaveLength(3);
    const operations = await system.get<{ operation: string }[]>('/vnflcm/v2/vnf_lcm_op_occs');
    expect(operations.map(({ operation }) => operation)).toEqual(['INSTANTIATE']);
    for (const link of links.values()) expect(busiestSecond(link)).toBeLessThanOrEqual(20);
  }, 150_000);
});
