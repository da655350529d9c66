import type { Handler, OrchestratorWire, Push, Received } from '../agent-kit/orchestrator-wire.ts';

/** Makes an agent that is right do one thing wrong: between the binding and the kit. */
export interface WireMeddle {
  /** What the agent has sent, as it is to arrive. */
  readonly sent?: (received: Received) => Received;
  /** Messages that never arrive; the agent is told that they have. */
  readonly isSwallowed?: (received: Received) => boolean;
  readonly pushed?: (push: Push, newestQuestion: Received | undefined) => Push;
  readonly users?: (users: ReadonlySet<string>) => ReadonlySet<string>;
}

export async function listenMeddled(
  listen: (handler: Handler) => Promise<OrchestratorWire>,
  make: (isServerLost: () => boolean) => WireMeddle,
  handler: Handler,
): Promise<OrchestratorWire> {
  let isLost = false;
  let newest: Received | undefined;
  const meddle = make(() => isLost);
  const wire = await listen((received) => {
    if (received.operation === 'getWanted') newest = received;
    if (meddle.isSwallowed?.(received) === true) {
      const body = { nextSequence: (received.sequence ?? 0) + 1, ignored: 0 };
      return Promise.resolve({ type: 'answer', status: 200, body });
    }
    return handler(meddle.sent?.(received) ?? received);
  });
  const { nats } = wire;
  if (nats === undefined) return wire;
  return {
    ...wire,
    nats: {
      ...nats,
      get users() {
        return meddle.users?.(nats.users) ?? nats.users;
      },
      push: (push) => nats.push(meddle.pushed?.(push, newest) ?? push),
      servers: {
        ...nats.servers,
        kill: (index) => {
          isLost = true;
          return nats.servers.kill(index);
        },
      },
    },
  };
}
