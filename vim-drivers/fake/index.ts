/** A driver without a host: infrastructure in memory, with switches for all that can go wrong. For tests, dry runs and benchmarks. */
export { createFakeDriver, type FakeDriver, type FakeDriverOptions } from './driver.ts';
export { noFailures, type FailureSwitches } from './failures.ts';
export type { FakePace } from './observe.ts';
export { createFakeWorld, type FakeHost, type FakeWorld, type FakeWorldOptions } from './world.ts';
