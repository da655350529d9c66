/** `iotmano conformance agent` against the agent of this project, both as processes: everything passes. */
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestSystem, type TestSystem } from '../test/kit/test-system.ts';
import { AGENT_CASES, type ConformanceResult } from './index.ts';

const PROGRAM = `${process.execPath} ${join(import.meta.dirname, '../bin/iotmano.js')}`;

let system: TestSystem;

beforeAll(async () => {
  system = await createTestSystem();
});

afterAll(() => system.cleanUp(), 30_000);

/** Runs the kit and, as soon as it says with what, the agent: as a person would, in a second terminal. */
async function checkOwnAgent(
  ...more: readonly string[]
): Promise<{ readonly code: number | null; readonly told: string; readonly result: ConformanceResult }> {
  const { folder } = system;
  const start = join(folder, 'start.sh');
  const agent = `${PROGRAM} agent`;
  const flags = `--data ${join(folder, 'gateway')} --host-id kit-gw --address 127.0.0.1`;
  const stop = `kill -9 $(cat ${folder}/pid)`;
  const file = join(folder, 'result.json');
  const kit = spawn(
    process.execPath,
    [
      join(import.meta.dirname, '../bin/iotmano.js'),
      ...['conformance', 'agent', '--format', 'json', '--file', file, ...more],
      ...['--restart-command', `${stop}; sh ${start}`],
      ...['--leave-command', `${stop}; ${agent} leave ${flags} --server $(cat ${folder}/url)`],
    ],
    { env: system.environment, stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let told = '';
  let isStarted = false;
  kit.stderr.setEncoding('utf8').on('data', (part: string) => {
    told += part;
    const [, url, token] = /orchestrator +(\S+)\n +enrolment token +(\S+)\n/.exec(told) ?? [];
    if (isStarted || url === undefined || token === undefined) return;
    isStarted = true;
    writeFileSync(join(folder, 'url'), url);
    const run = `IOTMANO_ENROLMENT_TOKEN=${token} ${agent} run ${flags} --server ${url}`;
    writeFileSync(start, `${run} > ${folder}/agent.log 2>&1 &\necho $! > ${folder}/pid\n`);
    spawn('sh', [start], { stdio: 'ignore' });
  });
  const code = await new Promise<number | null>((resolve) => kit.once('exit', resolve));
  return { code, told, result: JSON.parse(await readFile(file, 'utf8')) as ConformanceResult };
}

describe('iotmano conformance agent', () => {
  it('finds that our own agent passes every case, over kills and starts', async () => {
    const { code, told, result } = await checkOwnAgent();
    expect(
      result.cases
        .filter(({ verdict }) => verdict !== 'passed')
        .map(({ id, faults, reason }) => [id, faults, reason]),
    ).toEqual([]);
    expect(result.cases.map(({ id }) => id)).toEqual(AGENT_CASES.map(({ id }) => id));
    expect(code).toBe(0);
    expect(told).toMatch(/\d+ requirements: \d+ passed, \d+ not observable, \d+ not in this version/);
  }, 240_000);

  it('ends with 2 where no agent comes, and says with what to start it', async () => {
    const { code, stderr } = await system.iotmano(['conformance', 'agent', '--wait', '1']);
    expect(stderr).toMatch(
      /nothing could be checked: no agent has asked.*is the agent started, and with the URL/,
    );
    expect(code).toBe(2);
  });

  it('ends cleanly with 2 when it is interrupted', async () => {
    const kit = spawn(
      process.execPath,
      [join(import.meta.dirname, '../bin/iotmano.js'), 'conformance', 'agent'],
      {
        stdio: ['ignore', 'ignore', 'pipe'],
      },
    );
    let told = '';
    kit.stderr.setEncoding('utf8').on('data', (part: string) => {
      if (!told.includes('enrolment token') && (told + part).includes('enrolment token')) kit.kill('SIGINT');
      told += part;
    });
    const code = await new Promise<number | null>((resolve) => kit.once('exit', resolve));
    expect([code, told]).toEqual([2, expect.stringContaining('stopped before all cases were played')]);
  });
});
