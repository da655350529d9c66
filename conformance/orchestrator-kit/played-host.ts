import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { SignJWT } from 'jose';
import type { IdSource } from '../../kernel/index.ts';
import type { components } from '../../api-specs/generated/mco.ts';
import { CaseFailure, must } from '../case.ts';
import type { Trace } from '../trace.ts';
import type { AgentWire, Answer, Message } from './agent-wire.ts';

export type Schemas = components['schemas'];
export type Role = 'orchestration' | 'monitoring';

export const MCO_VERSION = '1.0';
export const BOTH_ROLES: readonly Role[] = ['orchestration', 'monitoring'];

/** What may be other than usual in a message. */
export type Deviation = Partial<Omit<Message, 'operation' | 'hostId'>> & {
  readonly hostId?: string;
  /** A connection that stays open, in place of one for the message. */
  readonly over?: Pick<AgentWire, 'send'>;
};

/** What may be other than usual in a proof. */
export interface ProofDeviation {
  readonly nonce?: string;
  readonly key?: KeyObject;
  readonly type?: string;
  readonly subject?: string;
  readonly resource?: string;
  readonly bootId?: string;
  readonly counter?: number;
  /** Seconds since the epoch; absent: the host has no clock. */
  readonly issuedAt?: number;
  readonly roles?: readonly Role[];
  readonly lastStateId?: string;
  /** The key for sealed values, or what is told in its place. */
  readonly sealingKey?: unknown;
  readonly wantsCertificate?: boolean;
}

export type OpenSession = Schemas['session'] & { readonly bootId: string };

/** A host as an orchestrator sees it, which may say anything. */
export interface PlayedHost {
  readonly hostId: string;
  readonly key: KeyObject;
  readonly publicKey: Schemas['public-key'];
  /** Of the enrolment. */
  spId: string | undefined;
  stateId: string | undefined;
  /** The newest one; absent where the orchestrator has issued none. */
  certificate: Schemas['host-certificate'] | undefined;
  /** Of the newest session. */
  bootId: string;
  session: OpenSession | undefined;
  /** Sends as it is told and gives whatever is answered, but a fault of the server. @throws CaseFailure for status 500 and above */
  send(operation: string, deviation?: Deviation): Promise<Answer>;
  /** As `send`, for what has to succeed. @throws CaseFailure where it does not, or the answer is not as the document says */
  expect<T = unknown>(status: number, operation: string, deviation?: Deviation): Promise<T>;
  enrol(token: string): Promise<Schemas['enrolment']>;
  /** Asks to be enrolled; whatever is answered. */
  askEnrolment(token: string): Promise<Answer>;
  enrolmentRequest(token: string): Schemas['enrolment-request'];
  nonce(): Promise<string>;
  proof(deviation?: ProofDeviation): Promise<string>;
  /** Asks for a session; whatever is answered. */
  askSession(deviation?: ProofDeviation): Promise<Answer>;
  openSession(deviation?: ProofDeviation): Promise<OpenSession>;
  /** Another boot, with its own counters and numbers. */
  reboot(): string;
  /** A session of a new boot, facts and a full report: what a host does first. */
  comeUp(): Promise<OpenSession>;
}

export interface HostOptions {
  readonly wire: AgentWire;
  readonly trace: Trace;
  readonly signal: AbortSignal;
  readonly ids: IdSource;
  readonly hostId: string;
  /** Of a host that is enrolled already; absent: another machine, with a key of its own. */
  readonly identity?: HostIdentity | undefined;
}

/** What a machine keeps of its enrolment. */
export type HostIdentity = Pick<
  PlayedHost,
  'hostId' | 'key' | 'publicKey' | 'spId' | 'stateId' | 'certificate'
>;

/** What a small gateway says of itself. */
export function factsOf(hostId: string): Schemas['host-facts'] {
  return {
    architecture: 'amd64',
    tier: 'device-edge',
    labels: { zone: hostId, site: hostId },
    drivers: [{ name: 'process', artifactTypes: ['process'] }],
    cpu: { cores: 4, score: 0.5, allocatableMillis: 2000 },
    memory: { totalBytes: 4_294_967_296, allocatableBytes: 4_294_967_296 },
    storage: { totalBytes: 34_359_738_368, allocatableBytes: 17_179_869_184, medium: 'ssd' },
    address: '127.0.0.1',
    devices: [],
    latencies: [],
    cses: [],
    agentVersion: 'conformance-kit',
  };
}

export const EMPTY_REPORT: Schemas['report'] = { full: true, workloads: [], removed: [] };

const NEEDS_NO_SESSION: ReadonlySet<string> = new Set(['enrolHost', 'createChallenge', 'openSession']);

