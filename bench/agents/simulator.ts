/** Many simulated agents in a process of their own, which does as its parent says. */
import { createPrivateKey } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { HostId, StateId } from '../../kernel/index.ts';
import { runSimulatedAgent } from './simulated-agent.ts';

export interface SimulatorOrder {
  readonly serverUrl: string;
  readonly hostIds: readonly string[];
  readonly privateKeyPem: string;
  readonly stateId: string;
  readonly m2mSpId: string;
  readonly startsPerSecond: number;
}

/** `polling`: all agents have had their first answer; `reported`: each has told of a function that runs, at these times (milliseconds since the epoch). */
export type SimulatorNews =
  { readonly type: 'polling' } | { readonly type: 'reported'; readonly at: readonly number[] };

async function simulate(order: SimulatorOrder): Promise<void> {
  const privateKey = createPrivateKey(order.privateKeyPem);
  const { signal } = new AbortController();
  const polling = new Set<string>();
  const reported = new Map<string, number>();
  const tell = (news: SimulatorNews): void => void process.send?.(news);
  for (const hostId of order.hostIds) {
    const { serverUrl, m2mSpId } = order;
    void runSimulatedAgent({
      serverUrl,
      m2mSpId,
      hostId: hostId as HostId,
      stateId: order.stateId as StateId,
      privateKey,
      signal,
      onFirstAnswer: () => {
        if (polling.has(hostId)) return;
        polling.add(hostId);
        if (polling.size === order.hostIds.length) tell({ type: 'polling' });
      },
      onReported: () => {
        if (reported.has(hostId)) return;
        reported.set(hostId, Date.now());
        if (reported.size === order.hostIds.length) tell({ type: 'reported', at: [...reported.values()] });
      },
    });
    await sleep(1000 / order.startsPerSecond);
  }
}

process.on('message', (order: SimulatorOrder) => void simulate(order));
process.on('disconnect', () => process.exit());
