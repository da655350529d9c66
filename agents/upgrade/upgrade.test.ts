/** The packed agent, real processes: another version is tried, confirmed or left again, and functions notice nothing. */
import { readFileSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { removeDirectory } from '../../vim-drivers/process/testkit.ts';
import { STATE_FORMATS } from '../state-formats.ts';
import { eventually } from '../testkit/agent-runner.ts';
import { assignmentOf } from '../testkit/assignment.ts';
import { startMcoDouble, type McoDouble } from '../testkit/mco-double.ts';
import { mountSmallDisk } from '../testkit/small-disk.ts';
import {
  FAULTS,
  packAgent,
  superviseAgent,
  type AgentVersion,
  type PackedAgent,
  type SupervisedAgent,
} from '../testkit/packed-agent.ts';

// Each test starts some ten programs, on machines that may be shared.
vi.setConfig({ testTimeout: 240_000 });
/** Hosts at a time. */
const MOST_HOSTS = 6;

let packed: PackedAgent;
let old: AgentVersion;
let fresh: AgentVersion;

beforeAll(async () => {
  packed = await packAgent();
  old = packed.version('1.0.0');
  fresh = packed.version('2.0.0');
});
afterAll(() => packed.cleanUp());

interface Told {
  readonly agentVersion?: string;
  readonly orderId?: string;
  readonly state?: string;
  readonly reason?: string;
}

/** A host whose function runs, with its orchestrator. */
class Host {
  readonly double: McoDouble;
  readonly agent: SupervisedAgent;
  /** What the host wrote of the start of its function: another start would have another line. */
  run = '';
  #orders = 0;

  constructor(double: McoDouble, parent: string | undefined) {
    this.double = double;
    this.agent = superviseAgent({ serverUrl: double.url, installed: old, parent });
  }

  static async open(parent?: string): Promise<Host> {
    const host = new Host(await startMcoDouble(), parent);
    host.double.assign([assignmentOf()]);
    await host.until('the function runs', () => host.stateOfFunction() === 'RUNNING');
    host.run = host.runOfFunction();
    return host;
  }

  async close(): Promise<void> {
    const { double, agent } = this;
    double.orderUpgrade(undefined);
    double.assign([]);
    await this.until('nothing runs any more', () => double.observed().size === 0);
    await agent.stop();
    await double.disappear();
    await removeDirectory(join(agent.dataDirectory, 'process'));
    rmSync(dirname(agent.dataDirectory), { recursive: true, force: true });
    if (double.faults.length > 0) throw new Error(double.faults.join('; '));
  }

  async until(what: string, condition: () => boolean): Promise<void> {
    await eventually(what, condition, 120).catch((error: unknown) => {
      throw new Error(
        `${String(error)}; it tells ${JSON.stringify(this.told())}, its log: ${this.agent.log}`,
      );
    });
  }

  stateOfFunction(): string | undefined {
    return [...this.double.observed().values()][0]?.instances[0]?.state;
  }

  /** Attempt, boot, process ids. */
  runOfFunction(): string {
    const directory = join(this.agent.dataDirectory, 'process');
    return readdirSync(directory, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('/run'))
      .map((name) => readFileSync(join(directory, name), 'utf8'))
      .join('');
  }

  /** @returns id of the order */
  order(version: AgentVersion, confirmWithinSeconds = 30, content = version.content): string {
    this.double.artifacts.set(version.digest, content);
    this.#orders += 1;
    const { digest, sizeBytes } = version;
    const orderId = `order-${this.#orders}`;
    this.double.orderUpgrade({
      orderId,
      version: version.version,
      artifact: { digest, sizeBytes },
      confirmWithinSeconds,
    });
    return orderId;
  }

  told(): Told {
    const { agentVersion = '', agentUpgrade } = this.double.facts.at(-1) ?? {};
    const { orderId = '', state = '', reason = '' } = agentUpgrade?.order ?? {};
    return { agentVersion, orderId, state, reason };
  }

  async untilTold(wanted: Told): Promise<void> {
    await this.until(`the host tells ${JSON.stringify(wanted)}`, () =>
      Object.entries(wanted).every(([name, value]) => this.told()[name as keyof Told] === value),
    );
  }

  triesInLog(): number {
    return this.agent.log.split('a version of the agent is tried').length - 1;
  }

  isOnTrial(): boolean {
    const trial = this.agent.pointer()?.['trial'] as { startedAt?: string } | undefined;
    return trial?.startedAt !== undefined;
  }
}

let open = 0;
const waiting: (() => void)[] = [];

/**
 * Hosts of tests that run side by side, some at a time.
 * @param parent where its files are
 */
async function onHost(use: (host: Host) => Promise<void>, parent?: string): Promise<void> {
  if (open >= MOST_HOSTS) await new Promise<void>((resolve) => waiting.push(resolve));
  open += 1;
  try {
    const host = await Host.open(parent);
    try {
      await use(host);
    } finally {
      await host.close();
    }
  } finally {
    open -= 1;
    waiting.shift()?.();
  }
}

describe.concurrent('an agent whose program is to be exchanged', () => {
  // MCO-O-081, MCO-O-089, MCO-O-090
  it('becomes the version that is wanted in the same process, keeps its functions as they run, and goes back the same way', () =>
    onHost(async (host) => {
      await host.untilTold({ agentVersion: '2.0.0', state: 'CONFIRMED', orderId: host.order(fresh) });
      expect(host.agent.pointer()).toMatchObject({ current: fresh.digest, previous: old.digest });
      await host.untilTold({ agentVersion: '1.0.0', state: 'CONFIRMED', orderId: host.order(old) });
      expect(host.runOfFunction()).toBe(host.run);
      expect(host.agent.pids).toHaveLength(1);
    }));

  // MCO-O-093
  it('keeps the version that runs and the one before it, and no other', () =>
    onHost(async (host) => {
      await host.untilTold({ agentVersion: '2.0.0', orderId: host.order(fresh), state: 'CONFIRMED' });
      const third = packed.version('3.0.0');
      await host.untilTold({ agentVersion: '3.0.0', orderId: host.order(third), state: 'CONFIRMED' });
      const files = readdirSync(join(host.agent.dataDirectory, 'agent')).filter((name) =>
        name.endsWith('.mjs'),
      );
      const hex = ({ digest }: AgentVersion): string => `${digest.replace('sha256:', '')}.mjs`;
      expect(files.toSorted()).toEqual([hex(fresh), hex(third)].toSorted());
    }));

  it('runs the newest version after its machine was started anew, and what is installed by hand from then on', () =>
    onHost(async (host) => {
      await host.untilTold({ agentVersion: '2.0.0', orderId: host.order(fresh), state: 'CONFIRMED' });
      host.agent.kill();
      const before = host.double.facts.length;
      await host.until('it is back', () => host.double.facts.length > before);
      expect(host.told()).toMatchObject({ agentVersion: '2.0.0', state: 'CONFIRMED' });
      host.double.orderUpgrade(undefined);
      host.agent.install(packed.version('1.5.0'));
      host.agent.kill();
      await host.untilTold({ agentVersion: '1.5.0' });
      expect(host.runOfFunction()).toBe(host.run);
    }));
});

it.concurrent('a function that ends after its agent became another version is started again', () =>
  onHost(async (host) => {
    await host.untilTold({ agentVersion: '2.0.0', orderId: host.order(fresh), state: 'CONFIRMED' });
    const [, , , pid] = host.run.split(' ');
    process.kill(Number(pid), 'SIGKILL');
    await host.until('it is started again', () => host.runOfFunction().startsWith('run 2 '));
    await host.until('it runs', () => host.stateOfFunction() === 'RUNNING');
  }),
);

it.concurrent(
  'every file with a schemaVersion that an agent keeps is of a version that its program names',
  () =>
    onHost(async ({ agent }) => {
      const versionIn = (file: string): number =>
        Number(/"schemaVersion": ?(\d+)/.exec(readFileSync(join(agent.dataDirectory, file), 'utf8'))?.[1]);
      expect(versionIn('identity.json')).toBe(STATE_FORMATS.identity);
      expect(versionIn('assignments.json')).toBe(STATE_FORMATS.assignments);
      expect(versionIn('process/driver.json')).toBe(STATE_FORMATS.process);
    }),
);

describe.concurrent('a version that', () => {
  for (const [what, fault] of Object.entries(FAULTS)) {
    const isRefused = what === 'does not start at all';
    // MCO-O-081, MCO-O-092, MCO-O-095
    it(`${what} gives way to the version before, which tells why and does not try it again`, () =>
      onHost(async (host) => {
        const orderId = host.order(packed.version('2.0.0', fault), 4);
        await host.untilTold({
          agentVersion: '1.0.0',
          state: isRefused ? 'REFUSED' : 'ROLLED_BACK',
          orderId,
        });
        expect(host.told().reason).toMatch(
          isRefused ? /fails on this host/ : /exit code|did not confirm within 4 s/,
        );
        expect(host.runOfFunction()).toBe(host.run);
        expect(host.agent.pids).toHaveLength(1);
        const [tries, polls] = [host.triesInLog(), host.double.calls.length];
        host.agent.kill();
        await host.until(
          'it is back, and asks',
          () => host.double.calls.slice(polls).filter((call) => call === 'getWanted').length > 3,
        );
        expect(host.triesInLog()).toBe(tries);
      }));
  }

  // MCO-O-091
  it('has another content than its digest says, or keeps what could not be read again, is never tried', () =>
    onHost(async (host) => {
      const orderId = host.order(fresh, 20, Buffer.from(old.content));
      await host.untilTold({ agentVersion: '1.0.0', state: 'REFUSED', orderId });
      expect(host.told().reason).toMatch(/another content/);
      const newer = packed.version('3.0.0', '', { ...STATE_FORMATS, assignments: 99 });
      await host.untilTold({ agentVersion: '1.0.0', state: 'REFUSED', orderId: host.order(newer) });
      expect(host.told().reason).toMatch(/assignments as schemaVersion 99/);
      expect(host.triesInLog()).toBe(0);
    }));

  // MCO-O-094, MCO-O-095
  it('is not heard by the orchestrator gives way, too, and is tried again under another order', () =>
    onHost(async (host) => {
      host.order(fresh, 12);
      await host.until('it is tried', () => host.triesInLog() === 1);
      await host.double.disappear();
      await host.until('the version before runs', () =>
        host.agent.log.includes('the version before runs on'),
      );
      await host.double.appear();
      await host.untilTold({ agentVersion: '1.0.0', state: 'ROLLED_BACK' });
      expect(host.told().reason).toMatch(/waited for the orchestrator/);
      await host.untilTold({ agentVersion: '2.0.0', state: 'CONFIRMED', orderId: host.order(fresh) });
      expect(host.runOfFunction()).toBe(host.run);
    }));
});

const disk = mountSmallDisk(8);
afterAll(() => disk?.remove());

it.skipIf(disk === undefined)(
  'a host whose disk gets full while a version is tried runs the version before, and tries again under another order when there is room',
  { concurrent: true },
  () =>
    onHost(async (host) => {
      const orderId = host.order(packed.version('2.0.0', FAULTS['never confirms']), 4);
      await host.until('it is tried', () => host.isOnTrial());
      disk?.fill();
      await host.untilTold({ agentVersion: '1.0.0', state: 'ROLLED_BACK', orderId });
      expect(host.told().reason).toMatch(/did not confirm within 4 s/);
      expect(host.triesInLog()).toBe(1);
      disk?.makeRoom();
      await host.untilTold({ agentVersion: '2.0.0', state: 'CONFIRMED', orderId: host.order(fresh) });
      expect(host.runOfFunction()).toBe(host.run);
    }, disk?.path),
);

describe.concurrent('an agent that is killed in the middle of its upgrade', () => {
  interface Step {
    readonly isReached: (host: Host) => boolean;
    readonly ends: Told;
  }
  const STEPS: Readonly<Record<string, Step>> = {
    'while it fetches': {
      isReached: ({ double }) => double.calls.includes('retrieveArtifact'),
      ends: { agentVersion: '2.0.0', state: 'CONFIRMED' },
    },
    'when the trial is written down': {
      isReached: ({ agent }) => agent.pointer()?.['trial'] !== undefined,
      ends: {},
    },
    'when the version has been started': {
      isReached: (host) => host.isOnTrial(),
      ends: { agentVersion: '1.0.0', state: 'ROLLED_BACK' },
    },
    'when the version has confirmed': {
      isReached: ({ agent }) => agent.pointer()?.['current'] === fresh.digest,
      ends: { agentVersion: '2.0.0', state: 'CONFIRMED' },
    },
  };
  for (const [step, { isReached, ends }] of Object.entries(STEPS)) {
    // MCO-O-092
    it(`${step} ends with one of the two versions running, by itself, and says which`, () =>
      onHost(async (host) => {
        const orderId = host.order(fresh);
        await host.until(step, () => isReached(host));
        host.agent.kill();
        const isDecided = (): boolean =>
          host.told().orderId === orderId && ['CONFIRMED', 'ROLLED_BACK'].includes(host.told().state ?? '');
        await host.until('it tells how it ended', isDecided);
        expect(host.told().agentVersion).toBe(host.told().state === 'CONFIRMED' ? '2.0.0' : '1.0.0');
        await host.untilTold(ends);
        expect(host.runOfFunction()).toBe(host.run);
        expect(host.stateOfFunction()).toBe('RUNNING');
      }));
  }

  // MCO-O-092
  it('while a version on trial hangs, ends that one, too', () =>
    onHost(async (host) => {
      const orderId = host.order(packed.version('2.0.0', FAULTS.hangs), 60);
      await host.until('it is tried', () => host.isOnTrial());
      await new Promise((resolve) => setTimeout(resolve, 600));
      host.agent.kill();
      await host.untilTold({ agentVersion: '1.0.0', state: 'ROLLED_BACK', orderId });
      expect(host.told().reason).toMatch(/killed, or its machine was started anew/);
      expect(host.runOfFunction()).toBe(host.run);
    }));
});
