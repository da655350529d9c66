/** The kit against agents that are right but for one behaviour each: it has to name the requirement that is broken, and no other. */
import { rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createAgentRunner } from '../agents/testkit/agent-runner.ts';
import { runAgent } from '../agents/index.ts';
import { randomIds, systemClock } from '../kernel/index.ts';
import { DEFAULT_WORKLOAD, checkAgent, hasPassed, listenOverHttp, type ConformanceResult } from './index.ts';
import { BROKEN_AGENTS, BROKEN_AGENTS_WITH_PROGRAMS, type BrokenAgent } from './testkit/broken-agents.ts';
import {
  packAgent,
  superviseAgent,
  type AgentVersion,
  type PackedAgent,
} from '../agents/testkit/packed-agent.ts';
import { BROKEN_UPGRADING_AGENTS } from './testkit/broken-upgrading-agents.ts';
import { BROKEN_DIAGNOSTICS_AGENTS } from './testkit/broken-diagnostics-agents.ts';
import { idsWith } from './testkit/ids-with.ts';
import { startMeddlingProxy, type Meddle, type MeddlingProxy } from './testkit/meddling-proxy.ts';

/** Whatever starts an agent here can end it, with all that it runs. */
interface StartedAgent {
  /** Stops it, and starts it again after a while. */
  restart(pauseSeconds: number): Promise<void>;
  /** The same, without its key for sealed values. */
  rekey(): Promise<void>;
  end(): Promise<void>;
}

let packed: PackedAgent;
let newer: AgentVersion;

/** As hosts have it, and can exchange it. */
function startPacked(serverUrl: string, token: string): StartedAgent {
  const agent = superviseAgent({ serverUrl, token, installed: packed.version('1.0.0') });
  const restart = async (pauseSeconds = 0): Promise<void> => {
    agent.kill();
    await systemClock.sleep(pauseSeconds * 1000);
  };
  return {
    restart,
    rekey: restart,
    end: async () => {
      await agent.stop();
      rmSync(dirname(agent.dataDirectory), { recursive: true, force: true });
    },
  };
}

/** An agent on a fake host, or with the driver of processes. */
async function startAgent(
  serverUrl: string,
  enrolmentToken: string,
  hasPrograms: boolean,
): Promise<StartedAgent> {
  const runner = createAgentRunner(serverUrl);
  let ending = new AbortController();
  let running: Promise<unknown> = Promise.resolve();
  const start = async (): Promise<void> => {
    if (!hasPrograms) return runner.start({ enrolmentToken });
    ending = new AbortController();
    const { openDrivers: _fake, ...options } = runner.options({
      enrolmentToken,
      clock: systemClock,
      signal: ending.signal,
    });
    running = runAgent(options);
  };
  const stop = async (): Promise<void> => {
    ending.abort();
    await running;
    await runner.stop();
  };
  await start();
  return {
    restart: async (pauseSeconds) => {
      await stop();
      await systemClock.sleep(pauseSeconds * 1000);
      await start();
    },
    rekey: async () => {
      await stop();
      rmSync(join(runner.directory, 'sealing.key'));
      await start();
    },
    end: async () => {
      await stop();
      await runner.cleanUp();
    },
  };
}

async function check(
  meddle: Meddle,
  only: readonly string[],
  { isWasteful = false, hasPrograms = false, isPacked = false } = {},
): Promise<ConformanceResult> {
  let proxy: MeddlingProxy | undefined;
  let agent: StartedAgent | undefined;
  let starting: Promise<void> = Promise.resolve();
  const start = async ({ url, token }: { url: string; token: string }): Promise<void> => {
    proxy = await startMeddlingProxy(url, meddle, isWasteful);
    agent = isPacked ? startPacked(proxy.url, token) : await startAgent(proxy.url, token, hasPrograms);
  };
  try {
    return await checkAgent({
      listen: (handler) => listenOverHttp({ address: '127.0.0.1', port: 0 }, handler, systemClock),
      hands: {
        restart: async (_, pauseSeconds) => agent?.restart(pauseSeconds),
        rekey: async () => agent?.rekey(),
      },
      workload: DEFAULT_WORKLOAD,
      release: isPacked ? newer : undefined,
      only,
      timeoutSeconds: 45,
      waitSeconds: 60,
      certificateSeconds: 9,
      clock: systemClock,
      ids: randomIds,
      signal: new AbortController().signal,
      onListening: (told) => {
        starting = start(told);
      },
    });
  } finally {
    await starting;
    await agent?.end();
    await proxy?.close();
  }
}

/** Many at once: each mostly waits, for pauses of the agent and for what must not happen. */
const AT_ONCE = 14;
const ALL: readonly (BrokenAgent & { readonly hasPrograms: boolean; readonly isPacked?: boolean })[] = [
  ...BROKEN_AGENTS.map((each) => ({ ...each, hasPrograms: false })),
  ...[...BROKEN_AGENTS_WITH_PROGRAMS, ...BROKEN_DIAGNOSTICS_AGENTS].map((each) => ({
    ...each,
    hasPrograms: true,
  })),
  ...BROKEN_UPGRADING_AGENTS.map((each) => ({ ...each, hasPrograms: true, isPacked: true })),
];
// The agent of the tests hurries: it does not wait for as long as it is asked to.
const WITHOUT_HURRY = BROKEN_AGENTS.map(({ requirement }) => requirement).filter((id) => id !== 'MCO-C-013');
const checkRight = (): Promise<ConformanceResult> => check((_, forward) => forward(), WITHOUT_HURRY);
const results = new Map<BrokenAgent | 'right', Promise<ConformanceResult>>();

beforeAll(async () => {
  packed = await packAgent();
  newer = packed.version('2.0.0');
  results.set('right', checkRight());
  const lanes: Promise<unknown>[] = Array.from({ length: AT_ONCE }, () => Promise.resolve());
  for (const [index, each] of ALL.entries()) {
    const lane = index % AT_ONCE;
    const result = (lanes[lane] ?? Promise.resolve()).then(() =>
      check(each.make(), [each.requirement], each),
    );
    results.set(each, result);
    lanes[lane] = result.catch(() => undefined);
  }
  await Promise.allSettled(results.values());
}, 400_000);
afterAll(() => packed.cleanUp());

// Agents are judged by the clock, and a crowd of them on a machine that others use is late now and then: what went wrong is done again with nobody beside.
describe('the kit', () => {
  it('finds nothing wrong through a proxy that meddles with nothing', async () => {
    const first = await results.get('right')?.catch(() => undefined);
    const result = first !== undefined && hasPassed(first) ? first : await checkRight();
    expect(result.cases.length).toBeGreaterThan(15);
    expect(
      result.cases.flatMap(({ id, faults }) => faults.map(({ message }) => `${id}: ${message}`)),
    ).toEqual([]);
  }, 170_000);

  it.each(ALL)(
    'finds an agent that $does ($requirement)',
    async (broken) => {
      const first = await results.get(broken)?.catch(() => undefined);
      const isFound = first !== undefined && idsWith('failed', first).join(' ') === broken.requirement;
      const result = isFound ? first : await check(broken.make(), [broken.requirement], broken);
      expect(idsWith('failed', result)).toEqual([broken.requirement]);
    },
    170_000,
  );
});
