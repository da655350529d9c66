/** The kit over NATS against the orchestrator's side of this project, over a real server, and against broken ones. */
import { createHash } from 'node:crypto';
import { connect, jwtAuthenticator, type NatsConnection } from '@nats-io/transport-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SYSTEM_TENANT, parseId, randomIds, systemClock, type HostId } from '../kernel/index.ts';
import type { AssignmentDocument } from '../orchestrator/domain/index.ts';
import type { Write } from '../orchestrator/store/index.ts';
import { enrolmentCredential } from '../orchestrator/mco/nats/index.ts';
import { assignmentOf, keyOf, unassign } from '../orchestrator/mco/testkit/assignments.ts';
import {
  CONTENT,
  createNatsBench,
  eventually,
  type NatsBench,
  type NatsOrchestrator,
} from '../test/kit/nats-bench.ts';
import {
  BROKEN_OVER_NATS,
  meddledWire,
  type AnswerMeddle,
  type BrokenOverNats,
} from './testkit/broken-nats-orchestrators.ts';
import {
  DIAGNOSING,
  createDiagnosingOperator,
  type DiagnosingOperator,
} from './testkit/diagnosing-operator.ts';
import { idsWith } from './testkit/ids-with.ts';
import { UPGRADING, createUpgradingOperator, type UpgradingOperator } from './testkit/upgrading-operator.ts';
import { startTestApi, type TestApi } from '../test/kit/api-server.ts';
import { orchestratorUser } from '../orchestrator/mco/nats/claims.ts';
import { isServiceMissing } from '../test/kit/services.ts';
import {
  NO_OPERATOR,
  ORCHESTRATOR_CASES,
  checkOrchestrator,
  createNatsAgentWire,
  type ConformanceResult,
  type Operator,
} from './index.ts';

let bench: NatsBench;
let orchestrator: NatsOrchestrator;
/** Where operators look into functions: of the orchestrator that runs now. */
let api: TestApi;
let diagnosing: DiagnosingOperator;
let upgrading: UpgradingOperator | undefined;

const CAN: ReadonlySet<string> = new Set([
  'token',
  'assign',
  'assign-large',
  'unassign',
  'revoke',
  'settle',
  'confirm',
  'forget',
  'measurement',
  'restart',
  ...DIAGNOSING,
  ...UPGRADING,
]);

/** Some assignments of much configuration each. */
const LARGE_COUNT = 20;
const PADDING = 'x'.repeat(100_000);

function recordOf(hostId: HostId) {
  const record = bench.store.get('host', hostId);
  if (record === undefined) throw new RangeError(`there is no host ${hostId}`);
  return record;
}

/** With the one file that the bench has. */
function assignedFile(hostId: HostId, number = 1, config: object = {}): Write {
  const write = assignmentOf(hostId, keyOf(number));
  const { document } = write as typeof write & { document: AssignmentDocument };
  const { artifact, ...spec } = document.workload.spec;
  const digest = `sha256:${createHash('sha256').update(CONTENT).digest('hex')}`;
  const files = { digest, sizeBytes: CONTENT.length };
  const bindings = { ...document.workload.bindings, config };
  const workload = { ...document.workload, bindings, spec: { ...spec, artifact: { ...artifact, files } } };
  return { ...write, document: { ...document, workload } } as Write;
}

async function start(): Promise<void> {
  orchestrator = bench.startOrchestrator();
  api = await startTestApi({ store: bench.store, routes: () => orchestrator.diagnostics.routes });
  await isServing();
}

/** Whether the orchestrator answers over NATS. */
async function isServing(): Promise<void> {
  const name = `probe-${randomIds.uuid().slice(0, 8)}`;
  const agent = await bench.agent(name, await bench.credential(orchestrator, name));
  await eventually(() => agent.sessions.envelope());
}

/** Does what an operator does, in the process of the orchestrator. */
const operator: Operator = {
  can: (action) => CAN.has(action),
  issuesTokens: () => true,
  do: async (action, ...args) => {
    const [name = '', more = ''] = args;
    const done = diagnosing(action, args) ?? upgrading?.do(action, args);
    if (done !== undefined) return done;
    const hostId = parseId<HostId>(name === '-' ? 'any' : name || 'none', 'hostId');
    switch (action) {
      case 'token': {
        const { record, token } = orchestrator.inventory.tokens.create({
          hostId,
          validSeconds: Number(more),
        });
        return enrolmentCredential(bench.keys, hostId, token, record.document.expiresAt);
      }
      case 'assign':
        await bench.store.commit([assignedFile(hostId)]).durable;
        return '';
      case 'assign-large': {
        const all = Array.from({ length: LARGE_COUNT }, (_, index) =>
          assignedFile(hostId, index, { padding: PADDING }),
        );
        await bench.store.commit(all).durable;
        return '';
      }
      case 'unassign': {
        const own = [...bench.store.listByPrefix('assignment', `${hostId}.`)];
        for (const { document } of own) await unassign(bench.store, hostId, document.workload.key);
        return '';
      }
      case 'revoke':
        orchestrator.inventory.modify(recordOf(hostId), { revoked: true });
        return '';
      case 'settle':
        orchestrator.inventory.modify(recordOf(hostId), { disputed: false });
        return '';
      case 'confirm':
        orchestrator.inventory.modify(recordOf(hostId), { stateConfirmed: true });
        return '';
      case 'forget':
        orchestrator.inventory.forget(recordOf(hostId));
        return '';
      case 'measurement': {
        const range = { from: 0, to: Date.now() + 60_000, isLatestOnly: true };
        const query = { hostId, metric: more, ...range };
        return JSON.stringify(orchestrator.monitoring.queryMeasurements(SYSTEM_TENANT, query));
      }
      case 'restart':
        await orchestrator.stop();
        await api.close();
        await start();
        return '';
      default:
        return NO_OPERATOR.do(action);
    }
  },
};

