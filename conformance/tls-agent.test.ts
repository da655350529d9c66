/** The kit over TLS against the agent of this project, which it gives certificates, and against broken ones. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createAgentRunner } from '../agents/testkit/agent-runner.ts';
import { randomIds, systemClock } from '../kernel/index.ts';
import {
  DEFAULT_WORKLOAD,
  checkAgent,
  createKitAuthority,
  listenOverHttp,
  type ConformanceResult,
  type KitAuthority,
} from './index.ts';
import { BROKEN_TLS_AGENTS, WITHOUT_CERTIFICATES } from './testkit/broken-tls-agents.ts';
import { idsWith } from './testkit/ids-with.ts';
import { listenMeddled, type WireMeddle } from './testkit/meddled-wire.ts';

const CERTIFICATES = ['MCO-C-061', 'MCO-C-065'];
/** What a binding has to do with. */
const COMMON = [
  'messages-are-as-the-document-says',
  'connections-are-few',
  'answers-are-bounded',
  'lost-session-is-opened-anew',
  'forgotten-agent-enrols-again',
  'who-was-away-reports-first',
];

let directory: string;
let authority: KitAuthority;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'kit-tls-'));
  authority = await createKitAuthority(systemClock);
  writeFileSync(join(directory, 'ca.crt'), authority.certificate);
});

afterAll(() => rmSync(directory, { recursive: true, force: true }));

async function check(
  only: readonly string[],
  { meddle = {}, isTls = true }: { readonly meddle?: WireMeddle; readonly isTls?: boolean } = {},
): Promise<ConformanceResult> {
  const listen = { address: '127.0.0.1', port: 0, ...(isTls ? { authority } : {}) };
  let end: () => Promise<void> = () => Promise.resolve();
  let starting: Promise<void> = Promise.resolve();
  try {
    return await checkAgent({
      listen: (handler) =>
        listenMeddled(
          (own) => listenOverHttp(listen, own, systemClock),
          () => meddle,
          handler,
        ),
      hands: {},
      workload: DEFAULT_WORKLOAD,
      only,
      timeoutSeconds: 45,
      waitSeconds: 60,
      certificateSeconds: 9,
      clock: systemClock,
      ids: randomIds,
      signal: new AbortController().signal,
      onListening: ({ url, token }) => {
        const runner = createAgentRunner(url);
        end = () => runner.cleanUp();
        starting = runner.start({ enrolmentToken: token, caFile: join(directory, 'ca.crt') });
      },
    });
  } finally {
    await starting;
    await end();
  }
}

describe('the kit over TLS', () => {
  it.concurrent.each([
    ['what it does with its certificate', CERTIFICATES],
    ['what it does in the clear as well', COMMON],
  ])(
    'finds nothing wrong with an agent in %s',
    async (_, only) => {
      const result = await check(only);
      const open = result.cases.filter(({ verdict }) => verdict !== 'passed');
      expect(open.map(({ id, faults, reason }) => [id, faults, reason])).toEqual([]);
      expect(result.cases.length).toBe(only.length);
    },
    100_000,
  );

  it.concurrent.each([
    ['an agent that makes no use of certificates', { meddle: WITHOUT_CERTIFICATES }, /needs an agent/],
    ['an agent in the clear', { isTls: false }, /needs TLS.*give --listen https/],
  ])(
    'says of %s that nothing of certificates is applicable, and why',
    async (_, how, why) => {
      const result = await check(CERTIFICATES, how);
      expect(idsWith('not applicable', result)).toEqual(CERTIFICATES);
      for (const { reason } of result.cases) expect(reason).toMatch(why);
    },
    100_000,
  );

  it.concurrent.each(BROKEN_TLS_AGENTS)(
    'finds an agent that $does ($requirement)',
    async ({ requirement, make }) => {
      expect(idsWith('failed', await check([requirement], { meddle: make() }))).toEqual([requirement]);
    },
    100_000,
  );

  it('wants a certificate whose renewal can come within a case', async () => {
    const options = { only: CERTIFICATES, timeoutSeconds: 45, certificateSeconds: 45 };
    const run = checkAgent({
      ...options,
      listen: () => Promise.reject(new RangeError('it does not listen')),
      hands: {},
      workload: DEFAULT_WORKLOAD,
      waitSeconds: 1,
      clock: systemClock,
      ids: randomIds,
      signal: new AbortController().signal,
      onListening: () => undefined,
    });
    await expect(run).rejects.toThrow(/--certificate-life of 45 s has to be shorter.*longer --timeout/);
  });
});
