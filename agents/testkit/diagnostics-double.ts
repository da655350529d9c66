import type { components } from '../../api-specs/generated/mco.ts';

type Schemas = components['schemas'];

/** The orchestrator's side of one stream, as far as an agent sees it. */
export interface DoubleStream {
  readonly streamId: string;
  /** Chunks that were applied, in order. */
  readonly chunks: Schemas['stream-chunk'][];
  stdout: string;
  stderr: string;
  end: Schemas['stream-end'] | undefined;
  /** What the next receipts allow. */
  creditBytes: number;
  /** Standard input so far, and whether that is all. */
  input: Buffer;
  isInputEnded: boolean;
  /** Answered with 410 from now on. */
  isGone: boolean;
}

/** Diagnostics of the double: requests for the agent, and what it sends. */
export interface DiagnosticsDouble {
  readonly requests: readonly Schemas['diagnostic-request'][];
  find(streamId: string): DoubleStream | undefined;
  /** @returns its stream */
  ask(
    request: Partial<Schemas['diagnostic-request']> &
      Pick<Schemas['diagnostic-request'], 'kind' | 'workload'>,
  ): DoubleStream;
  withdraw(streamId: string): void;
  /** Takes a chunk over; what to answer. */
  take(
    streamId: string,
    chunk: Schemas['stream-chunk'],
  ): Schemas['stream-receipt'] | { readonly problem: number; readonly expectedSequence?: number };
}

/** @param onChange the wanted state has changed */
export function createDiagnosticsDouble(onChange: () => void): DiagnosticsDouble {
  const streams = new Map<string, DoubleStream>();
  let requests: readonly Schemas['diagnostic-request'][] = [];
  let serial = 0;
  return {
    get requests() {
      return requests;
    },
    find: (streamId) => streams.get(streamId),
    ask: (request) => {
      serial += 1;
      const streamId = request.streamId ?? `stream-${serial}`;
      const stream: DoubleStream = {
        streamId,
        chunks: [],
        stdout: '',
        stderr: '',
        end: undefined,
        creditBytes: 262_144,
        input: Buffer.alloc(0),
        isInputEnded: request.hasInput !== true,
        isGone: false,
      };
      streams.set(streamId, stream);
      requests = [...requests, { slot: 0, maxBytes: 1e9, maxSeconds: 600, ...request, streamId }];
      onChange();
      return stream;
    },
    withdraw: (streamId) => {
      requests = requests.filter((each) => each.streamId !== streamId);
      onChange();
    },
    take: (streamId, chunk) => {
      const stream = streams.get(streamId);
      if (stream === undefined || stream.isGone || stream.end !== undefined) return { problem: 410 };
      const expected = stream.chunks.length + 1;
      if (chunk.number > expected) return { problem: 409, expectedSequence: expected };
      if (chunk.number === expected) {
        stream.chunks.push(chunk);
        stream.stdout += Buffer.from(chunk.stdout ?? '', 'base64').toString('latin1');
        stream.stderr += Buffer.from(chunk.stderr ?? '', 'base64').toString('latin1');
        stream.end = chunk.end;
      }
      const input = stream.input.subarray(chunk.inputBytes, chunk.inputBytes + 65_536);
      const isAll = chunk.inputBytes + input.length === stream.input.length;
      return {
        nextNumber: chunk.number + 1,
        creditBytes: stream.creditBytes,
        ...(input.length === 0 ? {} : { input: input.toString('base64') }),
        ...(stream.isInputEnded && isAll ? { isInputEnded: true } : {}),
      };
    },
  };
}
