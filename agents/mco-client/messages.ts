import { parseId, type StateId } from '../../kernel/index.ts';
import {
  anyObject,
  boolean,
  integer,
  list,
  map,
  number,
  object,
  oneOf,
  text,
  type Shape,
  type Shaped,
} from './shape.ts';
import { digest, workload, workloadKey } from './workload-shape.ts';

const stateId: Shape<StateId> = (value, at) => parseId<StateId>(value, at);

export const challenge = object({ nonce: text(/^[A-Za-z0-9_-]{16,200}$/) });

export const hostCertificate = object({
  certificate: text(/^-----BEGIN CERTIFICATE-----/),
  notBefore: text(),
  notAfter: text(),
});

export const session = object(
  {
    token: text(/^[A-Za-z0-9._-]{1,200}$/),
    expiresInSeconds: integer(1),
    heartbeatIntervalSeconds: number(0.01),
    leaseSeconds: number(0.01),
    stateId,
    stateIdConfirmed: boolean,
    serverTime: text(),
  },
  { clockOffsetMilliseconds: integer(-Number.MAX_SAFE_INTEGER), certificate: hostCertificate },
);
export type Session = Shaped<typeof session>;

export const enrolment = object(
  {
    hostId: text(/^[a-z0-9-]{1,40}$/),
    stateId,
    m2mSpId: text(/^\/\/[A-Za-z0-9.-]{1,200}$/),
  },
  { certificate: hostCertificate },
);
export type Enrolment = Shaped<typeof enrolment>;

export const fence = object({ leaseNumber: integer(), revision: integer() });

export const assignment = object(
  {
    generation: integer(),
    lostAfterSeconds: number(0),
    workload,
  },
  { sealed: text(/^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]*){4}$/) },
);
export type Assignment = Shaped<typeof assignment>;

/** What is inside of `sealed`. */
export const sealedValues = object({
  hostId: text(),
  workload: workloadKey,
  config: anyObject,
  seeds: map(text()),
});
export type SealedValues = Shaped<typeof sealedValues>;

export const collectionJob = object(
  {
    jobId: text(/^[A-Za-z0-9.-]{1,160}$/),
    source: oneOf('host', 'usage', 'scrape'),
    everySeconds: number(0.1),
  },
  { workload: workloadKey, metrics: list(text()) },
);
export type CollectionJob = Shaped<typeof collectionJob>;

/** The version of the agent itself that is wanted. */
export const upgradeOrder = object({
  orderId: text(/^[A-Za-z0-9-]{1,80}$/),
  version: text(/^[0-9A-Za-z][0-9A-Za-z.+-]{0,63}$/),
  artifact: object({ digest, sizeBytes: integer(1) }, { bitsPerSecond: integer(1) }),
  confirmWithinSeconds: number(1),
});
export type UpgradeOrder = Shaped<typeof upgradeOrder>;

/** One request of diagnostics; each is read by itself, so that one of a later version keeps nothing from being taken over. */
export const diagnosticRequest = object(
  {
    streamId: text(/^[a-z0-9-]{1,40}$/),
    kind: oneOf('logs', 'exec'),
    workload: workloadKey,
    slot: integer(),
    maxBytes: integer(1),
    maxSeconds: number(0),
  },
  { command: list(text()), hasInput: boolean, follow: boolean, tailLines: integer() },
);
export type DiagnosticRequest = Shaped<typeof diagnosticRequest>;

export const streamReceipt = object(
  { nextNumber: integer(2), creditBytes: integer() },
  { input: text(/^[A-Za-z0-9+/]*={0,2}$/), isInputEnded: boolean },
);
export type StreamReceipt = Shaped<typeof streamReceipt>;

export const wanted = object(
  {
    revision: integer(),
    full: boolean,
    fence,
    stateId,
    stateIdConfirmed: boolean,
    heartbeatIntervalSeconds: number(0.01),
    leaseSeconds: number(0.01),
    draining: boolean,
    assignments: list(assignment),
    removed: list(workloadKey),
    collectionJobs: list(collectionJob),
  },
  { agentUpgrade: upgradeOrder, diagnosticRequests: list(anyObject) },
);
export type Wanted = Shaped<typeof wanted>;

export const receipt = object({ nextSequence: integer(1), ignored: integer() });
export type Receipt = Shaped<typeof receipt>;

export const leaving = object({ remainingAssignments: integer() });

export const problem = object(
  { title: text(), detail: text() },
  { code: text(), expectedSequence: integer(1), fullRequired: boolean },
);
export type Problem = Shaped<typeof problem>;
