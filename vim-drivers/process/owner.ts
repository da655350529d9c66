import { rm } from 'node:fs/promises';
import { IotmanoError } from '../../kernel/index.ts';
import type { Layout } from './layout.ts';
import { readIfThere, replaceOrOverwriteFile } from './state-files.ts';
import { isRunning, statOf } from './system.ts';

/**
 * Marks the state directory as this process's.
 * @returns how to give it back
 * @throws IotmanoError `conflict` when another living process has it
 */
export async function ownDirectory(layout: Layout, bootId: string): Promise<() => Promise<void>> {
  const [boot, pid, startTicks] = ((await readIfThere(layout.ownerFile)) ?? '').trim().split(' ');
  const other = { pid: Number(pid), startTicks: Number(startTicks) };
  if (boot === bootId && other.pid !== process.pid && isRunning(other)) {
    throw new IotmanoError(
      'conflict',
      `process ${other.pid} already runs functions from ${layout.root}; stop it, or give this one another directory`,
      { pid: other.pid },
    );
  }
  const mine = `${bootId} ${process.pid} ${statOf(process.pid)?.startTicks ?? 0}\n`;
  // Also on a full disk: what runs there needs somebody to look after it.
  await replaceOrOverwriteFile(layout.ownerFile, mine);
  return async () => {
    if ((await readIfThere(layout.ownerFile)) === mine) await rm(layout.ownerFile, { force: true });
  };
}
