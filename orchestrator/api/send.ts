import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline as pipeStreams } from 'node:stream/promises';
import type { Logger } from '../../kernel/index.ts';
import { problemHeaders, toProblem } from './problem.ts';
import type { ApiResponse } from './route-types.ts';

/** How much of a refused body is read so that the client gets to see the answer; then the connection is closed. */
const DRAIN_BYTES = 2 * 1024 * 1024;
const DRAIN_MILLISECONDS = 1000;
/** A client that has sent nothing for this long waits for the answer. */
const DRAIN_IDLE_MILLISECONDS = 100;

/** Answers are for programs, never for a browser to interpret, embed or cache. */
export function setCommonHeaders(response: ServerResponse, requestId: string, isEncrypted: boolean): void {
  response.setHeader('X-Request-Id', requestId);
  response.setHeader('X-Content-Type-Options', 'nosniff');
  response.setHeader('Cache-Control', 'no-store');
  response.setHeader('Content-Security-Policy', "default-src 'none'; frame-ancestors 'none'");
  response.setHeader('Referrer-Policy', 'no-referrer');
  if (isEncrypted) response.setHeader('Strict-Transport-Security', 'max-age=31536000');
}

/** @throws what breaks before the first byte is sent; after that the connection is cut, which is all that is left to do */
export async function sendResponse(
  request: IncomingMessage,
  response: ServerResponse,
  answer: ApiResponse,
): Promise<void> {
  if (response.destroyed) {
    answer.stream?.destroy();
    return;
  }
  const text = answer.text ?? (answer.body === undefined ? undefined : JSON.stringify(answer.body));
  response.statusCode = answer.status;
  for (const [name, value] of Object.entries(answer.headers ?? {})) response.setHeader(name, value);
  if (answer.stream !== undefined) {
    response.flushHeaders();
    await pipeStreams(answer.stream, response).catch(() => response.destroy());
    return;
  }
  if (text === undefined) {
    response.end();
    return;
  }
  if (!response.hasHeader('Content-Type')) response.setHeader('Content-Type', 'application/json');
  response.setHeader('Content-Length', Buffer.byteLength(text));
  response.end(request.method === 'HEAD' ? undefined : text);
}

/** Answers with the problem, or cuts the connection where an answer has begun already. */
export function sendProblem(
  request: IncomingMessage,
  response: ServerResponse,
  error: unknown,
  requestId: string,
  log: Logger,
): void {
  const problem = toProblem(error, requestId, log);
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  const text = JSON.stringify(problem);
  response.statusCode = problem.status;
  for (const [name, value] of Object.entries(problemHeaders(error))) response.setHeader(name, value);
  if (!request.complete) response.setHeader('Connection', 'close');
  response.setHeader('Content-Type', 'application/problem+json');
  response.setHeader('Content-Length', Buffer.byteLength(text));
  response.end(text);
}

/** Reads on a little after a refusal: closing on a client that is still sending would lose it the answer. */
export async function drain(request: IncomingMessage): Promise<void> {
  if (request.complete || request.destroyed) return;
  const announced = Number(request.headers['content-length'] ?? 0);
  if (announced > 64 * DRAIN_BYTES) return;
  let size = 0;
  await new Promise<void>((resolve) => {
    const timer = setTimeout(done, DRAIN_MILLISECONDS);
    const idle = setTimeout(done, DRAIN_IDLE_MILLISECONDS);
    const onData = (chunk: Buffer): void => {
      idle.refresh();
      size += chunk.length;
      if (size > DRAIN_BYTES) done();
    };
    function done(): void {
      clearTimeout(timer);
      clearTimeout(idle);
      request.off('data', onData).off('end', done).off('close', done);
      resolve();
    }
    request.on('data', onData).on('end', done).on('close', done).resume();
  });
}
