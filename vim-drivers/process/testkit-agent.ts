/**
 * Drivers in a process of its own, to be killed: each carries out one command, as an agent would. Argument: `AgentCourse`s as JSON. Says, as JSON
 * in a line, which of them got through, once each has come as far as it can.
 */
import type { Workload } from '../contract.ts';
import { onFuse, type Fuse } from './testkit-killer.ts';

export interface AgentCourse {
  readonly directory: string;
  readonly workloads: readonly Workload[];
  readonly action: 'apply' | 'remove';
  readonly revision: number;
  /** How often to renew the lease; absent: once. */
  readonly renewMilliseconds?: number;
  /** Stops for good just before it changes the world for that time, counted from 0; absent: never. */
  readonly killBeforeStep?: number;
}

/** A driver with a fuse that has not changed anything for so long has come to the end. */
const QUIET_MILLISECONDS = 250;

const { openDriver } = await import('./testkit.ts');
const courses = JSON.parse(process.argv[2] ?? '[]') as readonly AgentCourse[];

async function isGettingThrough(course: AgentCourse): Promise<boolean> {
  const fuse: Fuse = { stepsLeft: Number.POSITIVE_INFINITY, lastStepAt: 0 };
  let isDone = false;
  void onFuse(fuse, () => carryOut(course, fuse)).then(() => {
    isDone = true;
    fuse.lastStepAt = performance.now();
  });
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    if (fuse.stepsLeft < 0) return false;
    const quiet = course.killBeforeStep === undefined ? 0 : QUIET_MILLISECONDS;
    if (isDone && performance.now() - fuse.lastStepAt >= quiet) return true;
  }
}

async function carryOut(course: AgentCourse, fuse: Fuse): Promise<void> {
  const driver = await openDriver(course.directory);
  await driver.renewed();
  const { renewMilliseconds, action, revision } = course;
  if (renewMilliseconds !== undefined) setInterval(() => void driver.renewed(), renewMilliseconds);
  fuse.stepsLeft = course.killBeforeStep ?? Number.POSITIVE_INFINITY;
  const fence = { leaseNumber: 1, revision };
  await Promise.all(
    course.workloads.map((workload) =>
      action === 'apply'
        ? driver.apply(workload, fence)
        : driver.remove(workload.key, fence, { graceSeconds: 0.1 }),
    ),
  );
}

process.stdout.write(`${JSON.stringify(await Promise.all(courses.map(isGettingThrough)))}\n`);
setInterval(() => undefined, 1000);
