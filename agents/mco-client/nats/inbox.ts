import type { Msg } from '@nats-io/transport-node';
import { IotmanoError } from '../../../kernel/index.ts';

export interface NatsReply {
  /** By names in small letters. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** Answers that are waited for, by the subject that each request has named. */
export interface Inbox {
  /** @throws IotmanoError `timeout`, `unavailable` (nobody is there, the connection or the caller is gone); always transient */
  wait(subject: string, milliseconds: number, signal: AbortSignal | undefined): Promise<NatsReply>;
  receive(message: Msg): void;
  /** What was on the way is lost. */
  fail(error: IotmanoError): void;
}

/** Of an answer that comes in parts. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

interface Waiting {
  readonly parts: Uint8Array[];
  bytes: number;
  resolve(reply: NatsReply): void;
  reject(error: IotmanoError): void;
}

export function createInbox(): Inbox {
  const waiting = new Map<string, Waiting>();

  function take(one: Waiting, message: Msg): void {
    const headers = flatHeaders(message);
    const [part, parts] = (headers['mco-part'] ?? '1/1').split('/').map(Number);
    one.bytes += message.data.length;
    if (part !== one.parts.length + 1 || one.bytes > MAX_ANSWER_BYTES) {
      one.reject(new IotmanoError('unavailable', 'the parts of an answer over NATS do not fit together'));
      return;
    }
    // Copied: what the client hands out lies in a buffer of many messages.
    one.parts.push(Uint8Array.from(message.data));
    if (part === parts) one.resolve({ headers, body: Buffer.concat(one.parts) });
  }

  return {
    wait: (subject, milliseconds, signal) =>
      new Promise((resolve, reject) => {
        const settle = (act: () => void): void => {
          clearTimeout(timer);
          signal?.removeEventListener('abort', onAbort);
          waiting.delete(subject);
          act();
        };
        const fail = (error: IotmanoError): void => settle(() => reject(error));
        const onAbort = (): void => fail(new IotmanoError('unavailable', 'the request was given up'));
        const timer = setTimeout(
          () => fail(new IotmanoError('timeout', `no answer over NATS within ${milliseconds} ms`)),
          milliseconds,
        );
        signal?.addEventListener('abort', onAbort, { once: true });
        waiting.set(subject, {
          parts: [],
          bytes: 0,
          resolve: (reply) => settle(() => resolve(reply)),
          reject: fail,
        });
        if (signal?.aborted === true) onAbort();
      }),
    receive: (message) => {
      const one = waiting.get(message.subject);
      if (one === undefined) return;
      if (message.headers?.code === 503)
        one.reject(new IotmanoError('unavailable', 'no orchestrator answers over NATS; is it running?'));
      else take(one, message);
    },
    fail: (error) => {
      for (const one of waiting.values()) one.reject(error);
    },
  };
}

export function flatHeaders({ headers }: Msg): Record<string, string> {
  const entries = (headers?.keys() ?? []).map((name) => [name.toLowerCase(), headers?.get(name) ?? '']);
  return Object.fromEntries(entries) as Record<string, string>;
}
