/** `iotmano conformance agent` against the agent of this project, both as processes: everything passes. */
import { spawn } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestSystem, type TestSystem } from '../test/kit/test-system.ts';
import { packAgent, type PackedAgent } from '../agents/testkit/packed-agent.ts';
import { upgradeCases } from './agent-kit/cases/upgrade-cases.ts';
import { AGENT_CASES, type ConformanceResult } from './index.ts';

const MAIN = join(import.meta.dirname, '../bin/iotmano.js');
const RELEASE_VERSION = '2.0.0';
const PROGRAM = `${process.execPath} ${MAIN}`;

let system: TestSystem;
let packed: PackedAgent;

beforeAll(async () => {
  [system, packed] = await Promise.all([createTestSystem(), packAgent()]);
});

afterAll(async () => {
  packed.cleanUp();
  await system.cleanUp();
}, 30_000);

interface Checked {
  readonly code: number | null;
  readonly told: string;
  readonly result: ConformanceResult;
}

/** Runs the kit and, as soon as it says with what, an agent: as a person would, in a second terminal. */
async function checkOwnAgent(
  name: string,
  only: readonly string[],
  { isPacked = false, isTls = false } = {},
): Promise<Checked> {
  // Of its own for each try.
  const folder = mkdtempSync(join(system.folder, `${name}-`));
  const start = join(folder, 'start.sh');
  const file = join(folder, 'result.json');
  const [installed, release] = [join(folder, 'installed.mjs'), join(folder, 'release.mjs')];
  if (isPacked) {
    writeFileSync(installed, packed.version('1.0.0').content);
    writeFileSync(release, packed.version(RELEASE_VERSION).content);
  }
  const trust = isTls ? ` --ca-file ${join(folder, 'ca.crt')}` : '';
  const agent = isPacked ? `${process.execPath} ${installed}` : `${PROGRAM} agent`;
  const flags = `--data ${join(folder, 'gateway')} --host-id ${name} --address 127.0.0.1${trust}`;
  const stop = `kill -9 $(cat ${folder}/pid)`;
  const options = {
    ...(isTls ? { '--listen': 'https://127.0.0.1:0', '--write-ca': join(folder, 'ca.crt') } : {}),
    '--only': only.join(','),
    '--format': 'json',
    '--file': file,
    '--restart-command': `${stop}; sleep $PAUSE_SECONDS; sh ${start}`,
    '--rekey-command': `${stop}; rm ${folder}/gateway/sealing.key; sh ${start}`,
    ...(isPacked ? { '--agent-release': release, '--agent-release-version': RELEASE_VERSION } : {}),
    '--leave-command': `${stop}; ${agent} leave ${flags} --server $(cat ${folder}/url)`,
  };
  const kit = spawn(process.execPath, [MAIN, 'conformance', 'agent', ...Object.entries(options).flat()], {
    env: system.environment,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
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

/** Cases do not build on each other, and mostly wait: so several agents are checked at the same time. */
const AT_A_TIME = 3;
/** This one is spoken with over TLS, which certificates need. */
const TLS_PART = 0;
const CERTIFICATES: ReadonlySet<string> = new Set(['MCO-C-061', 'MCO-C-065']);
/** Those that exchange the program of the agent. */
const OF_UPGRADES: ReadonlySet<string> = new Set(upgradeCases.map(({ id }) => id));

describe('iotmano conformance agent', () => {
  it('finds that our own agent passes every case, over kills and starts', async () => {
    const played = AGENT_CASES.filter(({ bindings }) => bindings?.includes('http') !== false);
    const ids = played.map(({ id }) => id);
    const common = played.filter(({ id }) => !OF_UPGRADES.has(id));
    const partOf = ({ requirements }: (typeof played)[number], index: number): number =>
      requirements.some((id) => CERTIFICATES.has(id)) ? TLS_PART : index % AT_A_TIME;
    const all = await Promise.all([
      checkOwnAgent('kit-gw-packed', [...OF_UPGRADES], { isPacked: true }),
      ...Array.from({ length: AT_A_TIME }, (_, part) =>
        checkOwnAgent(
          `kit-gw-${part}`,
          common.filter((each, index) => partOf(each, index) === part).map(({ id }) => id),
          { isTls: part === TLS_PART },
        ),
      ),
    ]);
    const cases = all.flatMap(({ result }) => result.cases);
    const open = cases.filter(({ verdict }) => verdict !== 'passed');
    expect(open.map(({ id, faults, reason }) => [id, faults, reason])).toEqual([]);
    expect(new Set(cases.map(({ id }) => id))).toEqual(new Set(ids));
    expect(all.map(({ code }) => code)).toEqual(all.map(() => 0));
    for (const { told } of all) expect(told).toMatch(/^\d+ requirements: \d+ passed; \d+ cases in/m);
  }, 240_000);

  it('ends with 2 where no agent comes, and says with what to start it', async () => {
    const { code, stderr } = await system.iotmano(['conformance', 'agent', '--wait', '1']);
    expect(stderr).toMatch(
      /nothing could be checked: no agent has asked.*is the agent started, and with the URL/,
    );
    expect(code).toBe(2);
  });

  it('ends cleanly with 2 when it is interrupted', async () => {
    const kit = spawn(process.execPath, [MAIN, 'conformance', 'agent'], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let told = '';
    kit.stderr.setEncoding('utf8').on('data', (part: string) => {
      if (!told.includes('enrolment token') && (told + part).includes('enrolment token')) kit.kill('SIGINT');
      told += part;
    });
    const code = await new Promise<number | null>((resolve) => kit.once('exit', resolve));
    expect([code, told]).toEqual([2, expect.stringContaining('stopped before all cases were played')]);
  });
});