export function createPlayedHost(options: HostOptions): PlayedHost {
  const { wire, trace, signal, ids, hostId } = options;
  const identity = options.identity ?? newIdentity(hostId);
  const { key } = identity;
  let counter = 0;

  const host: PlayedHost = {
    ...identity,
    bootId: ids.uuid(),
    session: undefined,
    async send(operation, { over = wire, ...deviation } = {}) {
      const answer = await over.send(
        {
          operation,
          hostId,
          key,
          bootId: host.bootId,
          version: MCO_VERSION,
          spId: operation === 'enrolHost' ? undefined : host.spId,
          token: NEEDS_NO_SESSION.has(operation) ? undefined : host.session?.token,
          ...deviation,
        },
        trace,
        signal,
      );
      must(
        answer.status < 500,
        `${operation} was answered with ${answer.status}, a fault of the orchestrator`,
      );
      return answer;
    },
    async expect<T>(status: number, operation: string, deviation: Deviation = {}) {
      const answer = await host.send(operation, deviation);
      must(answer.status === status, `${told(answer)}; ${status} was to be expected`);
      must(
        answer.faults.length === 0,
        `the answer to ${operation} is not as the document says: ${answer.faults.join('; ')}`,
      );
      return answer.body as T;
    },
    enrolmentRequest: (token) => ({
      token: token.split('~', 1)[0] ?? token,
      hostId,
      publicKey: host.publicKey,
      roles: [...BOTH_ROLES],
    }),
    async enrol(token) {
      const enrolment = await host.expect<Schemas['enrolment']>(201, 'enrolHost', {
        body: host.enrolmentRequest(token),
        credential: token,
      });
      host.spId = enrolment.m2mSpId;
      host.stateId = enrolment.stateId;
      host.certificate = enrolment.certificate;
      return enrolment;
    },
    askEnrolment: (token) =>
      host.send('enrolHost', { body: host.enrolmentRequest(token), credential: token }),
    nonce: async () => (await host.expect<Schemas['challenge']>(201, 'createChallenge')).nonce,
    async proof(deviation = {}) {
      counter += 1;
      return new SignJWT({
        sub: deviation.subject ?? hostId,
        htm: 'POST',
        htu: deviation.resource ?? `/mco/v1/hosts/${hostId}/sessions`,
        nonce: deviation.nonce ?? (await host.nonce()),
        bootId: deviation.bootId ?? host.bootId,
        counter: deviation.counter ?? counter,
        ...('sealingKey' in deviation ? { sealingKey: deviation.sealingKey } : {}),
        ...(deviation.issuedAt === undefined ? {} : { iat: deviation.issuedAt }),
      })
        .setProtectedHeader({ typ: deviation.type ?? 'mco-proof+jwt', alg: 'EdDSA' })
        .sign(deviation.key ?? key);
    },
    async askSession(deviation = {}) {
      const body: Schemas['session-request'] = {
        proof: await host.proof(deviation),
        roles: [...(deviation.roles ?? BOTH_ROLES)],
        lastStateId: deviation.lastStateId ?? host.stateId ?? 'none',
        agentVersion: 'conformance-kit',
        ...(deviation.wantsCertificate === undefined ? {} : { wantsCertificate: deviation.wantsCertificate }),
      };
      return host.send('openSession', { body, bootId: deviation.bootId ?? host.bootId });
    },
    async openSession(deviation = {}) {
      const answer = await host.askSession(deviation);
      must(answer.status === 201, `${told(answer)}; a session was to be expected`);
      must(
        answer.faults.length === 0,
        `the answer to openSession is not as the document says: ${answer.faults.join('; ')}`,
      );
      const session = {
        ...(answer.body as Schemas['session']),
        bootId: deviation.bootId ?? host.bootId,
      };
      host.bootId = session.bootId;
      host.session = session;
      host.certificate = session.certificate ?? host.certificate;
      return session;
    },
    reboot() {
      counter = 0;
      host.bootId = ids.uuid();
      return host.bootId;
    },
    async comeUp() {
      host.reboot();
      const session = await host.openSession();
      await host.expect(200, 'putFacts', { sequence: 1, body: factsOf(hostId) });
      await host.expect(200, 'postReport', { sequence: 1, body: EMPTY_REPORT });
      return session;
    },
  };
  return host;
}

function newIdentity(hostId: string): HostIdentity {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const { x = '' } = publicKey.export({ format: 'jwk' });
  return {
    hostId,
    key: privateKey,
    publicKey: { kty: 'OKP', crv: 'Ed25519', x },
    spId: undefined,
    stateId: undefined,
    certificate: undefined,
  };
}

/** What was answered, in words. */
export function told({ operation, status, body }: Answer): string {
  const detail = (body as { readonly detail?: unknown } | undefined)?.detail;
  return `${operation} was answered with ${status}${typeof detail === 'string' ? ` (${detail})` : ''}`;
}

/** The member of an answer that has to be there. @throws CaseFailure */
export function memberOf<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new CaseFailure(`${what} is missing`);
  return value;
}
