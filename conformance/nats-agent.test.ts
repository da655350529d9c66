/** The kit over NATS against the agent of this project, over real servers, and against broken ones. */
import { describe, expect, it } from 'vitest';
import { runAgent } from '../agents/index.ts';
import { createAgentRunner } from '../agents/testkit/agent-runner.ts';
import { parseId, randomIds, systemClock, type HostId } from '../kernel/index.ts';
import { isServiceMissing } from '../test/kit/services.ts';
import { diagnosticsCases } from './agent-kit/cases/diagnostics-cases.ts';
import { streamEndCases } from './agent-kit/cases/stream-end-cases.ts';
import {
  AGENT_CASES,
  DEFAULT_WORKLOAD,
  checkAgent,
  listenOverNats,
  type ConformanceResult,
} from './index.ts';
import { idsWith } from './testkit/ids-with.ts';
import { listenMeddled, type WireMeddle } from './testkit/meddled-wire.ts';

const HOST_ID = 'kit-agent';

interface BrokenOverNats {
  readonly requirement: string;
  readonly does: string;
  readonly make: (isServerLost: () => boolean) => WireMeddle;
}

const BROKEN: readonly BrokenOverNats[] = [
  {
    requirement: 'MCO-C-070',
    does: 'sends an envelope with a fault',
    make: () => ({
      sent: (received) =>
        received.operation === 'putFacts'
          ? { ...received, faults: ['headers: Mco-Sp-Id is missing'] }
          : received,
    }),
  },
  {
    requirement: 'MCO-C-072',
    does: 'connects as another user',
    make: () => ({ users: (users) => new Set([...users].map((user) => `${user.slice(0, -4)}XXXX`)) }),
  },
  {
    requirement: 'MCO-C-074',
    does: 'measures no more once a server was lost',
    make: (isServerLost) => ({
      isSwallowed: ({ operation }) => operation === 'postMeasurements' && isServerLost(),
    }),
  },
  {
    requirement: 'MCO-C-075',
    does: 'takes every push over',
    make: () => ({
      pushed: (push, question) => ({ ...push, since: Number(question?.query.get('since') ?? push.since) }),
    }),
  },
  {
    requirement: 'MCO-M-020',
    does: 'numbers its messages for the servers in its own way',
    make: () => ({ sent: (received) => ({ ...received, messageId: received.messageId && '1' }) }),
  },
  {
    requirement: 'MCO-M-021',
    does: 'forgets what the servers have stored',
    make: () => {
      const first = new Set<string>();
      return {
        isSwallowed: ({ operation, bootId }) => {
          if (first.size === 0) first.add(bootId);
          return operation === 'postMeasurements' && !first.has(bootId);
        },
      };
    },
  },
];

const RIGHT = (): WireMeddle => ({});

async function check(
  only: readonly string[] | undefined,
  {
    make = RIGHT,
    servers = 1,
    hasPrograms = false,
  }: { make?: BrokenOverNats['make']; servers?: number; hasPrograms?: boolean } = {},
): Promise<ConformanceResult> {
  let end: () => Promise<void> = () => Promise.resolve();
  let restart: (pauseSeconds: number) => Promise<void> = () => Promise.resolve();
  const server = { address: '127.0.0.1', port: 0, count: servers, program: 'nats-server', hostId: HOST_ID };
  let starting: Promise<void> = Promise.resolve();
  try {
    return await checkAgent({
      listen: (handler) => listenMeddled((own) => listenOverNats(server, own, systemClock), make, handler),
      hands: { restart: (_, pauseSeconds) => restart(pauseSeconds) },
      workload: DEFAULT_WORKLOAD,
      only,
      timeoutSeconds: 60,
      waitSeconds: 60,
      certificateSeconds: 9,
      clock: systemClock,
      ids: randomIds,
      signal: new AbortController().signal,
      onListening: ({ url, token }) => {
        const runner = createAgentRunner(url);
        const hostId = parseId<HostId>(HOST_ID, 'hostId');
        let ending = new AbortController();
        let running: Promise<unknown> = Promise.resolve();
        const start = async (): Promise<void> => {
          if (!hasPrograms) return runner.start({ enrolmentToken: token, hostId });
          ending = new AbortController();
          const { signal } = ending;
          const more = { enrolmentToken: token, hostId, clock: systemClock, signal };
          const { openDrivers: _fake, ...options } = runner.options(more);
          running = runAgent(options);
        };
        const stop = async (): Promise<void> => {
          ending.abort();
          await running;
          await runner.stop();
        };
        end = async () => {
          await stop();
          await runner.cleanUp();
        };
        restart = async (pauseSeconds) => {
          await stop();
          await systemClock.sleep(pauseSeconds * 1000);
          await start();
        };
        starting = start();
      },
    });
  } finally {
    await starting;
    await end();
  }
}

