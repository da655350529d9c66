/** What happens to the machine of a host: it crashes, boots anew, has another clock, or the disk of another day. */
import { cpSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { endProcessesOf } from '../../../scripts/demo/processes.ts';
import { randomIds } from '../../../kernel/index.ts';
import type { AgentStart, TestSystem } from '../test-system.ts';

const CLOCK = join(import.meta.dirname, 'shifted-clock.cjs');

const dataOf = (system: TestSystem, hostId: string): string => join(system.folder, hostId);

/** Agent, functions and what holds them are gone from one instant to the next. */
export async function crash(system: TestSystem, hostId: string): Promise<void> {
  await system.agent(hostId).kill();
  await endProcessesOf(`${dataOf(system, hostId)}/`);
}

/** Starts the agent on a machine that has booted anew, as far as the kernel tells it; needs the right to mount. */
export async function boot(system: TestSystem, hostId: string, start: AgentStart): Promise<void> {
  const file = join(system.folder, `${hostId}.boot`);
  writeFileSync(file, `${randomIds.uuid()}\n`);
  const script = `mount --bind '${file}' /proc/sys/kernel/random/boot_id && exec "$@"`;
  await system.startAgent(hostId, { ...start, launcher: ['unshare', '--mount', 'sh', '-c', script, 'sh'] });
}

/** A copy of all that the agent keeps. @returns puts it back in the place of what is there by then */
export function takeDiskImage(system: TestSystem, hostId: string): () => void {
  const image = join(system.folder, `${hostId}.image`);
  cpSync(dataOf(system, hostId), image, { recursive: true });
  return () => {
    rmSync(dataOf(system, hostId), { recursive: true });
    cpSync(image, dataOf(system, hostId), { recursive: true });
  };
}

/** Environment of a program whose wall clock is wrong by so much until it gets SIGUSR2, which sets it right. */
export function wrongClock(shiftSeconds: number): NodeJS.ProcessEnv {
  return { NODE_OPTIONS: `--require ${CLOCK}`, CLOCK_SHIFT_SECONDS: String(shiftSeconds) };
}
