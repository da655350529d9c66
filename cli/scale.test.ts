/** `iotmano service scale` and `iotmano scaling` over a service's aspects, against an orchestrator that really runs. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestSystem, type TestSystem } from '../test/kit/test-system.ts';
import { buildTinyFunction, tinyService } from '../test/kit/tiny-function.ts';

let system: TestSystem;

beforeAll(async () => {
  system = await createTestSystem();
  await system.startOrchestrator();
  await system.addHosts('gw-1');
  const file = (name: string): string => join(system.folder, name);
  const more = { scaling: [{ aspect: 'load', deltas: { main: 1 }, min: 1, max: 3 }] };
  const functions = await Promise.all(
    ['one', 'two'].map((name) => buildTinyFunction(file('packages'), name, { more })),
  );
  const levels = [
    { one: 1, two: 1 },
    { one: 1, two: 2 },
    { one: 2, two: 3 },
  ];
  const aspects = [{ name: 'load', levels, order: ['two', 'one'] }];
  writeFileSync(
    file('pair.yaml'),
    JSON.stringify(tinyService('pair', [{ name: 'one' }, { name: 'two' }], { aspects })),
  );
  for (const args of [
    ['package', 'onboard', file('pair.yaml'), ...functions],
    ['service', 'deploy', 'pair'],
  ]) {
    const { code, stderr } = await system.iotmano(args);
    if (code !== 0) throw new Error(`iotmano ${args.join(' ')} ended with ${code}: ${stderr}`);
  }
}, 60_000);

afterAll(() => system.cleanUp(), 30_000);

const run = (text: string) => system.iotmano(text.split(' '));

async function counts(): Promise<readonly number[]> {
  const copies = (await system.copies('pair')).filter(({ state }) => state === 'RUNNING');
  return ['one', 'two'].map((name) => copies.filter((copy) => copy.function === name).length);
}

describe('iotmano service scale', () => {
  it('scales the functions of a service together, by levels or to a level', async () => {
    expect(await run('service scale pair --out 2')).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('pair is scaled\n') as unknown,
    });
    expect(await counts()).toEqual([2, 3]);
    expect((await run('service show pair')).stdout).toMatch(/^scaling {5}load at level 3$/m);
    expect(await run('service scale pair --to 1')).toMatchObject({ code: 0 });
    expect(await counts()).toEqual([1, 1]);
  }, 60_000);

  it('shows where instances would be without changing anything', async () => {
    const { stdout, code } = await run('service scale pair --to 2 --plan');
    expect([code, stdout]).toEqual([0, expect.stringMatching(/two.*gw-1/)]);
    expect(await counts()).toEqual([1, 1]);
  }, 30_000);

  it('says what is wrong with how far, with an aspect, and with a level', async () => {
    expect(await run('service scale pair')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--out, --in or --to') as unknown,
    });
    expect(await run('service scale pair --out 1 --in 1')).toMatchObject({ code: 2 });
    expect(await run('service scale pair --out 1 --aspect size')).toMatchObject({
      code: 5,
      stderr: expect.stringContaining('has the scaling aspects load') as unknown,
    });
    expect(await run('service scale pair --to 4')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('it has the levels 1 to 3') as unknown,
    });
  }, 30_000);
});

describe('iotmano scaling', () => {
  it('shows the aspects of a service beside those of its functions, and sets what there is to set', async () => {
    const { stdout } = await run('scaling list');
    expect(stdout).toMatch(/^pair +service +load +1 +1-3 /m);
    expect(stdout).toMatch(/^pair-one +function +load +1 +1-3 /m);
    const policy = join(system.folder, 'policy.yaml');
    writeFileSync(policy, "{ type: schedule, times: [{ at: '* * * * *', level: 2 }] }");
    expect(await run('scaling hold pair --for 1h')).toMatchObject({ code: 0 });
    expect((await run(`scaling policy pair ${policy}`)).stdout).toMatch(/schedule \(set\)/);
    expect((await run('scaling show pair')).stdout).toMatch(/until 20/);
    expect(await run('scaling show nobody')).toMatchObject({ code: 5 });
  }, 30_000);
});
