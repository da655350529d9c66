import { readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { IotmanoError, messageOf, type Clock } from '../../kernel/index.ts';
import { answerFaults, loadOperations, type Operation } from '../mco-document.ts';
import { createTrace, show, type Trace } from '../trace.ts';
import type { AgentWire, Answer, Message } from './agent-wire.ts';
import { exchange, keepConnection, type Connector } from './http-exchange.ts';

export interface HttpAgentWireOptions {
  /** Origin of the orchestrator. */
  readonly target: URL;
  /** Further certificate authorities (PEM). */
  readonly caFile?: string | undefined;
  readonly clock: Clock;
}

/** The binding to HTTP, from the side of an agent. */
export function createHttpAgentWire({ target, caFile, clock }: HttpAgentWireOptions): AgentWire {
  const operations = new Map(loadOperations().map((each) => [each.operationId, each]));
  const ca = caFile === undefined ? undefined : readAuthorities(caFile);
  /** Each message over a connection of its own, unless there is one to be used. */
  async function carry(
    message: Message,
    trace: Trace,
    signal: AbortSignal,
    connector: Connector,
  ): Promise<Answer> {
    const operation = operations.get(message.operation);
    if (operation === undefined)
      throw new IotmanoError('internal', `Mco has no operation ${message.operation}`);
    const path = pathOf(operation, message);
    const headers = headersOf(message);
    const payload = message.raw?.text ?? (message.body === undefined ? '' : JSON.stringify(message.body));
    const startedAt = clock.monotonic();
    const told = {
      atMilliseconds: Math.round(startedAt),
      operation: message.operation,
      request: show(
        headers,
        payload,
        `${operation.method} ${path}${connector.shown === undefined ? '' : ', on a connection that shows a certificate'}`,
      ),
    };
    try {
      const { response, bytes } = await exchange(
        { url: new URL(path, target), method: operation.method, headers, payload, connector },
        signal,
      );
      const answer = toAnswer(operation, response, bytes);
      trace.add({ ...told, answer: { status: answer.status, ...show(answer.headers, shownBody(answer)) } });
      return answer;
    } catch (error) {
      trace.add({ ...told, note: `no answer: ${messageOf(error)}` });
      throw new IotmanoError(
        'unavailable',
        `${operation.method} ${path} at ${target.origin} was not answered: ${messageOf(error)}`,
        {},
        error,
      );
    }
  }

  const wire: AgentWire = {
    binding: 'http',
    send: ({ key, certificate, ...message }, trace, signal) =>
      carry(message, trace, signal, {
        agent: false,
        ca,
        ...(key === undefined || certificate === undefined ? {} : { shown: { key, certificate } }),
      }),
    ...(target.protocol === 'https:'
      ? {
          tls: {
            open: (shown) => {
              const kept = keepConnection({ ca, shown });
              return {
                ...kept,
                send: (message, trace, signal) => carry(message, trace, signal, kept.connector),
              };
            },
          },
        }
      : {}),
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
