/**
 * Offline autonomy, row by row (docs/autonomy.md): whatever happens to a host, its agent or the way between them and the orchestrator, functions run on, and
 * when it is over all is as it should be (`expectAutonomy`). The rows run side by side, each on a host of its own.
 */
import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest';
import { endProcessesOf } from '../../scripts/demo/processes.ts';
import { mountSmallDisk } from '../../agents/testkit/small-disk.ts';
import { boot, crash, takeDiskImage, wrongClock } from '../kit/autonomy/machine.ts';
import {
  addTestedHost,
  alivePids,
  awayForLong,
  expectAutonomy,
  terminateGone,
  testedFunctions,
  testedServices,
  type TestedHost,
} from '../kit/autonomy/tested-host.ts';
import { createTestSystem, eventually, isAlive, type TestSystem } from '../kit/test-system.ts';

const ROWS = [
  'flapping',
  'unheard',
  'unspoken',
  'silent',
  'copying',
  'killed',
  'full',
  'ahead',
  'behind',
  'claimed',
  'rebooted',
  'restored',
] as const;

const disk = mountSmallDisk(4);
let system: TestSystem;
const hosts = new Map<string, TestedHost>();

/** The host of a row that is tried again: what happened to the first one cannot be undone. */
const AGAIN = 'again-';

/** Made before the rows, or, where a row is tried again, for that. */
async function host(row: (typeof ROWS)[number], task: Readonly<TestContext['task']>): Promise<TestedHost> {
  const hostId = (task.result?.retryCount ?? 0) > 0 && row !== 'full' ? `${AGAIN}${row}` : row;
  return hosts.get(hostId) ?? (await addHost(hostId, row));
}

async function addHost(hostId: string, row: string): Promise<TestedHost> {
  const options = {
    full: { data: disk?.path ?? '' },
    ahead: { environment: wrongClock(3600) },
    behind: { environment: wrongClock(-3600) },
  };
  const own: object = row in options ? options[row as keyof typeof options] : {};
  const added = await addTestedHost(system, hostId, own);
  hosts.set(hostId, added);
  return added;
}

beforeAll(async () => {
  system = await createTestSystem();
  await system.startOrchestrator();
  const hostIds = ROWS.filter((hostId) => hostId !== 'full' || disk !== undefined);
  await system.onboard(testedFunctions(system));
  await system.onboardServices(testedServices(hostIds.flatMap((hostId) => [hostId, `${AGAIN}${hostId}`])));
  await Promise.all(hostIds.map((hostId) => addHost(hostId, hostId)));
}, 120_000);

afterAll(async () => {
  await system.cleanUp();
  await Promise.all([...hosts.values()].map(({ link }) => link.close()));
  if (disk !== undefined) await endProcessesOf(disk.path);
  disk?.remove();
}, 30_000);

