/** The kit against the orchestrator of this project as a process: everything passes, with an operator who does everything. */
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { request } from 'node:https';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort, startProgram } from '../scripts/demo/processes.ts';
import { createTestSystem, eventually, type TestSystem } from '../test/kit/test-system.ts';
import { randomIds, systemClock } from '../kernel/index.ts';
import {
  ORCHESTRATOR_CASES,
  checkOrchestrator,
  createCommandOperator,
  createHttpAgentWire,
  type ConformanceResult,
  type Operator,
} from './index.ts';

const SCRIPT = join(import.meta.dirname, '../docs/conformance/iotmano-operator.sh');

let system: TestSystem;
let environment: NodeJS.ProcessEnv;
let result: ConformanceResult;

/** Tokens are many: they come over the API. All else is done by the script that people are shown, but for restarts. */
function operatorOf(script: Operator): Operator {
  return {
    can: () => true,
    issuesTokens: () => true,
    do: async (action, ...args) => {
      const [hostId = '', seconds = ''] = args;
      if (action === 'token') {
        const request = { ...(hostId === '-' ? {} : { hostId }), validSeconds: Number(seconds) };
        return (await system.request<{ token: string }>('POST', '/iotmano/v1/enrolment_tokens', request)).body
          .token;
      }
      if (action !== 'restart' && action !== 'reset') return script.do(action, ...args);
      await system.orchestrator().kill();
      if (action === 'reset') system.forgetState();
      await system.startOrchestrator();
      return '';
    },
  };
}

beforeAll(async () => {
  system = await createTestSystem();
  environment = {
    ...system.environment,
    IOTMANO: `${process.execPath} ${join(import.meta.dirname, '../bin/iotmano.js')}`,
  };
  await system.startOrchestrator();
  const { signal } = new AbortController();
  result = await checkOrchestrator({
    wire: createHttpAgentWire({ target: new URL(system.url), clock: systemClock }),
    operator: operatorOf(createCommandOperator(SCRIPT, signal, environment)),
    tokens: [],
    timeoutSeconds: 60,
    clock: systemClock,
    ids: randomIds,
    signal,
  });
}, 180_000);

afterAll(() => system.cleanUp(), 30_000);

/** Over TLS alone, which this orchestrator does not speak. */
const CERTIFICATES: ReadonlySet<string> = new Set(['MCO-C-060', 'MCO-C-062', 'MCO-C-063', 'MCO-C-064']);
/** Those that this binding has, also without TLS. */
const CASES = ORCHESTRATOR_CASES.filter(
  ({ bindings, requirements }) =>
    bindings?.includes('http') !== false && !requirements.some((id) => CERTIFICATES.has(id)),
);

describe('the orchestrator', () => {
  it('passes every case of HTTP', () => {
    expect(
      result.cases
        .filter(({ id }) => CASES.some((each) => each.id === id))
        .filter(({ verdict }) => verdict !== 'passed')
        .map(({ id, faults, reason }) => [id, faults, reason]),
    ).toEqual([]);
    expect(result.cases.map(({ id }) => id)).toEqual(ORCHESTRATOR_CASES.map(({ id }) => id));
  });

  it('is found wanting in nothing: what is left is of the other binding, or of TLS, not observable or not in this version', () => {
    const shown = new Set(CASES.flatMap(({ requirements }) => requirements));
    const others = ORCHESTRATOR_CASES.flatMap(({ requirements }) => requirements);
    const notPlayed = new Set(others.filter((id) => !shown.has(id)));
    const open = result.requirements.filter(
      ({ id, verdict }) => verdict === 'failed' || (verdict === 'not applicable' && !notPlayed.has(id)),
    );
    expect(open).toEqual([]);
  });
});

/** One that speaks TLS and issues certificates to hosts, as the page about the kit says. @returns its URL */
async function startOverTls(folder: string): Promise<string> {
  const port = await freePort();
  const pki = join(folder, 'pki');
  await system.iotmano(['pki', 'init', pki, '--name', '127.0.0.1']);
  const flags = ['--listen', `127.0.0.1:${port}`, '--data', join(folder, 'tls'), '--pki', pki];
  const main = join(import.meta.dirname, '../bin/iotmano.js');
  startProgram('tls', [main, 'up', ...flags], environment, join(folder, 'tls.log'));
  const ca = readFileSync(join(pki, 'ca.crt'));
  const isReady = (): Promise<boolean> =>
    new Promise((resolve) => {
      const asked = request(`https://127.0.0.1:${port}/readyz`, { ca, agent: false }, (response) => {
        response.resume();
        resolve(response.statusCode === 200);
      });
      asked.once('error', () => resolve(false));
      asked.end();
    });
  await eventually('the orchestrator is ready', isReady);
  return `https://127.0.0.1:${port}`;
}

describe('iotmano conformance orchestrator', () => {
  it('finds over TLS that a revocation takes certificates, and ends what they have opened', async () => {
    const url = await startOverTls(system.folder);
    const ca = join(system.folder, 'pki/ca.crt');
    const args = ['conformance', 'orchestrator', '--target', url, '--ca-file', ca, '--only'];
    const only = 'certificate-takes-the-place-of-proof-and-token,MCO-C-062,MCO-C-063';
    const { code, stderr } = await system.iotmano([...args, only, '--operator-command', `sh ${SCRIPT}`], {
      ...environment,
      IOTMANO_URL: url,
      IOTMANO_DATA: join(system.folder, 'tls'),
      NODE_EXTRA_CA_CERTS: ca,
    });
    expect(stderr).toMatch(/^3 requirements: 3 passed; 4 cases in/m);
    expect(code).toBe(0);
  }, 60_000);

  it('ends with 0 and writes what it found as a file, with one token and nobody at hand', async () => {
    const { stdout: token } = await system.iotmano(['token', 'enrol']);
    const file = join(system.folder, 'result.json');
    const args = [
      'conformance',
      'orchestrator',
      '--target',
      system.url,
      '--only',
      'MCO-O-031,MCO-O-011',
      '--format',
      'json',
      '--file',
      file,
    ];
    const { code, stdout, stderr } = await system.iotmano(args, {
      ...environment,
      IOTMANO_ENROLMENT_TOKEN: token.trim(),
    });
    expect([code, stdout]).toEqual([0, '']);
    expect(stderr).toMatch(/^passed +\d+\.\d s {2}gap-in-reports-is-refused$/m);
    expect(stderr).toContain('needs an operator for the action "assign"');
    expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({
      side: 'orchestrator',
      requirements: expect.arrayContaining([expect.objectContaining({ id: 'MCO-O-031', verdict: 'passed' })]),
    });
  });

  it('ends with 2 where its token is refused, and says what to do', async () => {
    const args = ['conformance', 'orchestrator', '--target', system.url, '--token', 'nobody-has-issued-this'];
    const { code, stderr } = await system.iotmano(args);
    expect(stderr).toMatch(
      /nothing could be checked: no host can be enrolled.*issue a new one and give it with --token/,
    );
    expect(code).toBe(2);
  });

  it('ends with 2 where something else than an orchestrator is silent at the target', async () => {
    const args = [
      'conformance',
      'orchestrator',
      '--target',
      `http://127.0.0.1:${await freePort()}`,
      '--token',
      'x',
    ];
    expect(await system.iotmano(args)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('is it started'),
    });
  });
});
