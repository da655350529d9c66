import { readFileSync } from 'node:fs';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { IotmanoError, messageOf, type Clock } from '../../kernel/index.ts';
import { answerFaults, loadOperations, type Operation } from '../mco-document.ts';
import { createTrace, show } from '../trace.ts';
import type { AgentWire, Answer, Message } from './agent-wire.ts';

export interface HttpAgentWireOptions {
  /** Origin of the orchestrator. */
  readonly target: URL;
  /** Further certificate authorities (PEM). */
  readonly caFile?: string | undefined;
  readonly clock: Clock;
}

const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

/** The binding to HTTP, from the side of an agent. */
export function createHttpAgentWire({ target, caFile, clock }: HttpAgentWireOptions): AgentWire {
  const operations = new Map(loadOperations().map((each) => [each.operationId, each]));
  const ca = caFile === undefined ? undefined : readAuthorities(caFile);
  const wire: AgentWire = {
    binding: 'http',
    send: async (message, trace, signal) => {
      const operation = operations.get(message.operation);
      if (operation === undefined)
        throw new IotmanoError('internal', `Mco has no operation ${message.operation}`);
      const path = pathOf(operation, message);
      const headers = headersOf(message);
      const payload = message.raw?.text ?? (message.body === undefined ? '' : JSON.stringify(message.body));
      const sent = show(headers, payload, `${operation.method} ${path}`);
      const startedAt = clock.monotonic();
      const note = (rest: { note: string } | { answer: Answer }): void =>
        trace.add({
          atMilliseconds: Math.round(startedAt),
          operation: message.operation,
          request: sent,
          ...('note' in rest
            ? rest
            : {
                answer: { status: rest.answer.status, ...show(rest.answer.headers, shownBody(rest.answer)) },
              }),
        });
      try {
        const { response, bytes } = await exchange(
          { url: new URL(path, target), method: operation.method, headers, payload, ca },
          signal,
        );
        const answer = toAnswer(operation, response, bytes);
        note({ answer });
        return answer;
      } catch (error) {
        note({ note: `no answer: ${messageOf(error)}` });
        throw new IotmanoError(
          'unavailable',
          `${operation.method} ${path} at ${target.origin} was not answered: ${messageOf(error)}`,
          {},
          error,
        );
      }
    },
    // Anything that answers will do.
    reach: async (signal) => {
      const nobody = { operation: 'createChallenge', hostId: 'kit-nobody', bootId: 'kit-nobody-boot' };
      const message = { ...nobody, version: '1.0', spId: '//nobody.example' };
      await wire.send(message, createTrace(), signal);
    },
    close: () => Promise.resolve(),
  };
  return wire;
}

function readAuthorities(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new IotmanoError(
      'invalid-parameter',
      `--ca-file wants a PEM file that can be read; ${messageOf(error)}`,
      { parameter: 'ca-file' },
      error,
    );
  }
}

function shownBody({ body, bytes }: Answer): unknown {
  return body ?? (bytes.length === 0 ? undefined : `(${bytes.length} bytes)`);
}

function pathOf(operation: Operation, { hostId, digest, streamId, query }: Message): string {
  const path = operation.path
    .replace('{hostId}', hostId)
    .replace('{digest}', digest ?? '')
    .replace('{streamId}', streamId ?? '');
  const search = new URLSearchParams(query).toString();
  return search === '' ? path : `${path}?${search}`;
}

function headersOf(message: Message): Record<string, string> {
  const { version, bootId, spId, token, sequence, time, range, raw, body } = message;
  return {
    accept: 'application/json, application/problem+json',
    'mco-version': version,
    'mco-boot-id': bootId,
    ...(spId === undefined ? {} : { 'mco-sp-id': spId }),
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    ...(sequence === undefined ? {} : { 'mco-sequence': String(sequence) }),
    ...(time === undefined ? {} : { 'mco-time': time }),
    ...(range === undefined ? {} : { range }),
    ...(raw === undefined && body === undefined
      ? {}
      : { 'content-type': raw?.mediaType ?? 'application/json' }),
  };
}

interface Request {
  readonly url: URL;
  readonly method: string;
  readonly headers: Record<string, string>;
  readonly payload: string;
  readonly ca: string | undefined;
}

function exchange(
  { url, method, headers, payload, ca }: Request,
  signal: AbortSignal,
): Promise<{ readonly response: IncomingMessage; readonly bytes: Buffer }> {
  return new Promise((resolve, reject) => {
    const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
    const request = send(
      url,
      { method, headers, signal, agent: false, ...(ca === undefined ? {} : { ca }) },
      (response) => {
        const parts: Buffer[] = [];
        let size = 0;
        response.on('data', (part: Buffer) => {
          parts.push(part);
          size += part.length;
          if (size > MAX_ANSWER_BYTES) response.destroy(new RangeError(`over ${MAX_ANSWER_BYTES} bytes`));
        });
        response.once('end', () => resolve({ response, bytes: Buffer.concat(parts) }));
        response.once('error', reject);
      },
    );
    request.once('error', reject);
    if (payload !== '') request.setHeader('content-length', Buffer.byteLength(payload));
    request.end(payload);
  });
}

function toAnswer(operation: Operation, response: IncomingMessage, bytes: Buffer): Answer {
  const status = response.statusCode ?? 0;
  const { headers } = response;
  const isJson = /^application\/(problem\+)?json\b/.test(String(headers['content-type']));
  const body = isJson && bytes.length > 0 ? parseJson(bytes) : undefined;
  const faults = answerFaults(operation, { status, headers, body });
  return { operation: operation.operationId, status, headers, body, bytes, faults };
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
}
