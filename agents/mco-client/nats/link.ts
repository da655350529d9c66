import {
  AuthorizationError,
  PermissionViolationError,
  UserAuthenticationExpiredError,
  connect,
  headers as createHeaders,
  nuid,
  type Authenticator,
  type Msg,
  type NatsConnection,
} from '@nats-io/transport-node';
import { IotmanoError, createTurns, messageOf, type Logger } from '../../../kernel/index.ts';
import { createInbox, flatHeaders, type Inbox, type NatsReply } from './inbox.ts';
import { tlsOptions, type NatsServers } from './nats-servers.ts';

/** As whom the host connects. */
export type Role = 'host' | 'enrolment';

export interface LinkOptions {
  readonly servers: NatsServers;
  readonly hostId: string;
  readonly authenticatorOf: (role: Role) => Authenticator;
  readonly log: Logger;
  readonly onPush: (headers: Readonly<Record<string, string>>, body: Buffer) => void;
  readonly onReceipt: (headers: Readonly<Record<string, string>>, body: Buffer) => void;
  /** Messages that were not asked for may have been missed. */
  readonly onGap: () => void;
}

/** The one connection of this host: opened when something is to be sent, and kept. */
export interface Link {
  /** @throws IotmanoError transient; `not-found` where the servers do not take this host, `payload-too-large` */
  request(
    role: Role,
    operation: string,
    headers: Readonly<Record<string, string>>,
    body: Uint8Array,
    milliseconds: number,
    signal: AbortSignal | undefined,
  ): Promise<NatsReply>;
  /** The next request goes over a new connection. */
  renew(): void;
  close(): void;
}

interface Opened {
  readonly role: Role;
  readonly connection: NatsConnection;
  readonly inbox: Inbox;
  readonly inboxSubject: string;
  isUp: boolean;
}

const CONNECT_MILLISECONDS = 5000;
/** Left for headers and protocol in a message of `max_payload`. */
const HEADROOM_BYTES = 8 * 1024;

export function createLink(options: LinkOptions): Link {
  const { hostId } = options;
  let opened: Opened | undefined;
  const inTurn = createTurns();
  let isClosed = false;
  let count = 0;

  /** One after the other, so that there is never more than one connection. */
  function ensure(role: Role): Promise<Opened> {
    return inTurn(() => (opened?.role === role && !opened.connection.isClosed() ? opened : open(role)));
  }

  async function open(role: Role): Promise<Opened> {
    await opened?.connection.close();
    opened = undefined;
    if (isClosed) throw lost('the connection is closed');
    const connection = await connectAs(options, role);
    if (isClosed) {
      await connection.close();
      throw lost('the connection is closed');
    }
    const inboxSubject = `_INBOX.mco.${hostId}.${role === 'enrolment' ? 'enrol.' : ''}${nuid.next()}`;
    const next: Opened = { role, connection, inbox: createInbox(), inboxSubject, isUp: true };
    subscribe(options, next);
    void follow(options, next);
    opened = next;
    return next;
  }

  return {
    request: async (role, operation, headers, body, milliseconds, signal) => {
      const { connection, inbox, inboxSubject, isUp } = await ensure(role);
      if (!isUp)
        throw new IotmanoError('unavailable', 'the connection to NATS is down; it comes back by itself');
      requireFits(connection, operation, body);
      count += 1;
      const reply = `${inboxSubject}.${count}`;
      const answer = inbox.wait(reply, milliseconds, signal);
      const carried = createHeaders();
      for (const [name, value] of Object.entries(headers)) carried.set(name, value);
      try {
        connection.publish(`mco.v1.${hostId}.${operation}`, body, { reply, headers: carried });
      } catch (error) {
        inbox.fail(lost(`nothing can be sent over NATS: ${messageOf(error)}`));
      }
      return await answer;
    },
    renew: () => void opened?.connection.close(),
    close: () => {
      isClosed = true;
      void opened?.connection.close();
    },
  };
}

