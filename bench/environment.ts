import { cpus, loadavg } from 'node:os';

/** What a benchmark ran on. `loadAverage` is that of the last minute when it began: what else the machine was doing. */
export function describeEnvironment(): Readonly<Record<string, string | number>> {
  const [one = 0] = loadavg();
  return {
    node: process.version,
    cpus: cpus().length,
    cpu: cpus()[0]?.model ?? 'unknown',
    loadAverage: Number(one.toFixed(1)),
    date: new Date().toISOString().slice(0, 10),
  };
}
