/** The kit against orchestrators that are right but for one behaviour each: it has to name the requirement that is broken, and no other. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { randomIds, systemClock, type HostId } from '../kernel/index.ts';
import type { AssignmentDocument } from '../orchestrator/domain/index.ts';
import { assignmentOf, keyOf, unassign } from '../orchestrator/mco/testkit/assignments.ts';
import { silentMonitoring, startMcoBench, type McoBench } from '../orchestrator/mco/testkit/mco-bench.ts';
import {
  checkOrchestrator,
  createHttpAgentWire,
  NO_OPERATOR,
  type ConformanceResult,
  type Operator,
} from './index.ts';
import { BROKEN_ORCHESTRATORS } from './testkit/broken-orchestrators.ts';
import { startMeddlingProxy, type Meddle } from './testkit/meddling-proxy.ts';

let bench: McoBench;

beforeAll(async () => {
  bench = await startMcoBench({
    monitoring: {
      ...silentMonitoring,
      ingestMeasurements: (_hostId, { sequence }, { points }) => ({
        nextSequence: sequence + 1,
        ignored: points.filter(({ subject }) => subject !== undefined).length,
      }),
    },
  });
});

afterAll(() => bench.close());

const CAN: ReadonlySet<string> = new Set([
  'token',
  'settle',
  'confirm',
  'forget',
  'assign-secret',
  'unassign',
]);

/** Does what an operator does, over the API. */
const operator: Operator = {
  can: (action) => CAN.has(action),
  issuesTokens: () => true,
  do: async (action, hostId = '', seconds = '') => {
    const path = `/iotmano/v1/hosts/${hostId}`;
    switch (action) {
      case 'token': {
        const request = { ...(hostId === '-' ? {} : { hostId }), validSeconds: Number(seconds) };
        const { body } = await bench.admin.post<{ token: string }>('/iotmano/v1/enrolment_tokens', request);
        return body.token;
      }
      case 'settle':
      case 'confirm':
        await bench.admin.patch(path, action === 'settle' ? { disputed: false } : { stateConfirmed: true });
        return '';
      case 'assign-secret':
        await assignSecret(hostId as HostId, seconds);
        return '';
      case 'unassign':
        await unassign(bench.store, hostId as HostId, keyOf(1));
        return '';
      case 'forget':
        await bench.admin.delete(path);
        return '';
      default:
        return NO_OPERATOR.do(action);
    }
  },
};

async function assignSecret(hostId: HostId, password: string): Promise<void> {
  const write = assignmentOf(hostId, keyOf(1));
  const document = 'document' in write ? (write.document as AssignmentDocument) : undefined;
  if (document === undefined) throw new RangeError('an assignment without a document');
  const bindings = { ...document.workload.bindings, config: { password } };
  const workload = { ...document.workload, bindings };
  await bench.store.commit([{ ...write, document: { ...document, workload } } as typeof write]).durable;
}

async function check(meddle: Meddle, only?: readonly string[]): Promise<ConformanceResult> {
  const proxy = await startMeddlingProxy(bench.url, meddle);
  try {
    return await checkOrchestrator({
      wire: createHttpAgentWire({ target: new URL(proxy.url), clock: systemClock }),
      operator,
      tokens: [],
      only,
      timeoutSeconds: 30,
      clock: systemClock,
      ids: randomIds,
      signal: new AbortController().signal,
    });
  } finally {
    await proxy.close();
  }
}

function failedOf({ requirements }: ConformanceResult): readonly string[] {
  return requirements.filter(({ verdict }) => verdict === 'failed').map(({ id }) => id);
}

/** What takes seconds by nature is played against the real process. */
const QUICK = [...new Set(BROKEN_ORCHESTRATORS.map(({ requirement }) => requirement))];

describe('the kit', () => {
  it('finds nothing wrong through a proxy that meddles with nothing', async () => {
    const result = await check((_, forward) => forward(), QUICK);
    expect(
      result.cases.flatMap(({ id, faults }) => faults.map(({ message }) => `${id}: ${message}`)),
    ).toEqual([]);
  });

  it.concurrent.each(BROKEN_ORCHESTRATORS)(
    'finds an orchestrator that $does ($requirement)',
    async ({ requirement, make }) => {
      const result = await check(make(), [requirement]);
      expect(failedOf(result)).toEqual([requirement]);
    },
  );

  it.each(['MCO-M-002'])(
    'finds what is broken, and nothing else, among all cases: %s',
    async (requirement) => {
      const broken = BROKEN_ORCHESTRATORS.find((each) => each.requirement === requirement);
      expect(failedOf(await check(broken?.make() ?? ((_, forward) => forward()), QUICK))).toEqual([
        requirement,
      ]);
    },
  );
});
