/** The kit over NATS against an orchestrator whose server of NATS speaks TLS only. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseId, randomIds, systemClock, type HostId } from '../kernel/index.ts';
import { enrolmentCredential } from '../orchestrator/mco/nats/index.ts';
import {
  createNatsBench,
  eventually,
  type NatsBench,
  type NatsOrchestrator,
} from '../test/kit/nats-bench.ts';
import { isServiceMissing } from '../test/kit/services.ts';
import {
  NO_OPERATOR,
  checkOrchestrator,
  createNatsAgentWire,
  parseNatsTarget,
  type ConformanceResult,
  type Operator,
} from './index.ts';

const PLAYED = ['enrolment-may-be-repeated', 'answers-over-nats-are-those-of-http'];
const REQUEST = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=nats';
const isMissing = isServiceMissing('nats-server') || isServiceMissing('openssl');

let bench: NatsBench;
let orchestrator: NatsOrchestrator;
let certificate: string;

function makeTls(folder: string): { certFile: string; keyFile: string } {
  const [certFile, keyFile] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  const names = ['-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', keyFile, '-out', certFile];
  execFileSync('openssl', [...REQUEST.split(' '), ...names], { stdio: 'ignore' });
  certificate = certFile;
  return { certFile, keyFile };
}

/** Issues tokens, and nothing else. */
const operator: Operator = {
  ...NO_OPERATOR,
  can: (action) => action === 'token',
  issuesTokens: () => true,
  do: async (action, name = '', seconds = '') => {
    if (action !== 'token') return NO_OPERATOR.do(action);
    const hostId = parseId<HostId>(name, 'hostId');
    const { tokens } = orchestrator.inventory;
    const { record, token } = tokens.create({ hostId, validSeconds: Number(seconds) });
    return enrolmentCredential(bench.keys, hostId, token, record.document.expiresAt);
  },
};

async function check(caFile?: string): Promise<ConformanceResult> {
  const target = parseNatsTarget(bench.servers.urls.join(','), caFile);
  const wire = createNatsAgentWire({ ...target, clock: systemClock });
  try {
    return await checkOrchestrator({
      wire,
      operator,
      tokens: [],
      only: PLAYED,
      timeoutSeconds: 40,
      clock: systemClock,
      ids: randomIds,
      signal: new AbortController().signal,
    });
  } finally {
    await wire.close();
  }
}

describe.skipIf(isMissing)('the kit over NATS and TLS', () => {
  beforeAll(async () => {
    bench = await createNatsBench({ makeTls });
    orchestrator = bench.startOrchestrator();
    const agent = await bench.agent('gw-1', await bench.credential(orchestrator, 'gw-1'), {
      caFile: certificate,
    });
    await eventually(() => agent.sessions.envelope());
  }, 60_000);

  afterAll(() => bench.close(), 30_000);

  it('plays its cases where servers are named by an address, and their authority is known', async () => {
    const { cases } = await check(certificate);
    const open = cases.filter(({ verdict }) => verdict !== 'passed');
    expect(open.map(({ id, faults, reason }) => [id, faults, reason])).toEqual([]);
    expect(cases.map(({ id }) => id)).toEqual(PLAYED);
  }, 60_000);

  it('says that an authority has to be given where it is not known', async () => {
    await expect(check()).rejects.toThrow(/cannot be reached.*give --ca-file/);
  });
});
