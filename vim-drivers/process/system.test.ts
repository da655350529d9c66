import { spawn } from 'node:child_process';
import { once } from 'node:events';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hasInEnvironment, isRunning, parseStat, scanProcesses, statOf, survivesHangup } from './system.ts';

describe('what /proc says', () => {
  it('is read right whatever the program is called', () => {
    const rest = Array.from({ length: 48 }, (_, index) => String(index + 5)).join(' ');
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 15 }), (name) => {
        const stat = parseStat(`4711 (${name}) S 1 ${rest}`);
        expect(stat).toMatchObject({ pid: 4711, state: 'S', parent: 1, session: 6, startTicks: 22 });
      }),
    );
  });

  it('knows this process, and not another with the same number', () => {
    const self = statOf(process.pid);
    expect(self?.parent).toBe(process.ppid);
    expect(self !== undefined && isRunning(self)).toBe(true);
    expect(isRunning({ pid: process.pid, startTicks: 1 })).toBe(false);
    expect(scanProcesses().map(({ pid }) => pid)).toContain(process.pid);
  });

  it('tells who would survive SIGHUP, and what a process was started with', async () => {
    const child = spawn('sh', ['-c', 'trap : HUP; echo set; while :; do sleep 0.05; done'], {
      env: { ...process.env, MARK: 'x=y' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const plain = spawn('sleep', ['60'], { stdio: 'ignore' });
    await once(child.stdout, 'data');
    try {
      expect(survivesHangup(child.pid ?? 0)).toBe(true);
      expect(survivesHangup(plain.pid ?? 0)).toBe(false);
      expect(hasInEnvironment(child.pid ?? 0, 'MARK=x=y')).toBe(true);
      expect(hasInEnvironment(child.pid ?? 0, 'MARK=x')).toBe(false);
    } finally {
      child.kill('SIGKILL');
      plain.kill('SIGKILL');
    }
  });
});