describe.concurrent('a host runs its functions on', () => {
  // MCO-O-049 MCO-O-025
  it('when its link flaps', async ({ task }) => {
    const flapping = await host('flapping', task);
    flapping.link.set('cut');
    await terminateGone(system, flapping);
    for (let turn = 0; turn < 12; turn += 1) {
      flapping.link.set('open');
      await sleep(150 + turn * 20);
      flapping.link.set('cut');
      await sleep(500 - turn * 20);
    }
    await awayForLong(system, flapping);
    flapping.link.set('open');
    await expectAutonomy(system, flapping);
  }, 120_000);

  // MCO-C-013 MCO-O-036 MCO-M-005
  it('when it is heard and hears nothing', async ({ task }) => {
    const unheard = await host('unheard', task);
    unheard.link.set('answers-lost');
    await terminateGone(system, unheard);
    // What it asks arrives, so that it does not count as LOST.
    await sleep(5000);
    expect(alivePids(system, 'kept', unheard.hostId)).toEqual([unheard.pids.kept]);
    unheard.link.set('open');
    await expectAutonomy(system, unheard);
  }, 120_000);

  // MCO-O-042 MCO-O-049
  it('when nothing that it says arrives', async ({ task }) => {
    const unspoken = await host('unspoken', task);
    unspoken.link.set('requests-lost');
    await awayForLong(system, unspoken);
    await terminateGone(system, unspoken);
    unspoken.link.set('open');
    await expectAutonomy(system, unspoken);
  }, 120_000);

  // MCO-O-049
  it('when its connections are half open', async ({ task }) => {
    const silent = await host('silent', task);
    silent.link.set('silent');
    await awayForLong(system, silent);
    await terminateGone(system, silent);
    silent.link.set('open');
    await expectAutonomy(system, silent);
  }, 120_000);

  // MCO-C-011 MCO-M-005
  it('when messages arrive late, twice, and once more after newer ones', async ({ task }) => {
    const copying = await host('copying', task);
    copying.link.delay(100);
    copying.link.copy('twice');
    await sleep(3000);
    copying.link.copy('late-copies');
    await terminateGone(system, copying);
    await sleep(3000);
    copying.link.copy('none');
    copying.link.delay(0);
    await expectAutonomy(system, copying);
  }, 120_000);

  // MCO-O-020 MCO-O-050 MCO-M-003
  it('when its agent is killed while it is away', async ({ task }) => {
    const killed = await host('killed', task);
    killed.link.set('cut');
    await awayForLong(system, killed);
    await system.agent(killed.hostId).kill();
    process.kill(killed.pids.gone, 'SIGKILL');
    await system.startAgent(killed.hostId, killed.start);
    await eventually('what had died runs again', () => {
      const alive = alivePids(system, 'gone', killed.hostId);
      return alive.length === 1 && alive[0] !== killed.pids.gone;
    });
    await terminateGone(system, killed);
    killed.link.set('open');
    await expectAutonomy(system, killed, { starts: { gone: 2 } });
  }, 120_000);

  it.skipIf(disk === undefined)(
    'when its disk is full, and changes nothing until there is room',
    async ({ task }) => {
      const full = await host('full', task);
      full.link.set('cut');
      await awayForLong(system, full);
      disk?.fill();
      await terminateGone(system, full);
      full.link.set('open');
      await system.readyHosts(full.hostId);
      await sleep(3000);
      expect(alivePids(system, 'kept', full.hostId)).toEqual([full.pids.kept]);
      expect(alivePids(system, 'gone', full.hostId)).toEqual([full.pids.gone]);
      disk?.makeRoom();
      await expectAutonomy(system, full);
    },
    120_000,
  );

  // MCO-C-014 MCO-C-033 MCO-M-008
  it.for(['ahead', 'behind'] as const)(
    'when its clock is an hour %s, and is set right while it is away',
    { timeout: 120_000 },
    async (hostId, { task }) => {
      const wrong = await host(hostId, task);
      wrong.link.set('cut');
      await awayForLong(system, wrong);
      process.kill(system.agent(wrong.hostId).pid, 'SIGUSR2');
      await sleep(2000);
      await terminateGone(system, wrong);
      wrong.link.set('open');
      await expectAutonomy(system, wrong);
    },
  );

  // MCO-C-040 MCO-C-041
  it('when another machine claims its hostId, until an operator has settled it', async ({ task }) => {
    const claimed = await host('claimed', task);
    const data = join(system.folder, `twin-of-${claimed.hostId}`);
    mkdirSync(data);
    for (const file of ['identity.json', 'host.key'])
      copyFileSync(join(system.folder, claimed.hostId, file), join(data, file));
    await system.startAgent(claimed.hostId, { ...claimed.start, data, as: `twin-of-${claimed.hostId}` });
    const stateOf = async (): Promise<string> =>
      (await system.get<{ state: string }>(`/iotmano/v1/hosts/${claimed.hostId}`)).state;
    await eventually('the dispute is seen', async () => (await stateOf()) === 'DISPUTED');
    await terminateGone(system, claimed);
    await sleep(3000);
    expect([await stateOf(), isAlive(claimed.pids.kept), isAlive(claimed.pids.gone)]).toEqual([
      'DISPUTED',
      true,
      true,
    ]);
    await system.agent(`twin-of-${claimed.hostId}`).kill();
    expect(await system.iotmano(['host', 'settle', claimed.hostId])).toMatchObject({ code: 0 });
    await expectAutonomy(system, claimed, { agents: 2 });
  }, 120_000);

  // MCO-O-020 MCO-O-051
  it('from what its agent has stored, when its machine is rebooted while it is away', async ({ task }) => {
    const rebooted = await host('rebooted', task);
    rebooted.link.set('cut');
    await awayForLong(system, rebooted);
    await crash(system, rebooted.hostId);
    await boot(system, rebooted.hostId, rebooted.start);
    await eventually('both functions are back', () =>
      (['kept', 'gone'] as const).every((role) => alivePids(system, role, rebooted.hostId).length === 1),
    );
    await terminateGone(system, rebooted);
    const [back] = alivePids(system, 'kept', rebooted.hostId);
    rebooted.link.set('open');
    await expectAutonomy(system, rebooted, { starts: { kept: 2, gone: 2 } });
    expect(alivePids(system, 'kept', rebooted.hostId)).toEqual([back]);
  }, 120_000);

  // MCO-O-025 MCO-O-037 MCO-M-005
  it('from an old image of its disk, until it hears what has changed since', async ({ task }) => {
    const restored = await host('restored', task);
    const putBack = takeDiskImage(system, restored.hostId);
    await terminateGone(system, restored);
    await eventually('it is stopped', () => alivePids(system, 'gone', restored.hostId).length === 0);
    restored.link.set('cut');
    await crash(system, restored.hostId);
    putBack();
    await boot(system, restored.hostId, restored.start);
    await eventually('both functions of the image run', () =>
      (['kept', 'gone'] as const).every((role) => alivePids(system, role, restored.hostId).length === 1),
    );
    restored.link.set('open');
    await expectAutonomy(system, restored, { starts: { kept: 2, gone: 2 } });
  }, 120_000);
});
