/**
 * Agents in a process of its own, to be killed: each with the real `process` driver. Told over the channel of its parent to start or stop the
 * agent of a directory; says so once it has.
 */
import { parseId, randomIds, silentLogger, systemClock, type HostId } from '../../kernel/index.ts';
import { runAgent } from '../index.ts';

export interface AgentOrder {
  readonly type: 'start' | 'stop';
  readonly serverUrl: string;
  readonly directory: string;
}

/** What a parent hears: the order was carried out, or why not. */
export interface AgentAnswer {
  readonly directory: string;
  readonly fault?: string;
}

const agents = new Map<string, { readonly ending: AbortController; readonly running: Promise<unknown> }>();

async function carryOut({ type, serverUrl, directory }: AgentOrder): Promise<void> {
  if (type === 'start') return start(serverUrl, directory);
  agents.get(directory)?.ending.abort();
  await agents.get(directory)?.running;
  agents.delete(directory);
}

async function start(serverUrl: string, directory: string): Promise<void> {
  const ending = new AbortController();
  const started = Promise.withResolvers<void>();
  const running = runAgent({
    serverUrl,
    enrolmentToken: 'one-time-token-0001',
    hostId: parseId<HostId>('gw-1', 'hostId'),
    facts: { tier: 'device-edge', labels: {}, address: '127.0.0.1' },
    dataDirectory: directory,
    agentVersion: 'iotmano/test',
    clock: systemClock,
    ids: randomIds,
    random: Math.random,
    log: silentLogger,
    signal: ending.signal,
    onStarted: () => started.resolve(),
  });
  agents.set(directory, { ending, running });
  await Promise.race([started.promise, running]);
}

process.on('message', (order: AgentOrder) => {
  const { directory } = order;
  const answer = (answered: AgentAnswer): void => void process.send?.(answered);
  carryOut(order).then(
    () => answer({ directory }),
    (error: unknown) => answer({ directory, fault: String(error) }),
  );
});
process.on('disconnect', () => process.exit());
