import type { Clock, HostId, IdSource, Logger } from '../../kernel/index.ts';
import type { Caller, DiagnosticEnd } from '../domain/index.ts';
import type { Revision, StateStore } from '../store/index.ts';
import { nameOfCopy } from './copies.ts';
import type { AuditLog } from './audit-log.ts';
import { requireShare } from './shares.ts';
import { DiagnosticStream, type StreamOrder } from './stream.ts';

/** Streams at one time: all, and those of one host, which an agent would refuse beyond that. Of both, tenants and users have shares. */
const MOST_STREAMS = 200;
const MOST_OF_HOST = 16;

/** Streams that go on or are still being read. In memory only: a new leader knows none. */
export interface Streams {
  /**
   * Its entry in the audit log is accepted when this returns; nothing may begin before it is durable.
   * @throws IotmanoError `too-many-requests`
   */
  open(caller: Caller, order: StreamOrder): DiagnosticStream;
  /** Once: a stream that has ended stays as it has. Notes it in the audit log. @param mustDrop as of `finish` */
  end(stream: DiagnosticStream, end: DiagnosticEnd, mustDrop?: boolean): void;
  endAll(which: (stream: DiagnosticStream) => boolean, end: DiagnosticEnd): void;
  /** Also one that has ended, while it is still being read. */
  find(streamId: string): DiagnosticStream | undefined;
  /** Nobody reads it any more. */
  release(stream: DiagnosticStream): void;
  /** Calls back when one has ended, with the accepted revision that says so. */
  onEnd(listener: (stream: DiagnosticStream, revision: Revision) => void): void;
  /** Those that go on at that host. */
  ofHost(hostId: HostId): readonly DiagnosticStream[];
}

export interface StreamsOptions {
  readonly store: StateStore;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly log: Logger;
  readonly audit: AuditLog;
}

export function createStreams({ store, clock, ids, log, audit }: StreamsOptions): Streams {
  const streams = new Map<string, DiagnosticStream>();
  const listeners: ((stream: DiagnosticStream, revision: Revision) => void)[] = [];
  const ofHost = (hostId: HostId): readonly DiagnosticStream[] =>
    [...streams.values()].filter(({ order, end }) => order.copy.hostId === hostId && end === undefined);

  function requireRoom(caller: Caller, hostId: HostId): void {
    const there = ofHost(hostId).map((stream) => stream.caller);
    requireShare({ most: MOST_OF_HOST, what: `streams at host ${hostId}`, holders: there }, caller);
    const all = [...streams.values()].map((stream) => stream.caller);
    requireShare({ most: MOST_STREAMS, what: 'streams at all hosts', holders: all }, caller);
  }

  function end(stream: DiagnosticStream, how: DiagnosticEnd, mustDrop = false): void {
    if (stream.end !== undefined) return;
    stream.finish(how, mustDrop);
    const bytes = {
      output: stream.outputBytes,
      input: stream.order.hasInput ? stream.input.receivedBytes : 0,
    };
    try {
      const { revision } = store.commit(audit.endOf(stream.auditId, how, bytes));
      for (const listener of listeners) listener(stream, revision);
    } catch (error) {
      // The store is closing: the next process notes that it has ended.
      log.warn({ streamId: stream.id, err: error }, 'the end of a diagnostic stream was not noted');
    }
    log.info(
      { streamId: stream.id, hostId: stream.order.copy.hostId, ...how },
      'a diagnostic stream has ended',
    );
  }

  return {
    open: (caller, order) => {
      const { hostId, key, vnfcInstanceId } = order.copy;
      requireRoom(caller, hostId);
      const id = ids.uuid();
      const command = order.command === undefined ? {} : { command: order.command };
      const subject = {
        streamId: id,
        hostId,
        vnfInstanceId: key.vnfInstanceId,
        vnfcInstanceId,
        copy: nameOfCopy(store, order.copy),
        ...command,
      };
      const entry = audit.entryOf(caller, { action: order.kind, subject });
      store.commit(entry.writes);
      const openedAt = clock.monotonic();
      const stream = new DiagnosticStream({ id, caller, order, auditId: entry.id, openedAt });
      streams.set(id, stream);
      log.info(
        { streamId: id, hostId, kind: order.kind, tenant: caller.tenant },
        'a diagnostic stream begins',
      );
      return stream;
    },
    end,
    endAll: (which, how) => {
      for (const stream of streams.values()) if (which(stream)) end(stream, how, true);
    },
    find: (streamId) => streams.get(streamId),
    release: (stream) => streams.delete(stream.id),
    onEnd: (listener) => listeners.push(listener),
    ofHost,
  };
}
