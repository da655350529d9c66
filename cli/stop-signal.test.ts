import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';

const script = `
  import { stopSignal } from ${JSON.stringify(new URL('./stop-signal.ts', import.meta.url).href)};
  setTimeout(() => process.exit(9), 10_000);
  const stopped = stopSignal();
  process.stdout.write('waiting\\n');
  await stopped;
  process.stdout.write('stopping\\n');`;

describe('a process that stops at a signal', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)(
    'ends at once at %s when it is stopping already',
    async (second) => {
      const child = spawn(process.execPath, ['--eval', script]);
      await once(child.stdout, 'data');
      child.kill('SIGTERM');
      expect(String(await once(child.stdout, 'data'))).toBe('stopping\n');
      child.kill(second);
      expect(await once(child, 'exit')).toEqual([null, second]);
    },
  );
});
