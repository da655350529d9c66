/**
 * Offline autonomy, row by row (docs/autonomy.md): whatever happens to a host, its agent or the way between them and the orchestrator, functions run on, and
 * when it is over all is as it should be (`expectAutonomy`). The rows run side by side, each on a host of its own.
 */
import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
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

const HOSTS = {
  flapping: 'flapping',
  unheard: 'unheard',
  unspoken: 'unspoken',
  silent: 'silent',
  copying: 'copying',
  killed: 'killed',
  full: 'full',
  ahead: 'ahead',
  behind: 'behind',
  claimed: 'claimed',
  rebooted: 'rebooted',
  restored: 'restored',
} as const;

const disk = mountSmallDisk(4);
let system: TestSystem;
const hosts = new Map<string, TestedHost>();

function host(hostId: keyof typeof HOSTS): TestedHost {
  const found = hosts.get(hostId);
  if (found === undefined) throw new RangeError(`there is no host ${hostId}`);
  return found;
}

beforeAll(async () => {
  system = await createTestSystem();
  await system.startOrchestrator();
  const hostIds = Object.values(HOSTS).filter((hostId) => hostId !== 'full' || disk !== undefined);
  await system.onboard(testedFunctions(system));
  await system.onboardServices(testedServices(hostIds));
  const options = {
    full: { data: disk?.path ?? '' },
    ahead: { environment: wrongClock(3600) },
    behind: { environment: wrongClock(-3600) },
  };
  await Promise.all(
    hostIds.map(async (hostId) => {
      const own: object = hostId in options ? options[hostId as keyof typeof options] : {};
      hosts.set(hostId, await addTestedHost(system, hostId, own));
    }),
  );
}, 120_000);

afterAll(async () => {
  await system.cleanUp();
  await Promise.all([...hosts.values()].map(({ link }) => link.close()));
  if (disk !== undefined) await endProcessesOf(disk.path);
  disk?.remove();
}, 30_000);

