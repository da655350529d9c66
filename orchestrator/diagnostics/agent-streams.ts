import { IotmanoError, type Clock, type HostId } from '../../kernel/index.ts';
import type { components } from '../../api-specs/generated/mco.ts';
import type { HostDocument, SessionDocument } from '../domain/index.ts';
import type { Change, Revision, StateStore } from '../store/index.ts';
import type { Output } from './output-queue.ts';
import type { DiagnosticStream } from './stream.ts';
import type { Streams } from './streams.ts';

type Wire = components['schemas'];

/** Streams that agents answer over Mco-d: what they are told of them, and what they send. */
export interface AgentStreams {
  /** All requests that stand for a host. */
  requestsFor(hostId: HostId): readonly Wire['diagnostic-request'][];
  /** Accepted revision at which they have changed last; 0: never in this process. */
  changedAt(hostId: HostId): Revision;
  /**
   * Takes over a chunk; one that was taken already is answered and not applied again.
   * @throws IotmanoError `gone` where there is no such stream of this host and session any more, `conflict` for a gap
   */
  takeChunk(
    hostId: HostId,
    session: SessionDocument,
    streamId: string,
    chunk: Wire['stream-chunk'],
  ): Wire['stream-receipt'];
  /** Follows a stream that an agent is to answer: it ends when nothing is heard of it. */
  follow(stream: DiagnosticStream): void;
}

/** Until an agent takes a request up; it may be waiting for up to 15 s before it asks again after a fault. */
const UNHEARD_MILLISECONDS = 20_000;
/** An agent sends a chunk at least every 15 s. */
const SILENT_MILLISECONDS = 45_000;
/** The agent keeps the bound of time itself; so much later it is kept here. */
const SECONDS_SLACK = 5;
const MOST_CHUNK_BYTES = 262_144;
const MOST_INPUT_BYTES = 65_536;

interface Followed {
  readonly stream: DiagnosticStream;
  /** Number of the next chunk. */
  next: number;
  /** Monotonic; undefined: not yet. */
  heardAt?: number;
  /** The session in which it was taken up. */
  session?: string;
}

/** To be created before anything is committed by this leader. */
export function createAgentStreams(store: StateStore, clock: Clock, streams: Streams): AgentStreams {
  const followed = new Map<string, Followed>();
  const changes = new Map<HostId, Revision>();

  streams.onEnd((stream, revision) => {
    if (followed.delete(stream.id)) changes.set(stream.order.copy.hostId, revision);
  });
  store.subscribe(({ entries }) => {
    for (const entry of entries) endForIdentity(entry);
  });

  /** A host that is gone, revoked or disputed answers nothing more, and neither does a session that another one has taken the place of. */
  function endForIdentity({ kind, id, record }: Change['entries'][number]): void {
    if (kind === 'host') {
      const host = record?.document as HostDocument | undefined;
      if (host !== undefined && host.revokedAt === undefined && !host.disputed) return;
      endOf(id as HostId, () => true);
    }
    if (kind !== 'session' || record === undefined) return;
    const opened = record.document as SessionDocument;
    if (opened.roles?.includes('orchestration') === false) return;
    endOf(opened.hostId, ({ session }) => session !== undefined && session !== nameOf(opened));
  }

  function endOf(hostId: HostId, which: (one: Followed) => boolean): void {
    for (const one of followed.values())
      if (one.stream.order.copy.hostId === hostId && which(one))
        streams.end(one.stream, { reason: 'SESSION_ENDED' });
  }

  async function watch(one: Followed): Promise<void> {
    const { stream } = one;
    while (stream.end === undefined) {
      const now = clock.monotonic();
      const silentAt = (one.heardAt ?? stream.openedAt) + patienceOf(one);
      const overAt = stream.openedAt + (stream.order.maxSeconds + SECONDS_SLACK) * 1000;
      if (now >= silentAt) streams.end(stream, { reason: 'HOST_SILENT', detail: silence(one) });
      else if (now >= overAt) streams.end(stream, { reason: 'SECONDS' });
      else await clock.sleep(Math.min(silentAt, overAt) - now, stream.ended);
    }
  }

  function find(hostId: HostId, session: SessionDocument, streamId: string): Followed {
    const one = followed.get(streamId);
    if (one === undefined || one.stream.end !== undefined || one.stream.order.copy.hostId !== hostId)
      throw gone(`there is no stream ${streamId} of host ${hostId}, or it has ended`);
    one.session ??= nameOf(session);
    if (one.session !== nameOf(session)) throw gone(`stream ${streamId} was begun in another session`);
    return one;
  }

  function apply({ stream }: Followed, chunk: Wire['stream-chunk']): void {
    const outputs: Output[] = [decode('stdout', chunk.stdout), decode('stderr', chunk.stderr)];
    const bytes = outputs.reduce((sum, output) => sum + output.bytes.length, 0);
    // Room only grows after a receipt: more than there is now was never allowed.
    const allowed = Math.min(MOST_CHUNK_BYTES, stream.output.roomBytes);
    if (bytes > allowed) {
      const { hostId } = stream.order.copy;
      const detail = `host ${hostId} sent ${bytes} bytes at once where ${allowed} were allowed`;
      streams.end(stream, { reason: 'FAILED', detail });
      return;
    }
    const isWithin = stream.take(outputs);
    if (!isWithin) streams.end(stream, { reason: 'BYTES' });
    else if (chunk.end !== undefined) streams.end(stream, endOfAgent(chunk.end));
    // A refusal is told as that, and not as a stream that has begun.
    else stream.begin();
  }

  return {
    requestsFor: (hostId) =>
      [...followed.values()].flatMap(({ stream }) =>
        stream.order.copy.hostId === hostId && stream.end === undefined ? [requestOf(stream)] : [],
      ),
    changedAt: (hostId) => changes.get(hostId) ?? 0,
    takeChunk: (hostId, session, streamId, chunk) => {
      const one = find(hostId, session, streamId);
      one.heardAt = clock.monotonic();
      if (chunk.number > one.next) throw gap(streamId, chunk.number, one.next);
      if (chunk.number === one.next) {
        one.next += 1;
        apply(one, chunk);
      }
      const { output, input } = one.stream;
      const { bytes, isEnd } = input.readFrom(chunk.inputBytes, MOST_INPUT_BYTES);
      return {
        nextNumber: one.next,
        creditBytes: Math.min(MOST_CHUNK_BYTES, output.roomBytes),
        ...(bytes.length === 0 ? {} : { input: Buffer.from(bytes).toString('base64') }),
        ...(isEnd ? { isInputEnded: true } : {}),
      };
    },
    follow: (stream) => {
      const one: Followed = { stream, next: 1 };
      followed.set(stream.id, one);
      changes.set(stream.order.copy.hostId, store.acceptedRevision);
      void watch(one);
    },
  };
}

