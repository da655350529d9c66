/** Agents that meet an orchestrator that is not theirs, not there, or a twin of themselves: functions run on, and only operators decide. */
import { copyFileSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  createTestSystem,
  eventually,
  isAlive,
  type CommandResult,
  type Copy,
  type TestSystem,
} from '../kit/test-system.ts';

const HOST = '/iotmano/v1/hosts/host-a';

let system: TestSystem;
let copy: Copy;
let pid: number;

beforeEach(async () => {
  system = await createTestSystem();
  await system.startOrchestrator();
  await system.addHosts('host-a');
  await system.onboard({ one: { more: { offline: { onDisconnect: 'keep', coldBoot: true } } } });
  await system.deploy('first', [{ name: 'one' }]);
  [copy] = (await system.running('first', 1)) as [Copy];
  ({ pid } = await system.ask(copy));
}, 60_000);

afterEach(() => system.cleanUp(), 30_000);

async function operator(...args: string[]): Promise<CommandResult> {
  const result = await system.iotmano(args);
  expect(result).toMatchObject({ code: 0 });
  return result;
}

const hostState = async (): Promise<string> => (await system.get<{ state: string }>(HOST)).state;

// MCO-C-050 MCO-C-052
it('an orchestrator that has lost its state is not obeyed until an operator has confirmed the new one', async () => {
  await system.orchestrator().kill();
  rmSync(system.data, { recursive: true });
  await system.startOrchestrator();
  await system.agent('host-a').kill();
  await system.startAgent('host-a', { enrol: true });
  await eventually('the host is there', async () => {
    const { status, body } = await system.request<{ facts?: object }>('GET', HOST);
    return status === 200 && body.facts !== undefined;
  });
  expect(await system.get(HOST)).toMatchObject({ stateConfirmed: false });
  await sleep(2000);
  // The new state assigns nothing to the host, and yet:
  expect(await system.ask(copy)).toMatchObject({ pid });
  expect((await operator('hosts')).stdout).toContain('follows another state: "iotmano host confirm host-a"');
  await operator('host', 'confirm', 'host-a');
  await eventually('what the new state does not have is stopped', () => !isAlive(pid));
  expect(await system.get(HOST)).toMatchObject({ stateConfirmed: true });
}, 60_000);

// MCO-C-040 MCO-C-041
it('two agents with one identity are disputed, and neither is obeyed until an operator has settled it', async () => {
  const twin = join(system.folder, 'twin');
  mkdirSync(twin);
  for (const file of ['identity.json', 'host.key'])
    copyFileSync(join(system.folder, 'host-a', file), join(twin, file));
  await system.startAgent('host-a', { data: twin, as: 'twin' });
  await eventually('the dispute is seen', async () => (await hostState()) === 'DISPUTED');
  expect(await system.ask(copy)).toMatchObject({ pid });

  const id = await system.createService('second', [{ name: 'one' }]);
  const refused = await system.request('POST', `/nslcm/v2/ns_instances/${id}/instantiate`, {
    nsFlavourId: 'default',
  });
  expect(refused).toMatchObject({ status: 409 });
  await sleep(1500);
  expect(await hostState()).toBe('DISPUTED');

  await system.agent('twin').kill();
  expect((await operator('hosts')).stdout).toContain('switch one off, then "iotmano host settle host-a"');
  await operator('host', 'settle', 'host-a');
  await eventually('the host is READY again', async () => (await hostState()) === 'READY');
  expect(await system.ask(copy)).toMatchObject({ pid });
  expect(await system.ended(await system.begin(id, 'instantiate'))).toMatchObject({
    operationState: 'COMPLETED',
  });
}, 60_000);

describe('an agent that starts while the orchestrator is away', () => {
  // MCO-O-020
  it('starts what it had to run, and tells of it later', async () => {
    await system.orchestrator().kill();
    await system.agent('host-a').kill();
    process.kill(pid, 'SIGKILL');
    await system.startAgent('host-a');
    const again = await eventually('it runs again', () => system.ask(copy).catch(() => undefined));
    expect(again.pid).not.toBe(pid);
    await system.startOrchestrator();
    await eventually('it is told', async () => (await system.copies('first'))[0]?.restarts === 1);
    expect(await system.running('first', 1)).toMatchObject([{ id: copy.id, ports: copy.ports }]);
    expect(await system.ask(copy)).toEqual(again);
  }, 60_000);
});
