import { spawn } from 'node:child_process';
import type { Tools } from './launch.ts';
import type { Layout } from './layout.ts';
import { readIfThere } from './state-files.ts';
import { isRunning, sendSignal, type ProcessIdentity } from './system.ts';

/** The shell that keeps output files bounded, with or without the agent, for as long as anything runs. */
export interface OutputKeeper {
  /** Makes sure that it runs. */
  ensure(): Promise<void>;
  /** Ends it; for when nothing runs any more. */
  end(): Promise<void>;
}

export function createOutputKeeper(
  layout: Layout,
  tools: Tools,
  limitBytes: number,
  everySeconds: number,
): OutputKeeper {
  let isStarting = false;
  return {
    async ensure() {
      if (isStarting || (await findKeeper(layout)) !== undefined) return;
      isStarting = true;
      const child = spawn(
        tools.shell,
        [tools.keeper, layout.root, String(limitBytes), String(everySeconds), tools.flock],
        {
          cwd: '/',
          env: { PATH: process.env['PATH'] ?? '/usr/bin:/bin:/usr/sbin:/sbin' },
          detached: true,
          stdio: 'ignore',
        },
      );
      child.once('error', () => {
        isStarting = false;
      });
      child.once('exit', () => {
        isStarting = false;
      });
      child.unref();
    },
    async end() {
      const keeper = await findKeeper(layout);
      if (keeper !== undefined) sendSignal(keeper.pid, 'SIGTERM');
    },
  };
}

async function findKeeper(layout: Layout): Promise<ProcessIdentity | undefined> {
  const words = (await readIfThere(layout.keeperFile))?.trim().split(' ') ?? [];
  const identity = { pid: Number(words[1]), startTicks: Number(words[2]) };
  return words[3] === 'end' && isRunning(identity) ? identity : undefined;
}
