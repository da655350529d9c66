import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  parseId,
  randomIds,
  silentLogger,
  systemClock,
  type Clock,
  type HostId,
} from '../../kernel/index.ts';
import {
  createFakeDriver,
  createFakeWorld,
  type FakeDriver,
  type FakeWorld,
} from '../../vim-drivers/fake/index.ts';
import { runAgent, type AgentOptions } from '../index.ts';

/** Right in what it shows, and four times as quick in what it waits for: pauses, backoffs, pace of measurements. */
const hurriedClock: Clock = {
  ...systemClock,
  sleep: (milliseconds, signal) => systemClock.sleep(milliseconds / 4, signal),
};

export const HOST_ID = parseId<HostId>('gw-1', 'hostId');

/** An agent in this process, on a fake host that outlives it. */
export interface AgentRunner {
  readonly directory: string;
  readonly world: FakeWorld;
  /** Of the newest start. */
  driver(): FakeDriver;
  start(more?: Partial<AgentOptions>): Promise<void>;
  /** Ends the agent, as a stop does; functions run on. */
  stop(): Promise<void>;
  /** The options of a start, for those that call the doors themselves. */
  options(more?: Partial<AgentOptions>): AgentOptions;
  cleanUp(): Promise<void>;
}

/** @param parent where its data directory is made */
export function createAgentRunner(serverUrl: string, parent = tmpdir()): AgentRunner {
  const directory = mkdtempSync(join(parent, 'agent-'));
  const world = createFakeWorld({ clock: systemClock });
  let driver: FakeDriver | undefined;
  let ending = new AbortController();
  let running: Promise<unknown> = Promise.resolve();
  const options: AgentRunner['options'] = (more) => ({
    serverUrl,
    enrolmentToken: 'one-time-token-0001',
    hostId: HOST_ID,
    facts: { tier: 'device-edge', labels: { zone: 'north' }, address: '127.0.0.1' },
    dataDirectory: directory,
    openDrivers: async () => {
      driver = createFakeDriver({ world, hostId: HOST_ID });
      return [driver];
    },
    agentVersion: 'iotmano/test',
    clock: hurriedClock,
    ids: randomIds,
    random: () => 0.5,
    log: silentLogger,
    signal: ending.signal,
    ...more,
  });
  return {
    directory,
    world,
    options,
    driver: () => {
      if (driver === undefined) throw new Error('the agent was not started');
      return driver;
    },
    async start(more) {
      ending = new AbortController();
      const started = Promise.withResolvers<void>();
      running = runAgent(options({ onStarted: () => started.resolve(), ...more }));
      await Promise.race([started.promise, running]);
    },
    async stop() {
      ending.abort();
      await running;
    },
    async cleanUp() {
      ending.abort();
      await running.catch(() => undefined);
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** Waits until the condition holds; throws with its text after some seconds. */
export async function eventually(what: string, condition: () => boolean, seconds = 10): Promise<void> {
  const until = performance.now() + seconds * 1000;
  while (!condition()) {
    if (performance.now() > until) throw new Error(`it never came to pass that ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
