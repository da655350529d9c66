import { createHash, createPublicKey } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { CompactEncrypt, calculateJwkThumbprint, importJWK, jwtVerify, type JWK } from 'jose';
import type { components } from '../../api-specs/generated/mco.ts';
import { workloadId } from '../../vim-drivers/index.ts';
import { createDiagnosticsDouble, type DiagnosticsDouble } from './diagnostics-double.ts';
import { faultsOf, loadOperations, type Operation } from '../../conformance/index.ts';

type Schemas = components['schemas'];

/** What is to happen to one request instead of a plain answer. */
export type Misfortune =
  /** The connection is cut before anything happens. */
  | 'reset'
  /** The request takes effect, and the connection is cut before the answer. */
  | 'lose-answer'
  /** Never answered. */
  | 'hang'
  /** Answered with this instead. */
  | {
      readonly status: number;
      readonly body?: string | Buffer;
      readonly headers?: Record<string, string>;
      readonly takesEffect?: boolean;
    };

/** An orchestrator as far as an agent sees it. Every request is checked against the Mco document; `faults` must stay empty. */
export interface McoDouble {
  readonly url: string;
  readonly faults: readonly string[];
  /** The revisions that wanted states were asked for from, in order; undefined: the whole was asked for. */
  readonly wantedSince: readonly (number | undefined)[];
  /** operationId of every request that came, in order. */
  readonly calls: readonly string[];
  /** Every message that carried a number, in order. */
  readonly numbered: readonly { operationId: string; bootId: string; sequence: number }[];
  readonly facts: readonly Schemas['host-facts'][];
  /** Reports that were applied. */
  readonly reports: readonly Schemas['report'][];
  readonly measurements: readonly Schemas['measurement'][];
  readonly alarms: readonly Schemas['alarm'][];
  /** Sum of `dropped` of all batches. */
  readonly dropped: number;
  /** State of each instance, as the reports add up. */
  observed(): ReadonlyMap<string, Schemas['observed-workload']>;
  misfortune: (operationId: string, count: number) => Misfortune | undefined;
  /** What becomes of a wanted state on its way. */
  answerWanted: (wanted: Schemas['wanted']) => Schemas['wanted'];
  stateId: string;
  isStateConfirmed: boolean;
  heartbeatIntervalSeconds: number;
  leaseNumber: number;
  /** What wanted states carry; absent: the lease number and the newest revision. */
  fence?: Schemas['wanted']['fence'];
  /** The newest revision. */
  readonly revision: number;
  isEnrolled: boolean;
  readonly tokens: Set<string>;
  readonly artifacts: Map<string, Buffer>;
  readonly diagnostics: DiagnosticsDouble;
  assign(
    assignments: readonly Omit<Schemas['assignment'], 'generation'>[],
    jobs?: readonly Schemas['collection-job'][],
  ): void;
  /** Wants another version of the agent itself, or none. */
  orderUpgrade(order: Schemas['agent-upgrade'] | undefined): void;
  /** Calls back after every report that was applied; returns the end of it. */
  onReport(listener: () => void): () => void;
  /** Forgets its sessions, as a restart does. */
  forgetSessions(): void;
  disappear(): Promise<void>;
  /** Comes back under the same URL. */
  appear(): Promise<void>;
}

interface State {
  revision: number;
  assignments: readonly Schemas['assignment'][];
  jobs: readonly Schemas['collection-job'][];
  expected: Map<string, number>;
  isFullRequired: boolean;
  agentUpgrade?: Schemas['agent-upgrade'] | undefined;
}

interface Incoming {
  readonly request: IncomingMessage;
  readonly url: URL;
  readonly body: unknown;
  readonly groups: Readonly<Record<string, string>>;
  readonly sequence: number;
  readonly bootId: string;
}

