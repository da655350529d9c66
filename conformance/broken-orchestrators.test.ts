/** The kit against orchestrators that are right but for one behaviour each: it has to name the requirement that is broken, and no other. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { randomIds, systemClock, type HostId } from '../kernel/index.ts';
import type { AssignmentDocument } from '../orchestrator/domain/index.ts';
import { assignmentOf, keyOf, unassign } from '../orchestrator/mco/testkit/assignments.ts';
import { createMemoryStore } from '../orchestrator/store/index.ts';
import { silentMonitoring, startMcoBench, type McoBench } from '../orchestrator/mco/testkit/mco-bench.ts';
import {
  checkOrchestrator,
  createHttpAgentWire,
  NO_OPERATOR,
  type ConformanceResult,
  type Operator,
} from './index.ts';
import { BROKEN_DIAGNOSING_ORCHESTRATORS } from './testkit/broken-diagnosing-orchestrators.ts';
import { BROKEN_ORCHESTRATORS, type Broken } from './testkit/broken-orchestrators.ts';
import { BROKEN_UPGRADING_ORCHESTRATORS } from './testkit/broken-upgrading-orchestrators.ts';
import { UPGRADING, createUpgradingOperator, type UpgradingOperator } from './testkit/upgrading-operator.ts';
import {
  DIAGNOSING,
  createDiagnosingOperator,
  type DiagnosingOperator,
} from './testkit/diagnosing-operator.ts';
import { idsWith } from './testkit/ids-with.ts';
import { startMeddlingProxy, type Meddle } from './testkit/meddling-proxy.ts';

let bench: McoBench;
let diagnosing: DiagnosingOperator;
let upgrading: UpgradingOperator;

beforeAll(async () => {
  const held = createMemoryStore();
  upgrading = await createUpgradingOperator(held);
  bench = await startMcoBench({
    store: held,
    artifacts: upgrading.artifacts,
    monitoring: {
      ...silentMonitoring,
      ingestMeasurements: (_hostId, { sequence }, { points }) => ({
        nextSequence: sequence + 1,
        ignored: points.filter(({ subject }) => subject !== undefined).length,
      }),
    },
  });
  const { store, tokenFor } = bench;
  upgrading.begin(bench.inventory);
  diagnosing = createDiagnosingOperator({ url: () => bench.url, store, tokenFor });
});

afterAll(async () => {
  await upgrading.close();
  await bench.close();
});

const CAN: ReadonlySet<string> = new Set([
  'token',
  'settle',
  'confirm',
  'forget',
  'assign-secret',
  'unassign',
]);

/** What is assigned here has no file and is not measured: it is there to be looked into. */
const CAN_BESIDES: ReadonlySet<string> = new Set(['assign', ...DIAGNOSING]);
/** Nothing is kept on a disk here, so that a restart changes nothing. */
const CAN_UPGRADE: ReadonlySet<string> = new Set([...UPGRADING, 'restart']);
const OF_UPGRADES: ReadonlySet<string> = new Set(
  BROKEN_UPGRADING_ORCHESTRATORS.map(({ requirement }) => requirement),
);

/** Does what an operator does, over the API. */
const operator: Operator = {
  can: (action) => CAN.has(action),
  issuesTokens: () => true,
  do: async (action, ...args) => {
    const [hostId = '', seconds = ''] = args;
    const done = diagnosing(action, args) ?? upgrading.do(action, args);
    if (done !== undefined) return done;
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
      case 'assign':
        await bench.store.commit([assignmentOf(hostId as HostId, keyOf(1))]).durable;
        return '';
      case 'assign-secret':
        await assignSecret(hostId as HostId, seconds);
        return '';
      case 'unassign':
        await unassign(bench.store, hostId as HostId, keyOf(1));
        return '';
      case 'restart':
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

async function check(
  meddle: Meddle,
  only?: readonly string[],
  ignores?: Broken['ignores'],
): Promise<ConformanceResult> {
  const proxy = await startMeddlingProxy(bench.url, meddle);
  const isOfUpgrades = only?.every((id) => OF_UPGRADES.has(id)) === true;
  const isOfDiagnostics = only?.every((id) => id.startsWith('MCO-D-')) === true;
  try {
    return await checkOrchestrator({
      wire: createHttpAgentWire({ target: new URL(proxy.url), clock: systemClock }),
      operator: {
        ...operator,
        can: (action) =>
          CAN.has(action) ||
          (isOfDiagnostics && CAN_BESIDES.has(action)) ||
          (isOfUpgrades && CAN_UPGRADE.has(action)),
        do: async (action, ...args) => (action === ignores ? '' : operator.do(action, ...args)),
      },
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

const ALL = [...BROKEN_ORCHESTRATORS, ...BROKEN_DIAGNOSING_ORCHESTRATORS];
/** What takes seconds by nature is played against the real process. */
const QUICK = [...new Set(BROKEN_ORCHESTRATORS.map(({ requirement }) => requirement))];

describe('the kit', () => {
  it('finds nothing wrong through a proxy that meddles with nothing', async () => {
    const result = await check((_, forward) => forward(), QUICK);
    expect(
      result.cases.flatMap(({ id, faults }) => faults.map(({ message }) => `${id}: ${message}`)),
    ).toEqual([]);
  });

  it.concurrent.each(ALL)(
    'finds an orchestrator that $does ($requirement)',
    async ({ requirement, make, ignores }) => {
      const result = await check(make(), [requirement], ignores);
      expect(idsWith('failed', result)).toEqual([requirement]);
    },
  );

  // There is one upgrade of agents at a time.
  it.each(BROKEN_UPGRADING_ORCHESTRATORS)(
    'finds an orchestrator that $does ($requirement)',
    async ({ requirement, make }) => {
      expect(idsWith('failed', await check(make(), [requirement]))).toEqual([requirement]);
    },
    100_000,
  );

  it.each(['MCO-M-002'])(
    'finds what is broken, and nothing else, among all cases: %s',
    async (requirement) => {
      const broken = BROKEN_ORCHESTRATORS.find((each) => each.requirement === requirement);
      expect(idsWith('failed', await check(broken?.make() ?? ((_, forward) => forward()), QUICK))).toEqual([
        requirement,
      ]);
    },
  );
});
