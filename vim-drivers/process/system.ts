import { readdirSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';

/** A process for good: a pid alone is used again, together with the start time and the boot it is not. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks after boot. */
  readonly startTicks: number;
}

/** What `/proc/<pid>/stat` says of one process. */
export interface ProcessStat extends ProcessIdentity {
  readonly state: string;
  readonly parent: number;
  readonly session: number;
  readonly cpuSeconds: number;
}

/** USER_HZ: 100 in the interface of every architecture that Linux has today. */
const TICKS_PER_SECOND = 100;

/** Parses `/proc/<pid>/stat`; the name of the program may hold spaces and parentheses. */
export function parseStat(text: string): ProcessStat | undefined {
  const open = text.indexOf('(');
  const close = text.lastIndexOf(')');
  if (open < 0 || close < 0) return undefined;
  const fields = text.slice(close + 2).split(' ');
  const number = (field: number): number => Number(fields[field - 3]);
  // Fields 16 and 17 are the times of children that were waited for: without them a program that forks loses its past.
  const ticks = number(14) + number(15) + number(16) + number(17);
  return {
    pid: Number(text.slice(0, open)),
    state: fields[0] ?? '?',
    parent: number(4),
    session: number(6),
    cpuSeconds: ticks / TICKS_PER_SECOND,
    startTicks: number(22),
  };
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined; // it ended, or belongs to somebody else
  }
}

export function statOf(pid: number): ProcessStat | undefined {
  const text = readText(`/proc/${pid}/stat`);
  return text === undefined ? undefined : parseStat(text);
}

/** Whether that very process still runs; a zombie does not. */
export function isRunning(identity: ProcessIdentity): boolean {
  const stat = statOf(identity.pid);
  return stat !== undefined && stat.startTicks === identity.startTicks && stat.state !== 'Z';
}

/** Every process of the machine: one pass over `/proc`. */
export function scanProcesses(): readonly ProcessStat[] {
  return readdirSync('/proc')
    .filter((name) => /^[1-9]/.test(name))
    .map((name) => statOf(Number(name)))
    .filter((stat) => stat !== undefined);
}

/** Whether the process was started with that `NAME=value` in its environment. */
export function hasInEnvironment(pid: number, entry: string): boolean {
  return readText(`/proc/${pid}/environ`)?.split('\0').includes(entry) ?? false;
}

/** Resident memory; 0 when the process is gone. */
export function residentBytes(pid: number): number {
  const kibibytes = /^VmRSS:\s+(\d+) kB/m.exec(readText(`/proc/${pid}/status`) ?? '')?.[1];
  return Number(kibibytes ?? 0) * 1024;
}

/** Whether the process handles or ignores SIGHUP: to any other one it would be deadly. */
export function survivesHangup(pid: number): boolean {
  const status = readText(`/proc/${pid}/status`) ?? '';
  return ['SigCgt', 'SigIgn'].some((name) => {
    const mask = new RegExp(`^${name}:\\s+([0-9a-f]+)`, 'm').exec(status)?.[1];
    return mask !== undefined && (BigInt(`0x${mask}`) & 1n) === 1n;
  });
}

/** Sends a signal; a process or group (negative) that is gone is fine. */
export function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // gone already, or never ours to signal: whoever asked looks at what is alive afterwards
  }
}

/** Names this boot of the machine. */
export async function readBootId(): Promise<string> {
  return (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
}

/** Hundredths of a second since boot, time asleep included; the same source that the dead-man's shell reads. */
export function uptimeCentiseconds(): number {
  return Math.round(Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]) * 100);
}
