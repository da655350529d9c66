import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { randomIds } from '../../../kernel/index.ts';
import { openSqliteStore } from './index.ts';

const ROUNDS = 200;
const WRITER = new URL('../testkit/crash-writer.ts', import.meta.url).pathname;

/** What all writers so far have told. */
interface Told {
  readonly acted: Map<number, number>;
  seenRevision: number;
  stateId: string | undefined;
  leaseNumber: number;
  /** Rounds that got as far as opening, and as acting. */
  opened: number;
  actedRounds: number;
}

/** What is wrong with one writer's lines, given what all before it told; adds them to that. */
function faultsOf(lines: readonly string[], told: Told): string[] {
  const faults: string[] = [];
  const check = (isRight: boolean, fault: string) => {
    if (!isRight) faults.push(fault);
  };
  let hasActed = false;
  for (const line of lines) {
    const [word, ...rest] = line.split(' ');
    const [first = 0, second = 0] = rest.map(Number);
    if (word === 'found') {
      check(new Set(rest.slice(1)).size === 1, `half a commit: ${line}`);
      check(second >= (told.acted.get(first) ?? 0), `an acknowledged commit is lost: ${line}`);
    } else if (word === 'log') {
      check(line !== 'log half', 'half a commit in the change log');
    } else if (word === 'open') {
      const [stateId = ''] = rest;
      const revision = Number(rest[2]);
      check(stateId === (told.stateId ?? stateId), `another stateId: ${line}`);
      check(second > told.leaseNumber, `the lease number did not grow: ${line}`);
      check(revision >= told.seenRevision, `acted on, and not there: ${line}`);
      told.stateId = stateId;
      told.leaseNumber = second;
      told.opened += 1;
    } else if (word === 'seen') {
      told.seenRevision = Math.max(told.seenRevision, first);
    } else if (word === 'act') {
      hasActed = true;
      told.acted.set(first, Math.max(told.acted.get(first) ?? 0, second));
    }
  }
  if (hasActed) told.actedRounds += 1;
  return faults;
}

function linesOf(path: string): string[] {
  // A killed writer may have been stopped within a line.
  return readFileSync(path, 'utf8').split('\n').slice(0, -1);
}

function newTold(): Told {
  return {
    acted: new Map(),
    seenRevision: 0,
    stateId: undefined,
    leaseNumber: 0,
    opened: 0,
    actedRounds: 0,
  };
}

describe('a process that writes to the sqlite store', () => {
  const directories: string[] = [];

  function newDirectory(): string {
    const directory = mkdtempSync(join(tmpdir(), 'iotmano-crash-'));
    directories.push(directory);
    return directory;
  }

  afterEach(() => {
    for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true });
  });

  /** Runs a writer; kills it after that time. Returns how it ended. */
  function runWriter(
    directory: string,
    tellInto: string,
    milliseconds: number,
    shellLimits?: string,
  ): Promise<number | null> {
    const command = ['exec', process.execPath, WRITER, directory, tellInto].join(' ');
    const child = spawn('sh', ['-c', shellLimits === undefined ? command : `${shellLimits}; ${command}`], {
      stdio: 'ignore',
    });
    return new Promise((resolve) => {
      const timer = setTimeout(() => child.kill('SIGKILL'), milliseconds);
      child.on('exit', (code) => {
        clearTimeout(timer);
        resolve(code);
      });
    });
  }

  it(
    'keeps every other process out for as long as it lives, and not a moment longer',
    { timeout: 60_000 },
    async () => {
      const directory = newDirectory();
      const tellInto = join(directory, 'told');
      const child = spawn(process.execPath, [WRITER, directory, tellInto], { stdio: 'ignore' });
      const open = (lockWaitMilliseconds: number) =>
        openSqliteStore({ directory, ids: randomIds, onFatal: () => {}, lockWaitMilliseconds });
      try {
        await vi.waitUntil(
          () => existsSync(tellInto) && readFileSync(tellInto, 'utf8').includes('open'),
          20_000,
        );
        await expect(open(0)).rejects.toMatchObject({ code: 'store-locked' });
      } finally {
        child.kill('SIGKILL');
      }
      const store = await open(5000);
      expect(store.leaseNumber).toBe(2);
      await store.close();
    },
  );

  it(
    `loses nothing that was acknowledged, keeps no half commit, and has acted on nothing that is not there, over ${ROUNDS} kills at random instants`,
    { timeout: 300_000 },
    async () => {
      const directory = newDirectory();
      const told = newTold();
      let longest = 400;
      for (let round = 0; round < ROUNDS; round += 1) {
        const tellInto = join(directory, `round-${round}`);
        await runWriter(directory, tellInto, Math.random() * longest);
        let lines: string[] = [];
        try {
          lines = linesOf(tellInto);
        } catch {
          // Killed before it could tell anything.
        }
        expect(faultsOf(lines, told)).toEqual([]);
        // About half of the instants are to fall into the opening, half into the writing, however slow the machine is.
        longest *= lines.some((line) => line.startsWith('act')) ? 0.95 : 1.05;
        rmSync(tellInto, { force: true });
      }
      const last = join(directory, 'last');
      await runWriter(directory, last, 5000);
      expect(faultsOf(linesOf(last), told)).toEqual([]);
      expect(told.actedRounds).toBeGreaterThan(ROUNDS / 5);
      expect(told.actedRounds).toBeLessThan((ROUNDS * 4) / 5);
    },
  );

  it(
    'ends when the disk takes no more, and everything that it had acknowledged is there',
    { timeout: 60_000 },
    async () => {
      const directory = newDirectory();
      const told = newTold();
      const tellInto = join(directory, 'limited');
      // Blocks of 512 bytes: the write-ahead log cannot grow beyond it. Writing further fails as on a full disk.
      const code = await runWriter(directory, tellInto, 30_000, 'ulimit -f 1000');
      const lines = linesOf(tellInto);
      expect([code, lines.at(-1)]).toEqual([70, 'fatal store-failed']);
      expect(faultsOf(lines, told)).toEqual([]);
      expect(told.actedRounds).toBe(1);
      const after = join(directory, 'after');
      await runWriter(directory, after, 3000);
      expect(faultsOf(linesOf(after), told)).toEqual([]);
      expect(told.opened).toBe(2);
    },
  );
});
