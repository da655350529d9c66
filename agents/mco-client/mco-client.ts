import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { IotmanoError, toTimestamp, type Clock } from '../../kernel/index.ts';
import type { components } from '../../api-specs/generated/mco.ts';
import { exchange, nothing, type Answer, type Envelope, type Exchange } from './exchange.ts';
import {
  leaving,
  receipt,
  streamReceipt,
  wanted,
  type Receipt,
  type StreamReceipt,
  type Wanted,
} from './messages.ts';
import type { SessionKeeper } from './session-keeper.ts';
import type { Transport } from './transport.ts';

type Schemas = components['schemas'];

export interface WantedQuestion {
  /** Revision that this host has; absent: the whole is asked for. */
  readonly since?: number | undefined;
  readonly waitSeconds: number;
  readonly signal?: AbortSignal | undefined;
}

export interface WantedAnswer {
  /** Absent: nothing has changed. */
  readonly wanted?: Wanted;
  /** To be named as `since` next, where the server said so. */
  readonly revision?: number;
}

export type StreamChunk = Schemas['stream-chunk'];

/** @throws IotmanoError `gone` where the stream, or its session, has ended; `conflict` for a gap; transient where the same chunk is to be sent again */
export type PostChunk = (chunk: StreamChunk, signal?: AbortSignal) => Promise<StreamReceipt>;

/** The client side of Mco. Every operation opens a session where it needs one, and once more where the server has forgotten it. */
export interface McoClient {
  /** Renews the lease. @throws IotmanoError `gone`: the lease is renewed, but the whole must be asked for */
  wanted(question: WantedQuestion): Promise<WantedAnswer>;
  putFacts(facts: Schemas['host-facts'], sequence: number, signal?: AbortSignal): Promise<Receipt>;
  postReport(report: Schemas['report'], sequence: number, signal?: AbortSignal): Promise<Receipt>;
  postMeasurements(
    batch: Schemas['measurement-batch'],
    sequence: number,
    signal?: AbortSignal,
  ): Promise<Receipt>;
  postAlarms(batch: Schemas['alarm-batch'], sequence: number, signal?: AbortSignal): Promise<Receipt>;
  /** Delivers the chunks of a diagnostic stream, in the session that the first one goes over. */
  stream(streamId: string): PostChunk;
  /** Drains the host; resolves with how many workloads are left, 0 once it is forgotten. */
  leave(signal?: AbortSignal): Promise<number>;
}

const compress = promisify(gzip);
const COMPRESS_FROM_BYTES = 1024;
/** Beyond the wait that the server granted: for slow networks. */
const POLL_SLACK_MILLISECONDS = 10_000;

export function createMcoClient(
  transport: Transport,
  sessions: SessionKeeper,
  hostId: string,
  clock: Clock,
): McoClient {
  const base = `/mco/v1/hosts/${hostId}`;

  /** In the session of its envelope, which is not used again where the server no longer knows it. */
  async function once<T>(operation: Exchange<T>): Promise<Answer<T>> {
    return exchange(transport, operation).catch((error: unknown) => {
      if (isSessionLost(error)) sessions.reject(operation.envelope.token);
      throw error;
    });
  }

  /** Runs the exchange in a session; one that the server no longer knows is opened anew, once. */
  async function inSession<T>(
    sequence: number | undefined,
    operation: Omit<Exchange<T>, 'envelope'>,
  ): Promise<Answer<T>> {
    const attempt = async (): Promise<Answer<T>> => {
      const envelope: Envelope = { ...(await sessions.envelope(operation.signal)), sequence };
      return once({ ...operation, envelope });
    };
    return attempt().catch((error: unknown) => {
      if (!isSessionLost(error)) throw error;
      return attempt();
    });
  }

  async function post(path: string, body: unknown, sequence: number, signal?: AbortSignal): Promise<Receipt> {
    const areMeasurements = path === 'measurements';
    const { message } = await inSession(sequence, {
      method: path === 'facts' ? 'PUT' : 'POST',
      path: `${base}/${path}`,
      encoded: await encode(body, areMeasurements),
      // What the times in them are to be understood by.
      ...(areMeasurements ? { headers: { 'mco-time': toTimestamp(clock.now()) } } : {}),
      accept: { 200: receipt },
      signal,
    });
    return message;
  }

  function streamOf(streamId: string): PostChunk {
    let token: string | undefined;
    return async (chunk, signal) => {
      const envelope = await sessions.envelope(signal);
      token ??= envelope.token;
      if (envelope.token !== token)
        throw new IotmanoError('gone', `the session that stream ${streamId} was begun in has ended`);
      const { message } = await once({
        method: 'POST',
        path: `${base}/streams/${streamId}`,
        envelope,
        encoded: await encode(chunk, true),
        accept: { 200: streamReceipt },
        signal,
      });
      return message;
    };
  }

  return {
    stream: streamOf,
    async wanted({ since, waitSeconds, signal }) {
      const query = new URLSearchParams({ wait: String(waitSeconds) });
      if (since === undefined) query.set('full', 'true');
      else query.set('since', String(since));
      const { message, headers } = await inSession<Wanted | undefined>(undefined, {
        method: 'GET',
        path: `${base}/wanted?${query.toString()}`,
        headers: { 'mco-time': toTimestamp(clock.now()) },
        accept: { 200: wanted, 304: nothing },
        timeoutMilliseconds: waitSeconds * 1000 + POLL_SLACK_MILLISECONDS,
        signal,
      });
      if (message !== undefined) return { wanted: message, revision: message.revision };
      const revision = Number(headers['mco-revision'] ?? Number.NaN);
      return Number.isSafeInteger(revision) && revision >= 0 ? { revision } : {};
    },
    putFacts: (facts, sequence, signal) => post('facts', facts, sequence, signal),
    postReport: (report, sequence, signal) => post('reports', report, sequence, signal),
    postMeasurements: (batch, sequence, signal) => post('measurements', batch, sequence, signal),
    postAlarms: (batch, sequence, signal) => post('alarms', batch, sequence, signal),
    async leave(signal) {
      const { message } = await inSession<{ readonly remainingAssignments: number } | undefined>(undefined, {
        method: 'DELETE',
        path: `${base}?drain=true`,
        accept: { 202: leaving, 204: nothing },
        signal,
      });
      return message?.remainingAssignments ?? 0;
    },
  };
}

/** The body ready for the wire; compressed where it may be and that is worth it. */
async function encode(
  body: unknown,
  mayCompress: boolean,
): Promise<NonNullable<Exchange<unknown>['encoded']>> {
  const plain = Buffer.from(JSON.stringify(body));
  const json = { 'content-type': 'application/json' };
  if (!mayCompress || plain.length < COMPRESS_FROM_BYTES) return { bytes: plain, headers: json };
  return { bytes: await compress(plain), headers: { ...json, 'content-encoding': 'gzip' } };
}

/** 401, or 404 of the host: the next session finds out whether the host must enrol again. */
function isSessionLost(error: unknown): boolean {
  if (!(error instanceof IotmanoError) || error.context['mustEnrol'] === true) return false;
  return error.code === 'unauthorized' || error.code === 'not-found';
}