/** What the agent of the tests, which hurries and runs no programs, can be asked. */
const OVER_NATS = [...new Set(BROKEN.map(({ requirement }) => requirement))];
const COMMON = [
  'messages-are-as-the-document-says',
  'connections-are-few',
  'numbers-count-by-one',
  'unknown-members-of-answers-are-ignored',
  'answers-that-are-none-change-nothing',
  'answers-are-bounded',
  'lost-session-is-opened-anew',
  'forgotten-agent-enrols-again',
  'agent-ends-with-what-is-assigned',
  'what-is-not-assigned-is-stopped',
  'who-was-away-reports-first',
  'unanswered-report-is-repeated-unchanged',
  'measurements-wait-until-they-are-acknowledged',
  'refused-batch-does-not-block',
  'sealing-key-is-told',
];

/** What it does with real programs, and in its own time. */
const WITH_PROGRAMS = [
  'what-cannot-be-made-is-told',
  'cut-off-transfer-goes-on',
  'file-with-another-digest-is-not-used',
  'file-is-fetched-at-its-pace',
  'schedule-is-reported',
  'schedule-goes-on-alone',
  'missed-starts-are-made-up-and-counted',
  'function-that-was-given-up-is-an-alarm',
  'functions-run-on-while-cut-off',
  'dead-mans-rule-stops-the-function',
  'restarted-agent-is-the-same-host',
  'restarted-agent-finds-its-functions',
  'older-fence-has-no-effect-after-a-restart',
];

describe.skipIf(isServiceMissing('nats-server'))('the kit over NATS', () => {
  it.concurrent.each([
    ['what it does over NATS alone', OVER_NATS, 3, false],
    ['what it does over every binding', COMMON.filter((_, index) => index % 2 === 0), 1, false],
    ['what it does over every binding as well', COMMON.filter((_, index) => index % 2 === 1), 1, false],
    ['what it does with programs', WITH_PROGRAMS.filter((_, index) => index % 2 === 0), 1, true],
    ['what it does with programs as well', WITH_PROGRAMS.filter((_, index) => index % 2 === 1), 1, true],
    ['what operators ask it for', [...diagnosticsCases, ...streamEndCases].map(({ id }) => id), 1, true],
  ] as const)(
    'finds nothing wrong with an agent in %s',
    async (_, only, servers, hasPrograms) => {
      const result = await check(only, { servers, hasPrograms });
      expect(result.binding).toBe('nats');
      const open = result.cases.filter(({ verdict }) => verdict !== 'passed');
      expect(open.map(({ id, faults, reason }) => [id, faults, reason])).toEqual([]);
      expect(result.cases.length).toBeGreaterThanOrEqual(only.length);
    },
    170_000,
  );

  it.concurrent.each(BROKEN)(
    'finds an agent that $does ($requirement)',
    async ({ requirement, make }) => {
      const servers = requirement === 'MCO-C-074' ? 3 : 1;
      const cases = AGENT_CASES.filter(
        ({ requirements, bindings }) =>
          requirements.includes(requirement) && bindings?.includes('nats') === true,
      );
      const result = await check(
        cases.map(({ id }) => id),
        { make, servers },
      );
      expect(idsWith('failed', result)).toEqual([requirement]);
    },
    100_000,
  );
});
