import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { randomIds } from '../../kernel/index.ts';
import { wantedVnfcs } from '../domain/index.ts';
import { openSqliteStore, type StateStore } from '../store/index.ts';

const LOOP = join(import.meta.dirname, 'testkit/lifecycle-loop.ts');
const RUN_MILLISECONDS = 12_000;
const LEAST_LIVES = 4;
/** What a life tells is counted, as machines that others use are slow. */
const LONGEST_LIFE_LINES = 200;
const LONGEST_DELAY_MILLISECONDS = 20;

interface Run {
  readonly code: number | null;
  readonly told: readonly string[];
}

/** One life of the process: killed soon after it has told so many lines, or left alone. */
async function live(directory: string, into: string, lifeLines?: number): Promise<Run> {
  const child = spawn(
    process.execPath,
    [LOOP, directory, into, lifeLines === undefined ? 'settle' : 'loop'],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  );
  const told = () => (existsSync(into) ? readFileSync(into, 'utf8').split('\n').slice(0, -1) : []);
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const look = setInterval(() => {
    if (lifeLines === undefined || told().length < lifeLines) return;
    clearInterval(look);
    setTimeout(() => child.kill('SIGKILL'), Math.random() * LONGEST_DELAY_MILLISECONDS);
  }, 5);
  const code = await ended;
  clearInterval(look);
  return { code, told: told() };
}

function stateOf(store: StateStore, operationId: string): string | undefined {
  return store.get('vnf-lcm-op-occ', operationId)?.document.state;
}

function wordsAfter(told: readonly string[], word: string): readonly string[] {
  return told.filter((line) => line.startsWith(`${word} `)).map((line) => line.slice(word.length + 1));
}

it(
  'carries on with every operation that was accepted, over kills at random instants on a real store',
  { timeout: 240_000 },
  async () => {
    const directory = mkdtempSync(join(tmpdir(), 'iotmano-lifecycle-'));
    try {
      const data = join(directory, 'data');
      const told: string[] = [];
      const end = performance.now() + RUN_MILLISECONDS;
      let kills = 0;
      for (; performance.now() < end || kills < LEAST_LIVES; kills += 1) {
        const run = await live(
          data,
          join(directory, `told-${kills}`),
          1 + Math.random() * LONGEST_LIFE_LINES,
        );
        expect(run.code).toBeNull();
        told.push(...run.told);
      }
      const last = await live(data, join(directory, 'told-last'));
      expect(last.code).toBe(0);
      told.push(...last.told);
      const store = await openSqliteStore({ directory: data, ids: randomIds, onFatal: () => {} });
      const accepted = wordsAfter(told, 'accepted');
      expect(accepted.length).toBeGreaterThan(10);
      expect(accepted.filter((id) => stateOf(store, id) !== 'COMPLETED')).toEqual([]);
      const completed = wordsAfter(told, 'completed');
      expect(completed.filter((id) => stateOf(store, id) !== 'COMPLETED')).toEqual([]);
      for (const { id, document } of store.list('vnf-instance')) {
        expect([document.activeOpOcc, document.withdrawn ?? []]).toEqual([undefined, []]);
        const wanted = wantedVnfcs(document.wanted).map((copy) => `${copy.hostId} ${copy.generation}`);
        const assigned = [...store.list('assignment')]
          .filter((record) => record.document.workload.key.vnfInstanceId === id)
          .map((record) => `${record.document.hostId} ${record.document.workload.key.generation}`);
        expect(assigned).toEqual(wanted);
        // Nothing was started that a lost commit had wanted: each generation that a host has seen is one that was granted.
        const started = wordsAfter(told, 'start').filter((name) => name.startsWith(id));
        const generations = started.map((name) => Number(/-g(\d+)-/.exec(name)?.[1]));
        expect(Math.max(0, ...generations)).toBeLessThanOrEqual(document.generations);
      }
      expect(store.count('observed')).toBe(store.count('assignment'));
      await store.close();
    } finally {
      rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
    }
  },
);