interface Outgoing {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

const HEADERS = { 'mco-version': '1.0', 'mco-sp-id': '//iotmano.example' };

export async function startMcoDouble(): Promise<McoDouble> {
  const operations = loadOperations();
  const faults: string[] = [];
  const calls: string[] = [];
  const numbered: { operationId: string; bootId: string; sequence: number }[] = [];
  const counts = new Map<string, number>();
  const wantedSince: (number | undefined)[] = [];
  const facts: Schemas['host-facts'][] = [];
  const reports: Schemas['report'][] = [];
  const measurements: Schemas['measurement'][] = [];
  const alarms: Schemas['alarm'][] = [];
  const observed = new Map<string, Schemas['observed-workload']>();
  const sessions = new Set<string>();
  const listeners = new Set<() => void>();
  const nonces = new Set<string>();
  const state: State = { revision: 1, assignments: [], jobs: [], expected: new Map(), isFullRequired: true };
  let publicKey: Schemas['public-key'] | undefined;
  let sealingKey: JWK | undefined;
  let dropped = 0;
  let waiting: (() => void)[] = [];
  let serial = 0;

  const wake = (): void => {
    for (const each of waiting) each();
    waiting = [];
  };
  const diagnostics = createDiagnosticsDouble(() => {
    state.revision += 1;
    wake();
  });
  const problem = (status: number, detail: string, more: object = {}): Outgoing => ({
    status,
    body: { title: 'Refused', status, detail, ...more },
  });
  const receipt = (sequence: number): Outgoing => ({
    status: 200,
    body: { nextSequence: sequence + 1, ignored: 0 },
  });
  /** Applies once: a repeated number is answered only. */
  const inSequence = (operation: string, { bootId, sequence }: Incoming, apply: () => void): Outgoing => {
    const key = `${bootId}/${operation}`;
    const expected = state.expected.get(key) ?? 1;
    if (sequence >= expected) {
      apply();
      state.expected.set(key, sequence + 1);
    }
    return receipt(Math.max(sequence, (state.expected.get(key) ?? 1) - 1));
  };
  const wholeAnswer = async (isFull: boolean): Promise<Outgoing> => ({
    status: 200,
    headers: { 'mco-revision': String(state.revision) },
    body: double.answerWanted({
      revision: state.revision,
      full: isFull,
      fence: double.fence ?? { leaseNumber: double.leaseNumber, revision: state.revision },
      stateId: double.stateId,
      stateIdConfirmed: double.isStateConfirmed,
      heartbeatIntervalSeconds: double.heartbeatIntervalSeconds,
      leaseSeconds: double.heartbeatIntervalSeconds * 3,
      draining: false,
      assignments: await Promise.all(state.assignments.map((each) => sealed(each, sealingKey))),
      removed: [],
      collectionJobs: state.jobs,
      ...(state.agentUpgrade === undefined ? {} : { agentUpgrade: state.agentUpgrade }),
      diagnosticRequests: diagnostics.requests,
    }),
  });

  const handlers: Record<string, (incoming: Incoming) => Outgoing | Promise<Outgoing>> = {
    enrolHost: ({ body }) => {
      const request = body as Schemas['enrolment-request'];
      if (!double.tokens.has(request.token)) return problem(401, 'no such token');
      publicKey = request.publicKey;
      double.isEnrolled = true;
      return {
        status: 201,
        body: {
          hostId: request.hostId,
          stateId: double.stateId,
          m2mSpId: HEADERS['mco-sp-id'],
          mcoVersion: '1.0',
          roles: request.roles,
          tenants: [],
          keyThumbprint: 'a'.repeat(43),
          enrolledAt: new Date().toISOString(),
        } satisfies Schemas['enrolment'],
      };
    },
    createChallenge: () => {
      if (!double.isEnrolled) return problem(404, 'not enrolled');
      const nonce = `nonce-${(serial += 1)}-0123456789`;
      nonces.add(nonce);
      return { status: 201, body: { nonce, expiresInSeconds: 60 } };
    },
    openSession: async ({ body, groups }) => {
      const { proof, lastStateId } = body as Schemas['session-request'];
      const key = createPublicKey({ key: { ...publicKey }, format: 'jwk' });
      const { payload } = await jwtVerify(proof ?? '', key, { typ: 'mco-proof+jwt', algorithms: ['EdDSA'] });
      if (!nonces.delete(String(payload['nonce'])) || payload.sub !== groups['hostId'])
        return problem(401, 'proof');
      sealingKey = payload['sealingKey'] as JWK | undefined;
      const token = `token-${(serial += 1)}-${'x'.repeat(32)}`;
      sessions.add(token);
      return {
        status: 201,
        body: {
          token,
          expiresInSeconds: 3600,
          heartbeatIntervalSeconds: double.heartbeatIntervalSeconds,
          leaseSeconds: double.heartbeatIntervalSeconds * 3,
          serverTime: new Date().toISOString(),
          stateId: double.stateId,
          stateIdConfirmed: double.isStateConfirmed || lastStateId === double.stateId,
        } satisfies Schemas['session'],
      };
    },
    getWanted: async ({ url }) => {
      const since = url.searchParams.get('since');
      wantedSince.push(since === null ? undefined : Number(since));
      if (!double.isStateConfirmed) {
        await new Promise((resolve) => setTimeout(resolve, 50));
        return { status: 304, headers: { 'mco-revision': since ?? '0' } };
      }
      if (since === null) return wholeAnswer(true);
      if (Number(since) > state.revision) return problem(410, 'never had it');
      if (Number(since) === state.revision) {
        const wait = Math.min(Number(url.searchParams.get('wait')), double.heartbeatIntervalSeconds);
        await new Promise<void>((resolve) => {
          waiting.push(resolve);
          setTimeout(resolve, wait * 1000);
        });
      }
      if (Number(since) === state.revision)
        return { status: 304, headers: { 'mco-revision': String(state.revision) } };
      return wholeAnswer(true);
    },
    putFacts: (incoming) =>
      inSequence('facts', incoming, () => facts.push(incoming.body as Schemas['host-facts'])),
    postReport: (incoming) => {
      const { bootId, sequence, body } = incoming;
      const expected = state.expected.get(`${bootId}/reports`) ?? 1;
      const report = body as Schemas['report'];
      if (sequence > expected) return problem(409, 'gap', { expectedSequence: expected });
      const isNew = sequence === expected;
      if (isNew && !report.full && (expected === 1 || state.isFullRequired)) {
        return problem(409, 'full report first', { fullRequired: true, expectedSequence: expected });
      }
      return inSequence('reports', incoming, () => {
        reports.push(report);
        state.isFullRequired = false;
        if (report.full) observed.clear();
        for (const key of report.removed) observed.delete(workloadId(key as never));
        for (const each of report.workloads) observed.set(workloadId(each.key as never), each);
        for (const listener of listeners) listener();
      });
    },
    postMeasurements: (incoming) =>
      inSequence('measurements', incoming, () => {
        const batch = incoming.body as Schemas['measurement-batch'];
        measurements.push(...batch.points);
        dropped += batch.dropped ?? 0;
      }),
    postAlarms: (incoming) =>
      inSequence('alarms', incoming, () => alarms.push(...(incoming.body as Schemas['alarm-batch']).alarms)),
    postStream: ({ groups, body }) => {
      const taken = diagnostics.take(groups['streamId'] ?? '', body as Schemas['stream-chunk']);
      if (!('problem' in taken)) return { status: 200, body: taken };
      const { expectedSequence } = taken;
      const more = expectedSequence === undefined ? {} : { expectedSequence };
      return problem(taken.problem, 'the stream is over', more);
    },
    retrieveArtifact: ({ groups, request }) => {
      const content = double.artifacts.get(groups['digest'] ?? '');
      if (content === undefined) return problem(404, 'no such artifact');
      const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
      const headers = {
        etag: `"${groups['digest'] ?? ''}"`,
        'accept-ranges': 'bytes',
        'content-type': 'application/octet-stream',
      };
      if (request.headers.range === undefined) return { status: 200, headers, body: content };
      const range = { 'content-range': `bytes ${from}-${content.length - 1}/${content.length}` };
      return { status: 206, headers: { ...headers, ...range }, body: content.subarray(from) };
    },
    leave: () => {
      if (state.assignments.length > 0) {
        double.assign([]);
        return { status: 202, body: { hostId: 'gw-1', remainingAssignments: 1 } };
      }
      if (observed.size > 0)
        return { status: 202, body: { hostId: 'gw-1', remainingAssignments: observed.size } };
      double.isEnrolled = false;
      return { status: 204 };
    },
  };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '', 'http://double');
    const operation = operations.find(
      ({ method, pattern }) => method === request.method && pattern.test(url.pathname),
    );
    const raw = await readBody(request);
    if (operation === undefined) {
      faults.push(`no operation ${request.method ?? ''} ${url.pathname}`);
      send(response, problem(404, 'no such operation'));
      return;
    }
    const { operationId } = operation;
    calls.push(operationId);
    const sequence = request.headers['mco-sequence'];
    if (sequence !== undefined) {
      const bootId = String(request.headers['mco-boot-id']);
      numbered.push({ operationId, bootId, sequence: Number(sequence) });
    }
    const count = (counts.get(operationId) ?? 0) + 1;
    counts.set(operationId, count);
    const fate = double.misfortune(operationId, count);
    if (fate === 'reset') return void request.socket.destroy();
    if (fate === 'hang') return;
    if (typeof fate === 'object' && fate.takesEffect !== true) return sendRaw(response, fate);
    const body: unknown = raw.length === 0 ? undefined : JSON.parse(raw.toString('utf8'));
    faults.push(...faultsOf(operation, request, url, body).map((fault) => `${operationId}: ${fault}`));
    const outgoing = await handle(operation, request, url, body);
    if (fate === 'lose-answer') return void request.socket.destroy();
    if (typeof fate === 'object') return sendRaw(response, fate);
    checkAnswer(operation, outgoing, faults);
    send(response, outgoing);
  }

  async function handle(
    operation: Operation,
    request: IncomingMessage,
    url: URL,
    body: unknown,
  ): Promise<Outgoing> {
    const isOpen = ['enrolHost', 'createChallenge', 'openSession'].includes(operation.operationId);
    const token = request.headers.authorization?.replace('Bearer ', '') ?? '';
    if (!isOpen && (!sessions.has(token) || !double.isEnrolled)) return problem(401, 'no session');
    const handler = handlers[operation.operationId];
    if (handler === undefined) return problem(500, 'not made yet');
    return handler({
      request,
      url,
      body,
      groups: operation.pattern.exec(url.pathname)?.groups ?? {},
      sequence: Number(request.headers['mco-sequence'] ?? 0),
      bootId: String(request.headers['mco-boot-id']),
    });
  }

  const listen = (): ReturnType<typeof createServer> =>
    createServer((request, response) => {
      answer(request, response).catch((error: unknown) => {
        faults.push(`the double failed: ${String(error)}`);
        request.socket.destroy();
      });
    });
  let server = listen();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;

  const double: McoDouble = {
    url: `http://127.0.0.1:${port}`,
    faults,
    calls,
    numbered,
    wantedSince,
    get revision() {
      return state.revision;
    },
    facts,
    reports,
    measurements,
    alarms,
    get dropped() {
      return dropped;
    },
    observed: () => observed,
    misfortune: () => undefined,
    answerWanted: (wanted) => wanted,
    stateId: 'state-1',
    isStateConfirmed: true,
    heartbeatIntervalSeconds: 0.5,
    leaseNumber: 1,
    isEnrolled: false,
    tokens: new Set(['one-time-token-0001']),
    artifacts: new Map(),
    diagnostics,
    assign(assignments, jobs = state.jobs) {
      state.revision += 1;
      state.assignments = assignments.map((each) => ({ ...each, generation: state.revision }));
      state.jobs = jobs;
      wake();
    },
    orderUpgrade(order) {
      state.revision += 1;
      state.agentUpgrade = order;
      wake();
    },
    onReport: (listener) => {
      const own = (): void => listener();
      listeners.add(own);
      return () => listeners.delete(own);
    },
    forgetSessions: () => {
      sessions.clear();
      state.isFullRequired = true;
    },
    disappear: () =>
      new Promise((resolve) => {
        wake();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
    appear: async () => {
      server = listen();
      await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    },
  };
  return double;
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  const raw = Buffer.concat(chunks);
  return request.headers['content-encoding'] === 'gzip' ? gunzipSync(raw) : raw;
}

function checkAnswer(operation: Operation, { status, body }: Outgoing, faults: string[]): void {
  const check = operation.answers[String(status)];
  if (check === undefined || Buffer.isBuffer(body) || check(body)) return;
  faults.push(
    `the double itself answered ${operation.operationId} wrongly: ${JSON.stringify(check.errors?.slice(0, 2))}`,
  );
}

function send(response: ServerResponse, { status, body, headers }: Outgoing): void {
  if (response.destroyed) return;
  const type = status >= 400 ? 'application/problem+json' : 'application/json';
  response.writeHead(status, { ...HEADERS, 'content-type': type, ...headers });
  response.end(Buffer.isBuffer(body) || body === undefined ? body : JSON.stringify(body));
}

function sendRaw(response: ServerResponse, { status, body, headers }: Exclude<Misfortune, string>): void {
  response.writeHead(status, { ...HEADERS, 'content-type': 'application/json', ...headers });
  response.end(body ?? '');
}

export function digestOf(content: Buffer): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`;
}

/** As the documents say it, told once more: with the key of the last proof, everything that may be secret apart. */
async function sealed(
  assignment: Schemas['assignment'],
  key: JWK | undefined,
): Promise<Schemas['assignment']> {
  const { workload } = assignment;
  const { config, requires } = workload.bindings;
  const seeds: Record<string, string> = {};
  for (const [name, { credential }] of Object.entries(requires))
    if (credential?.seed !== undefined) seeds[name] = credential.seed;
  if (key === undefined || (Object.keys(config).length === 0 && Object.keys(seeds).length === 0))
    return assignment;
  const values: Schemas['sealed-values'] = { hostId: 'gw-1', workload: workload.key, config, seeds };
  const open = structuredClone(workload.bindings) as { config: object; requires: typeof requires };
  open.config = {};
  for (const { credential } of Object.values(open.requires))
    if (credential !== undefined) delete (credential as { seed?: string }).seed;
  const jwe = await new CompactEncrypt(Buffer.from(JSON.stringify(values)))
    .setProtectedHeader({ alg: 'ECDH-ES', enc: 'A256GCM', kid: await calculateJwkThumbprint(key) })
    .encrypt(await importJWK(key, 'ECDH-ES'));
  return {
    ...assignment,
    workload: { ...workload, bindings: { ...workload.bindings, ...open } as typeof workload.bindings },
    sealed: jwe,
  };
}
