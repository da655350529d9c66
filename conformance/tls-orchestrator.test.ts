/** The kit over TLS against the orchestrator's side of this project, with certificates of hosts, and against broken ones. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseId, randomIds, systemClock, type HostId } from '../kernel/index.ts';
import { startMcoBench, type McoBench } from '../orchestrator/mco/testkit/mco-bench.ts';
import { initPki } from '../pki/index.ts';
import {
  NO_OPERATOR,
  ORCHESTRATOR_CASES,
  checkOrchestrator,
  createHttpAgentWire,
  type AgentWire,
  type ConformanceResult,
  type Operator,
} from './index.ts';
import { BROKEN_OVER_TLS, withoutAuthority } from './testkit/broken-tls-orchestrators.ts';
import { idsWith } from './testkit/ids-with.ts';

const CERTIFICATES = ['MCO-C-060', 'MCO-C-062', 'MCO-C-063', 'MCO-C-064'];
const CASES = ORCHESTRATOR_CASES.filter(({ requirements }) =>
  requirements.some((each) => CERTIFICATES.includes(each)),
);

let directory: string;
let bench: McoBench;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'kit-tls-'));
  await initPki(directory, ['127.0.0.1'], { now: () => systemClock.now(), random: randomBytes });
  bench = await startMcoBench({ pki: directory });
});

afterAll(async () => {
  await bench.close();
  rmSync(directory, { recursive: true, force: true });
});

/** In the process of the orchestrator. */
const operator: Operator = {
  can: (action) => action === 'token' || action === 'revoke',
  issuesTokens: () => true,
  do: async (action, name = '-', seconds = '') => {
    const named = name === '-' ? {} : { hostId: parseId<HostId>(name, 'hostId') };
    switch (action) {
      case 'token':
        return bench.inventory.tokens.create({ ...named, validSeconds: Number(seconds) }).token;
      case 'revoke': {
        const record = bench.store.get('host', name);
        if (record === undefined) throw new RangeError(`there is no host ${name}`);
        bench.inventory.modify(record, { revoked: true });
        return '';
      }
      default:
        return NO_OPERATOR.do(action);
    }
  },
};

async function check(
  only: readonly string[],
  change: (wire: AgentWire) => AgentWire = (wire) => wire,
): Promise<ConformanceResult> {
  const caFile = join(directory, 'ca.crt');
  const wire = change(createHttpAgentWire({ target: new URL(bench.url), caFile, clock: systemClock }));
  return checkOrchestrator({
    wire,
    operator,
    tokens: [],
    only,
    timeoutSeconds: 30,
    clock: systemClock,
    ids: randomIds,
    signal: new AbortController().signal,
  });
}

describe('the kit over TLS', () => {
  it('finds nothing wrong with an orchestrator that issues certificates', async () => {
    const result = await check(CASES.map(({ id }) => id));
    const open = result.cases.filter(({ verdict }) => verdict !== 'passed');
    expect(open.map(({ id, faults, reason }) => [id, faults, reason])).toEqual([]);
    expect(idsWith('passed', result)).toEqual(CERTIFICATES);
  });

  it('says of an orchestrator that issues none that nothing of certificates is applicable, and why', async () => {
    const result = await check(CERTIFICATES, withoutAuthority());
    expect(idsWith('not applicable', result)).toEqual(CERTIFICATES);
    for (const { reason } of result.cases) expect(reason).toContain('give it an authority for hosts');
  });

  it('says over HTTP without TLS that nothing of certificates is applicable, and why', async () => {
    const result = await check(CERTIFICATES, ({ tls: _tls, ...wire }) => wire);
    expect(idsWith('not applicable', result)).toEqual(CERTIFICATES);
    for (const { reason } of result.cases) expect(reason).toMatch(/needs TLS.*--target https.*--ca-file/);
  });

  it.concurrent.each(BROKEN_OVER_TLS)(
    'finds an orchestrator that $does ($requirement)',
    async ({ requirement, make }) => {
      expect(idsWith('failed', await check([requirement], make()))).toEqual([requirement]);
    },
  );
});
