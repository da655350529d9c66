import type { NatsConnection } from '@nats-io/transport-node';

/** Who is connected to the servers, as they tell it. */
export interface Connections {
  /** Keys of users that were connected at any time, but for the kit's own. */
  readonly users: ReadonlySet<string>;
  /** The most at a time. */
  most(): number;
  /** Name of the server that a user is connected to. */
  serverOf(user: string): string | undefined;
}

interface ConnectionEvent {
  readonly server: { readonly name: string };
  readonly client: { readonly id: number; readonly user?: string; readonly name?: string };
}

/** @param observer connected to the account of the servers */
export function observeConnections(observer: NatsConnection, account: string): Connections {
  const users = new Set<string>();
  const open = new Map<string, { readonly user: string; readonly server: string }>();
  let most = 0;
  const see = (kind: 'CONNECT' | 'DISCONNECT'): void => {
    observer.subscribe(`$SYS.ACCOUNT.${account}.${kind}`, {
      callback: (error, message) => {
        if (error !== null) return;
        const { server, client } = message.json<ConnectionEvent>();
        if (client.name === 'conformance kit' || client.user === undefined) return;
        const id = `${server.name} ${client.id}`;
        if (kind === 'DISCONNECT') return void open.delete(id);
        users.add(client.user);
        open.set(id, { user: client.user, server: server.name });
        most = Math.max(most, open.size);
      },
    });
  };
  see('CONNECT');
  see('DISCONNECT');
  return {
    users,
    most: () => most,
    serverOf: (user) => [...open.values()].findLast((each) => each.user === user)?.server,
  };
}