const OBLIGING_MILLISECONDS = 60_000;

/** Answers whatever comes to wherever it says, as the orchestrator. */
async function answerEverywhere(): Promise<NatsConnection> {
  const { jwt, seed } = await orchestratorUser(bench.keys);
  const connection = await connect({
    servers: [...bench.servers.urls],
    authenticator: jwtAuthenticator(jwt, seed),
    timeout: OBLIGING_MILLISECONDS,
  });
  connection.subscribe('mco.v1.*.challenge', {
    callback: (_, message) => void (message.reply !== undefined && connection.publish(message.reply, '{}')),
  });
  await connection.flush();
  return connection;
}

async function checkBroken({
  requirement,
  make,
  ignores,
  isObliging = false,
}: BrokenOverNats): Promise<ConformanceResult> {
  const own = ORCHESTRATOR_CASES.filter(
    ({ requirements, bindings }) => requirements.includes(requirement) && bindings?.includes('nats') === true,
  );
  const obliging = isObliging ? await answerEverywhere() : undefined;
  try {
    return await check(
      own.map(({ id }) => id),
      make(),
      {
        ...operator,
        do: async (action, ...args) => (action === ignores ? '' : operator.do(action, ...args)),
      },
    );
  } finally {
    await obliging?.close();
  }
}

async function check(
  only: readonly string[] | undefined,
  meddle: AnswerMeddle,
  operatorOf: Operator,
): Promise<ConformanceResult> {
  const servers = bench.servers.urls.map((url) => new URL(url).host);
  const wire = meddledWire(createNatsAgentWire({ servers, clock: systemClock }), meddle, bench.keys);
  try {
    return await checkOrchestrator({
      wire,
      operator: operatorOf,
      tokens: [],
      only,
      timeoutSeconds: 40,
      clock: systemClock,
      ids: randomIds,
      signal: new AbortController().signal,
    });
  } finally {
    await wire.close();
  }
}

describe.skipIf(isServiceMissing('nats-server'))('the kit over NATS', () => {
  beforeAll(async () => {
    bench = await createNatsBench({
      openArtifact: (digest) =>
        upgrading?.isProgram(digest) === true ? upgrading.artifacts.openArtifact(digest) : undefined,
    });
    upgrading = await createUpgradingOperator(bench.store);
    diagnosing = createDiagnosingOperator({
      url: () => api.url,
      store: bench.store,
      tokenFor: (role, tenant) => api.tokenFor(role, tenant),
    });
    await start();
    upgrading.begin({ hasLease: (hostId) => orchestrator.inventory.hasLease(hostId) });
  }, 60_000);

  afterAll(async () => {
    await upgrading?.close();
    await api.close();
    await bench.close();
  }, 30_000);

  it('finds that the orchestrator passes every case that it can be played', async () => {
    const result = await check(undefined, {}, operator);
    expect(result.binding).toBe('nats');
    const failed = result.cases.filter(({ verdict }) => verdict === 'failed');
    expect(failed.map(({ id, faults }) => [id, faults])).toEqual([]);
    const open = result.cases
      .filter(({ verdict }) => verdict === 'not-applicable')
      .map(({ id, reason }) => [id, reason]);
    const others = ORCHESTRATOR_CASES.filter(({ bindings }) => bindings?.includes('nats') === false);
    const needs = ['new-store-has-a-new-state', 'renewals-keep-a-host-ready', 'secret-values-come-sealed'];
    expect(new Set(open.map(([id]) => id))).toEqual(new Set([...others.map(({ id }) => id), ...needs]));
  }, 170_000);

  it.each(BROKEN_OVER_NATS)(
    'finds an orchestrator that $does ($requirement)',
    async (broken) => {
      expect(idsWith('failed', await checkBroken(broken))).toEqual([broken.requirement]);
    },
    60_000,
  );
});
