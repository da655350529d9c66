/** `iotmano placement` against an orchestrator that really runs, with two agents and a tiny function. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestSystem, type TestSystem } from '../test/kit/test-system.ts';
import { buildTinyFunction, tinyService } from '../test/kit/tiny-function.ts';

let system: TestSystem;

beforeAll(async () => {
  system = await createTestSystem();
  await system.startOrchestrator();
  await system.addHosts('gw-1', 'gw-2');
  const folder = join(system.folder, 'packages');
  const service = join(system.folder, 'solo.yaml');
  writeFileSync(service, JSON.stringify(tinyService('solo', [{ name: 'one' }])));
  await run('package', 'onboard', await buildTinyFunction(folder, 'one'), service);
  await run('service', 'deploy', 'solo');
}, 90_000);

afterAll(() => system.cleanUp(), 30_000);

async function run(...args: string[]): Promise<{ readonly stdout: string; readonly stderr: string }> {
  const { code, ...output } = await system.iotmano(args);
  expect([code, output.stderr]).toEqual([0, output.stderr]);
  return output;
}

async function hostOfOne(): Promise<string> {
  const [copy] = await system.copies('solo');
  return copy?.hostId ?? 'nowhere';
}

interface Plan {
  readonly moves: readonly {
    readonly function: string;
    readonly fromHostId: string;
    readonly toHostId: string;
  }[];
}

async function planDrain(hostId: string): Promise<Plan> {
  const { stdout } = await run('placement', 'drain', hostId, '--dry-run', '-o', 'json');
  return JSON.parse(stdout) as Plan;
}

describe('iotmano placement', () => {
  it('shows a plan, and moves nothing with --dry-run', async () => {
    const from = await hostOfOne();
    const to = from === 'gw-1' ? 'gw-2' : 'gw-1';
    const { stdout, stderr } = await run('placement', 'drain', from, '--dry-run');
    expect(stdout).toMatch(/^STEP +FUNCTION +VDU +FROM +TO +INSTANCES +GAIN +COST$/m);
    expect(stdout).toMatch(new RegExp(`^1 +\\S+ +main +${from} +${to} +1 +\\S+ +10$`, 'm'));
    expect(stderr).toContain(`left without anything on them: ${from}`);
    expect((await planDrain(from)).moves).toMatchObject([{ fromHostId: from, toHostId: to }]);
    expect(await hostOfOne()).toBe(from);
  }, 40_000);

  it('moves a function by its name, and follows it until it runs', async () => {
    const from = await hostOfOne();
    const to = from === 'gw-1' ? 'gw-2' : 'gw-1';
    const [move] = (await planDrain(from)).moves;
    const { stderr } = await run('placement', 'move', move?.function ?? '', '--to', to);
    expect(stderr).toMatch(/^1 operation has completed$/m);
    expect(await hostOfOne()).toBe(to);
    expect((await run('placement', 'rebalance')).stdout).toBe('nothing to show\n');
    expect((await run('placement', 'consolidate', '--dry-run')).stdout).toBe('nothing to show\n');
  }, 60_000);

  it('evacuates what matches, and says why something stays', async () => {
    const { stderr } = await run('placement', 'evacuate', '--where', 'tier exists', '--dry-run');
    expect(stderr).toMatch(/^stays: 1 x one\/main on gw-\d: of 2 hosts, 2 are to be left$/m);
  }, 40_000);

  it.each([
    ['placement move nobody', 5, /no function is called "nobody"/],
    ['placement drain gw-9', 2, /hostIds: there is no host gw-9/],
    ['placement evacuate', 2, /needs one of: zone, expression/],
    ['placement rebalance --max-away none', 2, /--max-away wants a whole number/],
    ['placement rebalance --max-away-share 2', 2, /--max-away-share wants a number from 0 to 1; got "2"/],
  ])('%s ends with %i', async (line, expected, message) => {
    const { code, stderr } = await system.iotmano(line.split(' '));
    expect(stderr).toMatch(message);
    expect(code).toBe(expected);
  });
});
