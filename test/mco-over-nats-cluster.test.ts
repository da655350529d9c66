/** A cluster of three servers of NATS, of which one is killed in the middle: what was acknowledged is there, and nothing is there twice. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { assign, keyOf, observedOf } from '../orchestrator/mco/testkit/assignments.ts';
import {
  createNatsBench,
  eventually,
  type NatsAgent,
  type NatsBench,
  type NatsOrchestrator,
} from './kit/nats-bench.ts';
import { isServiceMissing } from './kit/services.ts';

const HOSTS = ['gw-1', 'gw-2', 'gw-3'];
const ROUNDS = 20;

let bench: NatsBench;
let orchestrator: NatsOrchestrator;
const agents: NatsAgent[] = [];

/** Measurements and reports in turn, each repeated until it is acknowledged, as the loops of an agent do. */
async function deliver(agent: NatsAgent, onRound: (round: number) => Promise<void>): Promise<void> {
  for (let round = 1; round <= ROUNDS; round += 1) {
    await onRound(round);
    const timestamp = new Date(Date.now() + round).toISOString();
    const points = [{ metric: 'round', unit: '1', timestamp, value: round }];
    await eventually(() => agent.client.postMeasurements({ points, dropped: 0 }, round), 40_000);
    const report = { full: round === 1, workloads: [observedOf(keyOf(1), round)], removed: [] };
    const receipt = await eventually(() => agent.client.postReport(report, round), 40_000);
    expect(receipt).toEqual({ nextSequence: round + 1, ignored: 0 });
  }
}

/** Heartbeats, as an agent sends them all the time: they tell of receipts that were lost on the way. */
async function beat(agent: NatsAgent, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await agent.client.wanted({ waitSeconds: 0 }).catch(() => {});
    await sleep(500, undefined, { signal }).catch(() => {});
  }
}

describe.skipIf(isServiceMissing('nats-server'))('Mco over a cluster of NATS', () => {
  beforeAll(async () => {
    bench = await createNatsBench({ count: 3 });
    orchestrator = bench.startOrchestrator();
    for (const hostId of HOSTS) {
      const agent = await bench.agent(hostId, await bench.credential(orchestrator, hostId));
      await eventually(() => agent.sessions.envelope());
      await assign(bench.store, agent.hostId, keyOf(1));
      agents.push(agent);
    }
  }, 60_000);

  afterAll(() => bench.close(), 30_000);

  describe('a cluster of which one server is lost', () => {
    // MCO-C-074
    it('loses and doubles no measurement and no report, and gives wanted states as before', async () => {
      let isKilled = false;
      const killOne = async (round: number): Promise<void> => {
        if (round < ROUNDS / 2 || isKilled) return;
        isKilled = true;
        await bench.servers.kill(0);
      };
      const ending = new AbortController();
      const beating = agents.map((agent) => beat(agent, ending.signal));
      await Promise.all(agents.map((agent) => deliver(agent, killOne)));
      ending.abort();
      await Promise.all(beating);
      expect(isKilled).toBe(true);
      const { points } = orchestrator.monitoring.statistics();
      expect(points).toBe(HOSTS.length * ROUNDS);
      // One that comes now finds its way, too.
      const late = await bench.agent('gw-late', await bench.credential(orchestrator, 'gw-late'));
      await eventually(() => late.sessions.envelope());
      for (const agent of agents) {
        const known = [...bench.store.listByPrefix('observed', `${agent.hostId}.`)];
        expect(known.map(({ document }) => document.workload.instances[0]?.restarts)).toEqual([ROUNDS]);
        const { revision } = await eventually(() => agent.client.wanted({ waitSeconds: 0 }));
        const asked = agent.client.wanted({ since: revision, waitSeconds: 10 });
        await assign(bench.store, agent.hostId, keyOf(2));
        expect((await asked).wanted?.assignments).toHaveLength(1);
      }
      await bench.servers.start(0);
      await Promise.all(
        agents.map((agent) =>
          eventually(() => agent.client.postMeasurements({ points: [], dropped: 0 }, ROUNDS + 1), 40_000),
        ),
      );
    }, 90_000);
  });
});
