import type { IdSource } from '../../kernel/index.ts';
import type { components } from '../../api-specs/generated/mco.ts';
import type { PlayedStream } from './played-streams.ts';

export type Schemas = components['schemas'];
export type WorkloadKey = Schemas['workload-key'];
export type AssignmentWish = Omit<Schemas['assignment'], 'generation'>;

/** What the played orchestrator knows and wants: changed by cases, told to the agent. */
export interface Ledger {
  readonly token: string;
  stateId: string;
  isStateConfirmed: boolean;
  leaseNumber: number;
  heartbeatIntervalSeconds: number;
  readonly leaseSeconds: number;
  revision: number;
  assignments: readonly Schemas['assignment'][];
  removed: readonly { readonly key: WorkloadKey; readonly revision: number }[];
  jobs: readonly Schemas['collection-job'][];
  /** The order to exchange the agent's own program, if there is one. */
  agentUpgrade: Schemas['agent-upgrade'] | undefined;
  /** Diagnostic requests that stand: as the schema has them, or what an agent cannot read. */
  requests: readonly object[];
  /** What came of those that were asked for, by stream. */
  readonly streams: Map<string, PlayedStream>;
  /** Files by digest. */
  readonly files: Map<string, Buffer>;
  /** Absent: no host is enrolled. */
  host: { readonly hostId: string; readonly publicKey: Schemas['public-key'] } | undefined;
  /** What secret values are sealed to: as the newest session has told it. */
  sealingKey: Schemas['sealing-key'] | undefined;
  readonly nonces: Set<string>;
  /** Token of each open session, with its boot. */
  readonly sessions: Map<string, string>;
  /** Tokens of sessions that a certificate has opened: good on connections that show one. */
  readonly bound: Set<string>;
  /** Life of the certificates that are issued now. */
  certificateSeconds: number;
  /** Certificates that were issued, in order. */
  readonly issued: Schemas['host-certificate'][];
  /** Numbers that are expected next, by boot and operation. */
  readonly expected: Map<string, number>;
  isFullRequired: boolean;
  /** As the reports add up, by `idOf`. */
  readonly observed: Map<string, Schemas['observed-workload']>;
  readonly ids: IdSource;
}

const HEARTBEAT_SECONDS = 1;
/** No run lasts as long. */
export const CERTIFICATE_SECONDS = 24 * 3600;
/** Long enough for a machine that is busy. */
const LEASE_SECONDS = 2;

export function createLedger(ids: IdSource): Ledger {
  return {
    token: `${ids.uuid()}.${ids.uuid()}`,
    stateId: ids.uuid(),
    isStateConfirmed: true,
    leaseNumber: 10,
    heartbeatIntervalSeconds: HEARTBEAT_SECONDS,
    leaseSeconds: LEASE_SECONDS,
    revision: 100,
    assignments: [],
    removed: [],
    jobs: [],
    agentUpgrade: undefined,
    requests: [],
    streams: new Map(),
    files: new Map(),
    host: undefined,
    sealingKey: undefined,
    nonces: new Set(),
    sessions: new Map(),
    bound: new Set(),
    certificateSeconds: CERTIFICATE_SECONDS,
    issued: [],
    expected: new Map(),
    isFullRequired: true,
    observed: new Map(),
    ids,
  };
}

export function idOf({ tenant, vnfInstanceId, unit, generation }: WorkloadKey): string {
  return `${tenant}/${vnfInstanceId}/${unit}/${generation}`;
}

/** Wants exactly these from now on, at the next revision; what is as it was keeps its generation. */
export function assign(ledger: Ledger, wishes: readonly AssignmentWish[]): void {
  ledger.revision += 1;
  const before = new Map(ledger.assignments.map((each) => [idOf(each.workload.key), each]));
  const next = wishes.map((wish) => {
    const known = before.get(idOf(wish.workload.key));
    const isSame = known !== undefined && JSON.stringify(known.workload) === JSON.stringify(wish.workload);
    return isSame ? known : { ...wish, generation: ledger.revision };
  });
  const wanted = new Set(next.map(({ workload }) => idOf(workload.key)));
  ledger.removed = [
    ...ledger.removed.filter(({ key }) => !wanted.has(idOf(key))),
    ...ledger.assignments
      .filter(({ workload }) => !wanted.has(idOf(workload.key)))
      .map(({ workload }) => ({ key: workload.key, revision: ledger.revision })),
  ];
  ledger.assignments = next;
}

/** The wanted state for who has `since`; the whole without it. */
export function wantedSince(ledger: Ledger, since: number | undefined): Schemas['wanted'] {
  const { revision, leaseNumber, assignments, removed } = ledger;
  const from = since ?? -1;
  return {
    revision,
    full: since === undefined,
    fence: { leaseNumber, revision },
    stateId: ledger.stateId,
    stateIdConfirmed: ledger.isStateConfirmed,
    heartbeatIntervalSeconds: ledger.heartbeatIntervalSeconds,
    leaseSeconds: ledger.leaseSeconds,
    draining: false,
    assignments: assignments.filter(({ generation }) => generation > from),
    removed: since === undefined ? [] : removed.filter((each) => each.revision > from).map(({ key }) => key),
    collectionJobs: [...ledger.jobs],
    ...(ledger.agentUpgrade === undefined ? {} : { agentUpgrade: ledger.agentUpgrade }),
    // What an agent has to leave alone is among them.
    diagnosticRequests: [...ledger.requests] as Schemas['diagnostic-request'][],
  };
}

/** Takes a report over: what the host runs, as it says. */
export function takeReport(ledger: Ledger, report: Schemas['report']): void {
  if (report.full) ledger.observed.clear();
  for (const key of report.removed) ledger.observed.delete(idOf(key));
  for (const each of report.workloads) ledger.observed.set(idOf(each.key), each);
}
