import { Readable } from 'node:stream';
import { messageOf, type Clock } from '../../kernel/index.ts';
import type { ApiRequest, ApiResponse } from '../api/route.ts';
import type { LogOptions } from '../../vim-drivers/index.ts';
import type { DiagnosticsContext } from './context.ts';
import { ALIVE_MILLISECONDS, FRAMES_TYPE, lineOf, wantsFrames, within } from './frames.ts';
import { requireShare } from './shares.ts';
import type { Copy } from './stream.ts';

/** Answers that are being sent, at one time; tenants and users have shares of them. */
const MOST_ANSWERS = 100;
/** What fails sooner is a proper answer; what says nothing for so long is answered as it is. */
const FIRST_MILLISECONDS = 2000;

type ReadVimOutput = (
  request: ApiRequest,
  copy: Copy,
  wish: Pick<LogOptions, 'follow' | 'tailLines'>,
) => Promise<ApiResponse>;

/** Output of copies on VIMs, as their drivers give it. */
export function createVimOutput({ siteOf, clock }: DiagnosticsContext): ReadVimOutput {
  const open = new Set<ApiRequest>();
  return async (request, { hostId, key, slot }, wish) => {
    const { signal } = request;
    const given = siteOf(hostId).logs(key, { slot, signal, ...wish });
    const output = given[Symbol.asyncIterator]();
    const holders = [...open].map(({ caller }) => caller);
    requireShare({ most: MOST_ANSWERS, what: 'readers of output from VIMs', holders }, request.caller);
    open.add(request);
    const first = output.next();
    // Whoever asked may have gone before anybody reads it.
    first.catch(() => undefined);
    try {
      await orNothing(first, clock, FIRST_MILLISECONDS);
    } catch (error) {
      open.delete(request);
      throw error;
    }
    const joined = joinedOutput(first, output, request);
    const isFramed = wantsFrames(request);
    const stream = Readable.from(isFramed ? framed(joined, clock) : joined, { objectMode: false });
    stream.once('close', () => open.delete(request));
    const type = isFramed ? FRAMES_TYPE : 'text/plain; charset=utf-8';
    return { status: 200, headers: { 'Content-Type': type }, stream };
  };
}

async function* joinedOutput(
  first: Promise<IteratorResult<Uint8Array>>,
  rest: AsyncIterator<Uint8Array>,
  request: ApiRequest,
): AsyncGenerator<Uint8Array> {
  try {
    // A token may be deleted, or expire, meanwhile.
    for (let next = await first; next.done !== true && request.isStillCaller(); next = await rest.next())
      yield next.value;
  } finally {
    await rest.return?.();
  }
}

async function* framed(output: AsyncGenerator<Uint8Array>, clock: Clock): AsyncGenerator<string> {
  try {
    let next = output.next();
    for (;;) {
      const came = await orNothing(next, clock, ALIVE_MILLISECONDS);
      if (came?.done === true) break;
      if (came !== undefined) next = output.next();
      yield lineOf(came === undefined ? {} : { stdout: Buffer.from(came.value).toString('base64') });
    }
    yield lineOf({ end: { reason: 'COMPLETE' } });
  } catch (error) {
    yield lineOf({ end: { reason: 'FAILED', detail: messageOf(error) } });
  } finally {
    // Not waited for: it goes on only when its platform says something.
    void output.return(undefined).catch(() => undefined);
  }
}

/** What it gives, or nothing where that takes longer. */
function orNothing<Value>(
  call: Promise<Value>,
  clock: Clock,
  milliseconds: number,
): Promise<Value | undefined> {
  return within(clock, milliseconds, (over) => {
    const late = new Promise<undefined>((resolve) => {
      over.addEventListener('abort', () => resolve(undefined), { once: true });
    });
    return Promise.race([call, late]);
  });
}