async function connectAs(
  { servers, hostId, authenticatorOf }: LinkOptions,
  role: Role,
): Promise<NatsConnection> {
  const authenticator = authenticatorOf(role);
  try {
    return await connect({
      servers: [...servers.servers],
      name: `iotmano agent ${hostId}`,
      authenticator,
      inboxPrefix: `_INBOX.mco.${hostId}`,
      timeout: CONNECT_MILLISECONDS,
      maxReconnectAttempts: -1,
      reconnectTimeWait: 500,
      reconnectJitter: 500,
      reconnectJitterTLS: 500,
      pingInterval: 10_000,
      // An operator has said which servers there are; what they say of each other may be of another network.
      ignoreClusterUpdates: true,
      ...tlsOptions(servers),
    });
  } catch (error) {
    throw cannotConnect(servers.servers, hostId, role, error);
  }
}

function cannotConnect(servers: readonly string[], hostId: string, role: Role, error: unknown): IotmanoError {
  const isRefused = error instanceof AuthorizationError || error instanceof UserAuthenticationExpiredError;
  if (!isRefused)
    return new IotmanoError(
      'unavailable',
      `NATS at ${servers.join(', ')} cannot be reached: ${messageOf(error)}; check the servers and the network`,
      {},
      error,
    );
  return new IotmanoError(
    role === 'host' ? 'not-found' : 'unauthorized',
    role === 'host'
      ? `the servers of NATS do not take host "${hostId}" any more`
      : `the servers of NATS do not take the credential that host "${hostId}" would enrol with; it may have expired`,
    {},
    error,
  );
}

function subscribe(
  { hostId, log, onPush, onReceipt }: LinkOptions,
  { connection, inbox, inboxSubject, role }: Opened,
): void {
  const take = (handle: (message: Msg) => void) => ({
    callback: (error: Error | null, message: Msg): void => {
      if (error === null) handle(message);
      else log.warn({ reason: error.message }, 'a subscription to NATS failed');
    },
  });
  connection.subscribe(`${inboxSubject}.*`, take(inbox.receive));
  if (role === 'enrolment') return;
  const passOn = (to: LinkOptions['onPush']) =>
    take((message) => to(flatHeaders(message), Buffer.from(message.data)));
  connection.subscribe(`mco.v1.${hostId}.wanted.changed`, passOn(onPush));
  connection.subscribe(`mco.v1.${hostId}.receipts`, passOn(onReceipt));
}

/** What becomes of the connection, until it is closed for good: then the next request opens another. */
async function follow({ log, onGap, hostId }: LinkOptions, opened: Opened): Promise<void> {
  for await (const status of opened.connection.status()) {
    if (status.type === 'disconnect' || status.type === 'close') {
      opened.isUp = false;
      opened.inbox.fail(lost('the connection to NATS was lost'));
      onGap();
    }
    if (status.type === 'reconnect') {
      opened.isUp = true;
      log.info({ server: status.server }, 'connected to NATS again');
      onGap();
    }
    if (status.type === 'error') {
      log.warn({ reason: status.error.message }, 'NATS refuses something');
      if (status.error instanceof PermissionViolationError)
        opened.inbox.fail(notAllowed(hostId, opened.role));
    }
  }
  opened.isUp = false;
  opened.inbox.fail(lost('the connection to NATS is closed'));
  onGap();
}

function lost(message: string): IotmanoError {
  return new IotmanoError('unavailable', message);
}

/** A credential names its host, and the servers hold it to that. */
function notAllowed(hostId: string, role: Role): IotmanoError {
  return role === 'enrolment'
    ? new IotmanoError('unauthorized', `the credential is for another host than "${hostId}"`)
    : lost(`NATS does not let host "${hostId}" do that; were the servers set up by another orchestrator?`);
}

function requireFits({ info }: NatsConnection, operation: string, body: Uint8Array): void {
  const most = (info?.max_payload ?? 0) - HEADROOM_BYTES;
  if (body.length <= most) return;
  throw new IotmanoError(
    'payload-too-large',
    `${operation} takes ${body.length} bytes and the servers of NATS take ${most}; have their max_payload raised`,
  );
}
