import type { WorkloadSpec } from '../contract.ts';

export type RestartDecision =
  | {
      readonly action: 'restart';
      readonly delayMilliseconds: number;
      readonly recentExits: readonly number[];
    }
  | { readonly action: 'give-up'; readonly reason: string };

/**
 * What to do after an unwanted end at `now`, given the earlier ones that still count.
 * The first restart comes at once; each further one within the window waits twice as long as the one before.
 */
export function decideRestart(
  policy: WorkloadSpec['restart'],
  earlierExits: readonly number[],
  now: number,
): RestartDecision {
  const recentExits = [
    ...earlierExits.filter((at) => now - at < policy.withinSeconds * 1000 && at <= now),
    now,
  ];
  if (recentExits.length > policy.times) {
    return {
      action: 'give-up',
      reason: `ended ${recentExits.length} times within ${policy.withinSeconds} s; not started again`,
    };
  }
  const doublings = recentExits.length - 2;
  const seconds =
    doublings < 0 ? 0 : Math.min(policy.backoffMaxSeconds, policy.backoffMinSeconds * 2 ** doublings);
  return { action: 'restart', delayMilliseconds: seconds * 1000, recentExits };
}

const SIGNALS: Readonly<Record<number, string>> = {
  1: 'SIGHUP',
  2: 'SIGINT',
  3: 'SIGQUIT',
  4: 'SIGILL',
  6: 'SIGABRT',
  7: 'SIGBUS',
  8: 'SIGFPE',
  9: 'SIGKILL',
  11: 'SIGSEGV',
  13: 'SIGPIPE',
  14: 'SIGALRM',
  15: 'SIGTERM',
};

/** How a program ended, in words that an operator understands. */
export function describeExit(
  code: number | undefined,
  command: readonly string[],
  outOfMemoryLimitBytes?: number,
): string {
  if (outOfMemoryLimitBytes !== undefined)
    return `out of memory (limit ${Math.round(outOfMemoryLimitBytes / 1048576)} MiB)`;
  if (code === undefined) return 'ended without leaving an exit code';
  if (code === 127) return `exited with code 127: "${command[0] ?? ''}" was not found`;
  if (code === 126) return `exited with code 126: "${command[0] ?? ''}" cannot be executed`;
  const signal = code > 128 ? SIGNALS[code - 128] : undefined;
  return signal === undefined ? `exited with code ${code}` : `killed by ${signal}`;
}