function patienceOf({ heardAt }: Followed): number {
  return heardAt === undefined ? UNHEARD_MILLISECONDS : SILENT_MILLISECONDS;
}

function silence(one: Followed): string {
  const { hostId } = one.stream.order.copy;
  return one.heardAt === undefined
    ? `host ${hostId} has not taken the request up within ${UNHEARD_MILLISECONDS / 1000} s; it may be cut off, or its agent is older than diagnostics`
    : `nothing came from host ${hostId} for ${SILENT_MILLISECONDS / 1000} s; it may be cut off`;
}

/** A session has no name of its own on this side of its token; no two of a host have the same. */
function nameOf({ bootId, expiresAt }: SessionDocument): string {
  return `${bootId} ${expiresAt}`;
}

function requestOf({ id, order }: DiagnosticStream): Wire['diagnostic-request'] {
  const { kind, copy, command, hasInput, follow, tailLines, maxBytes, maxSeconds } = order;
  return {
    streamId: id,
    kind,
    workload: copy.key,
    slot: copy.slot,
    ...(command === undefined ? {} : { command }),
    ...(hasInput === undefined ? {} : { hasInput }),
    ...(follow === undefined ? {} : { follow }),
    ...(tailLines === undefined ? {} : { tailLines }),
    maxBytes,
    maxSeconds,
  };
}

function endOfAgent({ reason, exitCode, signal, detail }: Wire['stream-end']) {
  return {
    reason,
    ...(exitCode === undefined ? {} : { exitCode }),
    ...(signal === undefined ? {} : { signal }),
    ...(detail === undefined ? {} : { detail }),
  };
}

function decode(channel: Output['channel'], text = ''): Output {
  return { channel, bytes: Buffer.from(text, 'base64') };
}

function gone(message: string): IotmanoError {
  return new IotmanoError('gone', `${message}; end it, and take up what the wanted state asks for`);
}

function gap(streamId: string, number: number, expected: number): IotmanoError {
  return new IotmanoError(
    'conflict',
    `chunk ${number} of stream ${streamId} came where ${expected} was expected; end the stream`,
    { expectedSequence: expected, fullRequired: false },
  );
}
