import type { Msg, NatsConnection } from '@nats-io/transport-node';
import { NATS_OPERATIONS, type NatsOperation } from '../../../api-specs/generated/mco-nats.ts';
import { isId, messageOf, type HostId, type Logger } from '../../../kernel/index.ts';
import type { Dispatcher, MessageAnswer, MessageRequest } from '../../api/index.ts';
import { answerHeaders, toRequest } from './message-headers.ts';
import { sendParts } from './send-parts.ts';
import { ORCHESTRATOR, hostIdOfSubject, isInboxOf, subjectOfAll } from './subjects.ts';

export interface Answered {
  readonly operation: NatsOperation;
  readonly hostId: HostId;
  readonly request: MessageRequest;
  readonly answer: MessageAnswer;
}

export interface ListenerOptions {
  readonly connection: NatsConnection;
  readonly dispatcher: Dispatcher;
  readonly m2mSpId: string;
  readonly log: Logger;
  /** What an answer carries in this binding alone, as headers; called before it is sent. */
  readonly addHeaders: (answered: Answered) => Promise<Readonly<Record<string, string>>>;
}

/** Answers the requests of hosts, for as long as the connection lives. Measurements come another way. */
export function listen(options: ListenerOptions): void {
  for (const operation of NATS_OPERATIONS) {
    if (operation.name === 'measurements') continue;
    options.connection.subscribe(subjectOfAll(operation.name), {
      queue: ORCHESTRATOR,
      callback: (error, message) => {
        if (error !== null) options.log.warn({ reason: error.message }, 'a subscription to NATS failed');
        else void answer(options, operation, message);
      },
    });
  }
}

async function answer(
  { connection, dispatcher, m2mSpId, log, addHeaders }: ListenerOptions,
  operation: (typeof NATS_OPERATIONS)[number],
  message: Msg,
): Promise<void> {
  const hostId = hostIdOfSubject(message.subject);
  const reply = message.reply ?? '';
  if (!isId(hostId) || !isInboxOf(hostId, reply)) {
    log.warn(
      { subject: message.subject, reply },
      'a request over NATS that names no inbox of its host is not answered',
    );
    return;
  }
  try {
    const request = toRequest(operation, hostId, message);
    const given = await dispatcher.dispatch(request);
    const more = await addHeaders({ operation: operation.name, hostId, request, answer: given });
    sendParts(connection, reply, { ...answerHeaders(given, m2mSpId), ...more }, given.body);
  } catch (error) {
    // The host repeats what was not answered.
    log.warn(
      { hostId, operation: operation.name, reason: messageOf(error) },
      'a request over NATS was not answered',
    );
  }
}
