import { IotmanoError, nkeyName } from '../../../kernel/index.ts';
import { inboxPrefixOf, type BrokerClient } from '../../shared/index.ts';

export interface ServerSettings {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly monitorPort: number;
  readonly maxPayloadBytes: number;
  /** NATS name of a key that nobody has: an empty list of users would open the server to everybody. */
  readonly placeholderKey: string;
}

interface Permissions {
  readonly publish: { readonly allow?: readonly string[]; readonly deny?: readonly string[] };
  readonly subscribe: { readonly allow: readonly string[] };
  readonly allow_responses: { readonly max: number; readonly expires: string };
}

/** Subjects are words of letters, digits, `-` and `_`, or wildcards; a queue group may follow a subject to subscribe to. */
const SUBJECT_PATTERN = /^[\w*>-]+(\.[\w*>-]+)*( [\w-]+)?$/;

/**
 * The configuration of nats-server: each client may publish and subscribe to what its binding's `access` names, listen for
 * answers below an inbox of its own, answer once to each request it gets, and nothing else.
 */
export function renderServerConfig(settings: ServerSettings, clients: readonly BrokerClient[]): string {
  const users = clients.map((client) => {
    const nkey = nkeyName(client.publicKey);
    return { nkey, permissions: permissionsOf(client, nkey) };
  });
  const nobody = {
    nkey: settings.placeholderKey,
    permissions: { publish: { deny: ['>'] }, subscribe: { deny: ['>'] } },
  };
  // nats-server's configuration language is a superset of JSON.
  return `${JSON.stringify(
    {
      server_name: settings.name,
      host: settings.host,
      port: settings.port,
      http: `127.0.0.1:${settings.monitorPort}`,
      max_payload: settings.maxPayloadBytes,
      ping_interval: '10s',
      write_deadline: '5s',
      authorization: { timeout: 2, users: [nobody, ...users] },
    },
    null,
    2,
  )}\n`;
}

function permissionsOf(client: BrokerClient, nkey: string): Permissions {
  const publish = subjectsOf(client, 'publish');
  return {
    publish: publish.length > 0 ? { allow: publish } : { deny: ['>'] },
    subscribe: { allow: [...subjectsOf(client, 'subscribe'), `${inboxPrefixOf(nkey)}.>`] },
    allow_responses: { max: 1, expires: '1m' },
  };
}

function subjectsOf(client: BrokerClient, direction: 'publish' | 'subscribe'): readonly string[] {
  const value = client.access[direction] ?? [];
  if (
    !Array.isArray(value) ||
    !value.every((item): item is string => typeof item === 'string' && SUBJECT_PATTERN.test(item))
  ) {
    throw new IotmanoError(
      'invalid-parameter',
      `client ${client.id}: access.${direction} must be a list of NATS subjects, each with an optional queue group`,
    );
  }
  return value;
}
