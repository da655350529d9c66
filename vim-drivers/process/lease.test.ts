import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../kernel/index.ts';
import { layoutOf, type Layout } from './layout.ts';
import { deadmanGraceSeconds, openLeaseFile } from './lease.ts';

describe('the lease file', () => {
  let layout: Layout;
  beforeEach(async () => {
    layout = layoutOf(await mkdtemp(join(tmpdir(), 'iotmano-lease-')));
  });
  afterEach(async () => {
    await rm(layout.root, { recursive: true });
  });

  // MCO-O-046
  it('counts from when the renewal was sent, not from when it was answered', async () => {
    const lease = await openLeaseFile(layout, systemClock, 'boot');
    await lease.renew(systemClock.monotonic() - 3000);
    const left = lease.remainingMilliseconds(10);
    expect(left).toBeGreaterThan(5500);
    expect(left).toBeLessThanOrEqual(7000);
  });

  it('never goes back when an older renewal is answered late', async () => {
    const lease = await openLeaseFile(layout, systemClock, 'boot');
    await lease.renew(systemClock.monotonic());
    const before = await readFile(layout.leaseFile, 'utf8');
    await lease.renew(systemClock.monotonic() - 5000);
    expect(await readFile(layout.leaseFile, 'utf8')).toBe(before);
  });

  it('is kept over a restart of the driver, and void after one of the host', async () => {
    await (await openLeaseFile(layout, systemClock, 'boot')).renew(undefined);
    const same = await openLeaseFile(layout, systemClock, 'boot');
    expect(same.remainingMilliseconds(10)).toBeGreaterThan(8000);
    const other = await openLeaseFile(layout, systemClock, 'later boot');
    expect(other.remainingMilliseconds(1_000_000)).toBeLessThan(0);
  });

  it('is renewed where there is no room for another file', async () => {
    const old = await open(join(layout.root, 'old'), 'w+');
    // No file can be made in this folder, as on a full disk, but what is there can be written.
    const leaseFile = `/proc/self/fd/${old.fd}`;
    await old.write(`boot 0\n${'x'.repeat(50)}`);
    await (await openLeaseFile({ ...layout, leaseFile }, systemClock, 'boot')).renew(undefined);
    await old.close();
    expect(await readFile(join(layout.root, 'old'), 'utf8')).toMatch(/^boot [1-9]\d*\n$/);
  });

  // MCO-O-046
  it('takes a sleep of the machine as time in which nothing was renewed', async () => {
    let slept = 0;
    const clock = { ...systemClock, monotonic: () => systemClock.monotonic() - slept };
    const lease = await openLeaseFile(layout, clock, 'boot');
    await lease.renew(clock.monotonic());
    const before = await readFile(layout.leaseFile, 'utf8');
    // Uptime is a minute further ahead of the clock than it was: what was sent before the sleep looks a moment old.
    slept = 60_000;
    await systemClock.sleep(30);
    await lease.renew(clock.monotonic());
    expect(await readFile(layout.leaseFile, 'utf8')).toBe(before);
    await systemClock.sleep(30);
    await lease.renew(clock.monotonic());
    expect(await readFile(layout.leaseFile, 'utf8')).not.toBe(before);
  });

  it('keeps the grace inside the promised time', () => {
    expect(deadmanGraceSeconds(8, 10)).toBe(2);
    expect(deadmanGraceSeconds(60, 10)).toBe(10);
  });
});
