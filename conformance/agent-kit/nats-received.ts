import type { JsMsg } from '@nats-io/jetstream';
import type { Msg } from '@nats-io/transport-node';
import { natsFaults } from '../nats/document.ts';
import { bytesOf, headersOf, payloadOf } from '../nats/messages.ts';
import type { Received } from './orchestrator-wire.ts';
import { unzip } from './unzip.ts';

/** What came over NATS as a message of Mco. `at`: monotonic milliseconds. */
export function toReceived(operation: string, message: Msg | JsMsg, at: number): Received {
  const headers = headersOf(message);
  const bytes = unzip(bytesOf(message), headers['Content-Encoding']);
  const payload = payloadOf(bytes);
  const sequence = headers['Mco-Sequence'];
  const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(headers['Range'] ?? '') ?? [];
  const query = [
    ['since', headers['Mco-Since']],
    ['full', headers['Mco-Full']],
    ['drain', headers['Mco-Drain']],
  ].filter((entry): entry is [string, string] => entry[1] !== undefined);
  return {
    at,
    operation,
    hostId: message.subject.split('.')[2] ?? '',
    version: headers['Mco-Version'] ?? '',
    spId: headers['Mco-Sp-Id'],
    bootId: headers['Mco-Boot-Id'] ?? '',
    sequence: sequence === undefined ? undefined : Number(sequence),
    token: /^Bearer +(\S+)$/i.exec(headers['Authorization'] ?? '')?.[1],
    messageId: headers['Nats-Msg-Id'],
    // The servers let nobody else publish to its subject.
    isKnownBySubject: operation === 'postMeasurements',
    query: new Map(query),
    digest: headers['Mco-Digest'],
    streamId: headers['Mco-Stream-Id'],
    rangeFrom: from === undefined ? undefined : Number(from),
    rangeTo: to === undefined || to === '' ? undefined : Number(to),
    body: payload ?? undefined,
    faults: natsFaults(operation, headers, payload),
  };
}
