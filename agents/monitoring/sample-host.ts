import { readFile, statfs } from 'node:fs/promises';
import type { HostSampler } from '../../vim-drivers/collection/index.ts';

/** Processor time since the start of the host, in ticks. */
export interface CpuTicks {
  readonly busy: number;
  readonly total: number;
}

/** The first line of /proc/stat: user nice system idle iowait irq softirq steal (guest times are in user). */
export function parseCpuTicks(procStat: string): CpuTicks | undefined {
  const fields = /^cpu\s+(.*)$/m.exec(procStat)?.[1]?.trim().split(/\s+/).slice(0, 8).map(Number);
  if (fields === undefined || fields.length < 5 || fields.some((field) => !Number.isFinite(field)))
    return undefined;
  const total = fields.reduce((sum, field) => sum + field, 0);
  return { total, busy: total - (fields[3] ?? 0) - (fields[4] ?? 0) };
}

/** Total and available bytes of /proc/meminfo. */
export function parseMemory(
  procMeminfo: string,
): { readonly totalBytes: number; readonly availableBytes: number } | undefined {
  const kibibytes = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(procMeminfo)?.[1]);
  const totalBytes = kibibytes('MemTotal') * 1024;
  const availableBytes = kibibytes('MemAvailable') * 1024;
  return Number.isFinite(totalBytes + availableBytes) ? { totalBytes, availableBytes } : undefined;
}

/** Processor use between two samples, memory, load, and room on the disk of the data directory. */
export function createHostSampler(dataDirectory: string): HostSampler {
  let before: CpuTicks | undefined;
  return {
    async sample(timestamp) {
      const [stat, meminfo, loadavg, disk] = await Promise.all([
        readFile('/proc/stat', 'utf8'),
        readFile('/proc/meminfo', 'utf8'),
        readFile('/proc/loadavg', 'utf8'),
        statfs(dataDirectory),
      ]);
      const ticks = parseCpuTicks(stat);
      const memory = parseMemory(meminfo);
      const used = ticks === undefined || before === undefined ? undefined : usedBetween(before, ticks);
      before = ticks;
      const values: readonly (readonly [string, string, number | undefined])[] = [
        ['host_cpu_used_ratio', '1', used],
        ['host_memory_total_bytes', 'By', memory?.totalBytes],
        [
          'host_memory_used_bytes',
          'By',
          memory === undefined ? undefined : memory.totalBytes - memory.availableBytes,
        ],
        ['host_load1', '1', Number.parseFloat(loadavg)],
        ['host_storage_total_bytes', 'By', disk.blocks * disk.bsize],
        ['host_storage_free_bytes', 'By', disk.bavail * disk.bsize],
      ];
      return values.flatMap(([metric, unit, value]) =>
        value === undefined || !Number.isFinite(value)
          ? []
          : [{ metric, unit, kind: 'gauge' as const, timestamp, value }],
      );
    },
  };
}

function usedBetween(before: CpuTicks, now: CpuTicks): number | undefined {
  const total = now.total - before.total;
  return total <= 0 ? undefined : Math.min(1, Math.max(0, (now.busy - before.busy) / total));
}
