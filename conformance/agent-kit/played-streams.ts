import type { components } from '../../api-specs/generated/mco.ts';

type Schemas = components['schemas'];
type Chunk = Schemas['stream-chunk'];

/** A diagnostic stream that was asked for: how the kit answers, and what came. */
export interface PlayedStream {
  readonly streamId: string;
  /** What receipts allow from now on. */
  creditBytes: number;
  answerAfterSeconds: number;
  /** Standard input, whole. */
  readonly input: Buffer;
  /** When the agent has sent anything of it, monotonic milliseconds; also what was refused. */
  readonly asked: number[];
  /** Each number once, with when it came. */
  readonly chunks: (Chunk & { readonly at: number })[];
  /** Number of the next chunk. */
  next: number;
  /** Token of the session that it was begun in. */
  session: string | undefined;
  isOver: boolean;
  /** Of the last receipt that was sent: the next chunk may hold so much. */
  allowedBytes: number;
  /** Numbers of chunks that are not answered yet. */
  readonly onTheWay: Set<number>;
  mostOnTheWay: number;
  /** Chunks that held more than they were allowed to, in words. */
  readonly excesses: string[];
}

const MOST_CREDIT_BYTES = 262_144;
const MOST_INPUT_BYTES = 65_536;

export function createPlayedStream(streamId: string, input: string): PlayedStream {
  return {
    streamId,
    creditBytes: MOST_CREDIT_BYTES,
    answerAfterSeconds: 0,
    input: Buffer.from(input),
    asked: [],
    chunks: [],
    next: 1,
    session: undefined,
    isOver: false,
    allowedBytes: 0,
    onTheWay: new Set(),
    mostOnTheWay: 0,
    excesses: [],
  };
}

/** Takes a chunk over, once, and gives its receipt when its time has come. @param at monotonic milliseconds */
export async function takeChunk(
  stream: PlayedStream,
  chunk: Chunk,
  at: number,
  sleep: (seconds: number) => Promise<void>,
): Promise<Schemas['stream-receipt']> {
  stream.onTheWay.add(chunk.number);
  stream.mostOnTheWay = Math.max(stream.mostOnTheWay, stream.onTheWay.size);
  if (chunk.number === stream.next) {
    const { stdout = '', stderr = '' } = chunk;
    const bytes = decode(stdout).length + decode(stderr).length;
    if (bytes > stream.allowedBytes)
      stream.excesses.push(`chunk ${chunk.number} holds ${bytes} bytes of ${stream.allowedBytes}`);
    stream.chunks.push({ ...chunk, at });
    stream.next += 1;
  }
  await sleep(stream.answerAfterSeconds);
  stream.onTheWay.delete(chunk.number);
  stream.allowedBytes = stream.creditBytes;
  stream.isOver = chunk.end !== undefined;
  const input = stream.input.subarray(chunk.inputBytes, chunk.inputBytes + MOST_INPUT_BYTES);
  const isInputEnded = chunk.inputBytes + input.length >= stream.input.length;
  return {
    nextNumber: chunk.number + 1,
    creditBytes: stream.creditBytes,
    ...(input.length === 0 ? {} : { input: input.toString('base64') }),
    ...(isInputEnded ? { isInputEnded } : {}),
  };
}

/** All that came on one channel. */
export function outputOf({ chunks }: PlayedStream, channel: 'stdout' | 'stderr'): string {
  return Buffer.concat(chunks.map((chunk) => decode(chunk[channel]))).toString();
}

export function endOf({ chunks }: PlayedStream): Schemas['stream-end'] | undefined {
  return chunks.at(-1)?.end;
}

/** What came of it, in words. */
export function describeStream(stream: PlayedStream): string {
  const end = endOf(stream);
  const how = end === undefined ? 'it goes on' : `its end is ${JSON.stringify(end)}`;
  return stream.chunks.length === 0 ? 'no chunk came' : `${stream.chunks.length} chunks came, and ${how}`;
}

function decode(text = ''): Buffer {
  return Buffer.from(text, 'base64');
}