describe.concurrent('a host runs its functions on', () => {
  // MCO-O-049 MCO-O-025
  it('when its link flaps', async () => {
    const flapping = host('flapping');
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
  it('when it is heard and hears nothing', async () => {
    const unheard = host('unheard');
    unheard.link.set('answers-lost');
    await terminateGone(system, unheard);
    // What it asks arrives, so that it does not count as LOST.
    await sleep(5000);
    expect(alivePids(system, 'kept', 'unheard')).toEqual([unheard.pids.kept]);
    unheard.link.set('open');
    await expectAutonomy(system, unheard);
  }, 120_000);

  // MCO-O-042 MCO-O-049
  it('when nothing that it says arrives', async () => {
    const unspoken = host('unspoken');
    unspoken.link.set('requests-lost');
    await awayForLong(system, unspoken);
    await terminateGone(system, unspoken);
    unspoken.link.set('open');
    await expectAutonomy(system, unspoken);
  }, 120_000);

  // MCO-O-049
  it('when its connections are half open', async () => {
    const silent = host('silent');
    silent.link.set('silent');
    await awayForLong(system, silent);
    await terminateGone(system, silent);
    silent.link.set('open');
    await expectAutonomy(system, silent);
  }, 120_000);

  // MCO-C-011 MCO-M-005
  it('when messages arrive late, twice, and once more after newer ones', async () => {
    const copying = host('copying');
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
  it('when its agent is killed while it is away', async () => {
    const killed = host('killed');
    killed.link.set('cut');
    await awayForLong(system, killed);
    await system.agent('killed').kill();
    process.kill(killed.pids.gone, 'SIGKILL');
    await system.startAgent('killed', killed.start);
    await eventually('what had died runs again', () => {
      const alive = alivePids(system, 'gone', 'killed');
      return alive.length === 1 && alive[0] !== killed.pids.gone;
    });
    await terminateGone(system, killed);
    killed.link.set('open');
    await expectAutonomy(system, killed, { starts: { gone: 2 } });
  }, 120_000);

  it.skipIf(disk === undefined)(
    'when its disk is full, and changes nothing until there is room',
    async () => {
      const full = host('full');
      full.link.set('cut');
      await awayForLong(system, full);
      disk?.fill();
      await terminateGone(system, full);
      full.link.set('open');
      await system.readyHosts('full');
      await sleep(3000);
      expect(alivePids(system, 'kept', 'full')).toEqual([full.pids.kept]);
      expect(alivePids(system, 'gone', 'full')).toEqual([full.pids.gone]);
      disk?.makeRoom();
      await expectAutonomy(system, full);
    },
    120_000,
  );

  // MCO-C-014 MCO-C-033 MCO-M-008
  it.each(['ahead', 'behind'] as const)(
    'when its clock is an hour %s, and is set right while it is away',
    async (hostId) => {
      const wrong = host(hostId);
      wrong.link.set('cut');
      await awayForLong(system, wrong);
      process.kill(system.agent(hostId).pid, 'SIGUSR2');
      await sleep(2000);
      await terminateGone(system, wrong);
      wrong.link.set('open');
      await expectAutonomy(system, wrong);
    },
    120_000,
  );

  // MCO-C-040 MCO-C-041
  it('when another machine claims its hostId, until an operator has settled it', async () => {
    const claimed = host('claimed');
    const data = join(system.folder, 'twin-of-claimed');
    mkdirSync(data);
    for (const file of ['identity.json', 'host.key'])
      copyFileSync(join(system.folder, 'claimed', file), join(data, file));
    await system.startAgent('claimed', { ...claimed.start, data, as: 'twin' });
    const stateOf = async (): Promise<string> =>
      (await system.get<{ state: string }>('/iotmano/v1/hosts/claimed')).state;
    await eventually('the dispute is seen', async () => (await stateOf()) === 'DISPUTED');
    await terminateGone(system, claimed);
    await sleep(3000);
    expect([await stateOf(), isAlive(claimed.pids.kept), isAlive(claimed.pids.gone)]).toEqual([
      'DISPUTED',
      true,
      true,
    ]);
    await system.agent('twin').kill();
    expect(await system.iotmano(['host', 'settle', 'claimed'])).toMatchObject({ code: 0 });
    await expectAutonomy(system, claimed);
  }, 120_000);

  // MCO-O-020 MCO-O-051
  it('from what its agent has stored, when its machine is rebooted while it is away', async () => {
    const rebooted = host('rebooted');
    rebooted.link.set('cut');
    await awayForLong(system, rebooted);
    await crash(system, 'rebooted');
    await boot(system, 'rebooted', rebooted.start);
    await eventually('both functions are back', () =>
      (['kept', 'gone'] as const).every((role) => alivePids(system, role, 'rebooted').length === 1),
    );
    await terminateGone(system, rebooted);
    const [back] = alivePids(system, 'kept', 'rebooted');
    rebooted.link.set('open');
    await expectAutonomy(system, rebooted, { starts: { kept: 2, gone: 2 } });
    expect(alivePids(system, 'kept', 'rebooted')).toEqual([back]);
  }, 120_000);

  // MCO-O-025 MCO-O-037 MCO-M-005
  it('from an old image of its disk, until it hears what has changed since', async () => {
    const restored = host('restored');
    const putBack = takeDiskImage(system, 'restored');
    await terminateGone(system, restored);
    await eventually('it is stopped', () => alivePids(system, 'gone', 'restored').length === 0);
    restored.link.set('cut');
    await crash(system, 'restored');
    putBack();
    await boot(system, 'restored', restored.start);
    await eventually('both functions of the image run', () =>
      (['kept', 'gone'] as const).every((role) => alivePids(system, role, 'restored').length === 1),
    );
    restored.link.set('open');
    await expectAutonomy(system, restored, { starts: { kept: 2, gone: 2 } });
  }, 120_000);
});
