import { describe, expect, it, vi } from 'vitest';
import * as fc from 'fast-check';
import { SYSTEM_TENANT, type HostId } from '../../kernel/index.ts';
import { createMemoryStore } from '../store/index.ts';
import { assign, keyOf, unassign } from '../mco/testkit/assignments.ts';
import { computeBrakedZones, countMember, type ZoneCount } from './brake.ts';
import { leaseTerms } from './heartbeat.ts';
import { addHosts, createFleet } from './testkit/fleet.ts';

const GW1 = 'gw-1' as HostId;
const GW2 = 'gw-2' as HostId;

function names(count: number, prefix = 'gw'): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}-${index + 1}`);
}

describe('the lease of a host', () => {
  // MCO-O-040 MCO-O-042
  it('takes it from ENROLLED to READY by its first heartbeat, to SUSPECT when it lapses, and back', async () => {
    const fleet = createFleet();
    addHosts(fleet.store, ['gw-1']);
    await fleet.pass(25);
    expect(fleet.stateOf('gw-1')).toBe('ENROLLED');
    await fleet.pass(1, ['gw-1']);
    expect(fleet.stateOf('gw-1')).toBe('READY');
    await fleet.pass(18);
    expect(fleet.stateOf('gw-1')).toBe('READY');
    await fleet.pass(2);
    expect(fleet.stateOf('gw-1')).toBe('SUSPECT');
    await fleet.pass(1, ['gw-1']);
    expect(fleet.stateOf('gw-1')).toBe('READY');
  });

  // MCO-M-013 MCO-O-042
  it('makes it LOST, with an alarm that its return clears, when the most patient function has given it up', async () => {
    const fleet = createFleet();
    addHosts(fleet.store, ['gw-1']);
    await assign(fleet.store, GW1, keyOf(1), 9);
    await assign(fleet.store, GW1, keyOf(2), 45);
    await fleet.pass(1, ['gw-1']);
    await fleet.pass(8);
    expect(fleet.stateOf('gw-1')).toBe('SUSPECT');
    await fleet.pass(34);
    expect(fleet.stateOf('gw-1')).toBe('SUSPECT');
    await fleet.pass(4);
    expect(fleet.stateOf('gw-1')).toBe('LOST');
    const standing = () =>
      [...fleet.store.list('alarm')].filter(({ document }) => document.clearedAt === undefined);
    expect(standing().map(({ document }) => document.name)).toEqual(['host-lost']);
    await fleet.pass(1, ['gw-1']);
    expect(fleet.stateOf('gw-1')).toBe('READY');
    expect(standing()).toEqual([]);
  });

  // MCO-O-044
  it('is never written: a thousand heartbeats leave the store as it is', async () => {
    const fleet = createFleet();
    addHosts(fleet.store, ['gw-1']);
    fleet.inventory.renewLease(GW1);
    const { acceptedRevision } = fleet.store;
    for (let beat = 0; beat < 1000; beat += 1) fleet.inventory.renewLease(GW1);
    expect(fleet.store.acceptedRevision).toBe(acceptedRevision);
  });

  it('is looked at only when it may have lapsed', async () => {
    const fleet = createFleet();
    addHosts(fleet.store, ['gw-1']);
    await fleet.pass(1, ['gw-1']);
    fleet.inventory.judge();
    const looks = vi.spyOn(fleet.store, 'list');
    await fleet.pass(15);
    expect(looks).not.toHaveBeenCalled();
    await fleet.pass(5);
    expect(fleet.stateOf('gw-1')).toBe('SUSPECT');
  });

  it('is looked at in time where it was the longest until the host was heard by a new leader', async () => {
    const before = createFleet();
    addHosts(before.store, ['gw-1']);
    await before.pass(1, ['gw-1']);
    await assign(before.store, GW1, keyOf(1), 3);
    const after = createFleet(createMemoryStore({ disk: before.store.disk }), before.clock);
    await after.pass(1);
    await after.pass(1, ['gw-1']);
    await after.pass(1);
    expect(after.stateOf('gw-1')).toBe('SUSPECT');
  });

  it('is looked at in time where the assignment that shortens it was not durable at the last look', async () => {
    const fleet = createFleet();
    addHosts(fleet.store, ['gw-1']);
    await fleet.pass(1, ['gw-1']);
    fleet.store.disk.hold();
    const assigned = assign(fleet.store, GW1, keyOf(1), 3);
    fleet.inventory.judge();
    fleet.store.disk.release();
    await assigned;
    await fleet.pass(2.5);
    expect(fleet.stateOf('gw-1')).toBe('SUSPECT');
  });

  it('counts from the assignment that shortens it: the host cannot have known before', async () => {
    const fleet = createFleet();
    addHosts(fleet.store, ['gw-1']);
    await fleet.pass(1, ['gw-1']);
    await fleet.pass(8);
    await assign(fleet.store, GW1, keyOf(1), 3);
    fleet.inventory.judge();
    expect(fleet.stateOf('gw-1')).toBe('READY');
    expect(fleet.inventory.silentForMilliseconds(GW1)).toBeLessThan(1000);
    expect(fleet.inventory.leaseTerms(GW1)).toMatchObject({ heartbeatSeconds: 0.9, leaseSeconds: 1.8 });
    await fleet.pass(3);
    expect(fleet.stateOf('gw-1')).toBe('SUSPECT');
    await unassign(fleet.store, GW1, keyOf(1));
    expect(fleet.inventory.leaseTerms(GW1).heartbeatSeconds).toBe(10);
  });

  it('holds until it lapses, whoever would be more impatient, and then only a renewal brings it back', async () => {
    const fleet = createFleet();
    addHosts(fleet.store, ['gw-1']);
    await fleet.pass(1, ['gw-1']);
    await fleet.pass(8);
    expect(fleet.inventory.hasLease(GW1)).toBe(true);
    await assign(fleet.store, GW1, keyOf(1), 3);
    await fleet.pass(3);
    expect(fleet.inventory.hasLease(GW1)).toBe(false);
    await unassign(fleet.store, GW1, keyOf(1));
    expect(fleet.inventory.hasLease(GW1)).toBe(false);
    fleet.inventory.renewLease(GW1);
    expect(fleet.inventory.hasLease(GW1)).toBe(true);
  });

  it('is not made longer by an assignment that ends, before the host is heard again', async () => {
    const fleet = createFleet();
    addHosts(fleet.store, ['gw-1']);
    await assign(fleet.store, GW1, keyOf(1), 3);
    await fleet.pass(1, ['gw-1']);
    await unassign(fleet.store, GW1, keyOf(1));
    await fleet.pass(2);
    expect(fleet.stateOf('gw-1')).toBe('SUSPECT');
    await fleet.pass(1, ['gw-1']);
    await fleet.pass(15);
    expect(fleet.stateOf('gw-1')).toBe('READY');
  });

  // MCO-O-043
  it('is granted in full by a new leader before it judges', async () => {
    const before = createFleet();
    addHosts(before.store, ['gw-1']);
    await before.pass(1, ['gw-1']);
    await before.clock.advance(3_600_000);
    const after = createFleet(createMemoryStore({ disk: before.store.disk }), before.clock);
    after.inventory.judge();
    expect(after.stateOf('gw-1')).toBe('READY');
    expect(after.inventory.silentForMilliseconds(GW1)).toBe(0);
    await after.pass(19);
    expect(after.stateOf('gw-1')).toBe('READY');
    await after.pass(2);
    expect(after.stateOf('gw-1')).toBe('SUSPECT');
  });

  it('is the longest one where a new leader cannot know that the host was told of a shorter one', async () => {
    const before = createFleet();
    addHosts(before.store, ['gw-1', 'gw-2']);
    await before.pass(1, ['gw-1', 'gw-2']);
    await assign(before.store, GW1, keyOf(1), 3);
    await assign(before.store, GW2, keyOf(2), 3);
    const document = { revision: before.store.acceptedRevision };
    await before.store.commit([{ op: 'put', kind: 'host-applied', id: GW2, tenant: SYSTEM_TENANT, document }])
      .durable;
    const after = createFleet(createMemoryStore({ disk: before.store.disk }), before.clock);
    await after.pass(5);
    expect([after.stateOf('gw-1'), after.stateOf('gw-2')]).toEqual(['READY', 'LOST']);
    await assign(after.store, GW1, keyOf(3), 3);
    await after.pass(14);
    expect(after.stateOf('gw-1')).toBe('READY');
    await after.pass(2);
    expect(after.stateOf('gw-1')).toBe('LOST');
  });

  it('is waited for also of a host that was SUSPECT before', async () => {
    const before = createFleet();
    addHosts(before.store, ['gw-1']);
    await before.pass(1, ['gw-1']);
    await assign(before.store, GW1, keyOf(1), 3);
    await before.pass(3);
    expect(before.stateOf('gw-1')).toBe('SUSPECT');
    const after = createFleet(createMemoryStore({ disk: before.store.disk }), before.clock);
    await after.pass(19);
    expect(after.stateOf('gw-1')).toBe('SUSPECT');
    await after.pass(2);
    expect(after.stateOf('gw-1')).toBe('LOST');
  });

  // MCO-O-041
  it('is twice the heartbeat, and three heartbeats leave a tenth of every patience, so that all that fell silent together lapse before one is given up', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 1.5, max: 1e6, noNaN: true })), (patiences) => {
        const { heartbeatSeconds, leaseSeconds, patienceSeconds } = leaseTerms(patiences);
        expect(leaseSeconds).toBe(2 * heartbeatSeconds);
        for (const patience of patiences) {
          expect(heartbeatSeconds).toBeLessThanOrEqual(Math.max(0.5, (patience * 3) / 10));
          expect(patienceSeconds).toBeGreaterThanOrEqual(patience);
        }
        expect(heartbeatSeconds).toBeLessThanOrEqual(10);
      }),
    );
  });
});

describe('a draining host', () => {
  it('stays draining over silence and return', async () => {
    const fleet = createFleet();
    addHosts(fleet.store, ['gw-1']);
    await fleet.pass(1, ['gw-1']);
    const host = fleet.store.get('host', 'gw-1');
    if (host !== undefined) fleet.inventory.modify(host, { draining: true });
    expect(fleet.stateOf('gw-1')).toBe('DRAINING');
    await fleet.pass(25);
    expect(fleet.stateOf('gw-1')).toBe('SUSPECT');
    await fleet.pass(1, ['gw-1']);
    expect(fleet.stateOf('gw-1')).toBe('DRAINING');
  });
});

describe('the brake', () => {
  // MCO-O-045
  it('holds a zone of which a third fell silent at once, with an alarm, until they are back', async () => {
    const fleet = createFleet();
    const north = names(9, 'north');
    const south = names(9, 'south');
    addHosts(fleet.store, north, 'north');
    addHosts(fleet.store, south, 'south');
    await fleet.pass(2, [...north, ...south]);
    const heard = [...north.slice(3), ...south];
    await fleet.pass(120, heard);
    expect(fleet.inventory.isBraked('north-1' as HostId)).toBe(true);
    expect(fleet.inventory.isBraked('north-9' as HostId)).toBe(true);
    expect(fleet.inventory.isBraked('south-1' as HostId)).toBe(false);
    expect(fleet.stateOf('north-1')).toBe('SUSPECT');
    const alarms = () =>
      [...fleet.store.list('alarm')].map(({ document }) => [document.name, document.severity]);
    expect(alarms()).toEqual([['network-suspected', 'CRITICAL']]);
    await fleet.pass(2, [...north, ...south]);
    expect(fleet.inventory.isBraked('north-1' as HostId)).toBe(false);
    expect(alarms()).toEqual([['network-suspected', 'CLEARED']]);
  });

  // MCO-O-045
  it('holds the rest of such a zone for a lease when the first of them is back, and then no longer', async () => {
    const fleet = createFleet();
    const north = names(9, 'north');
    addHosts(fleet.store, north, 'north');
    await fleet.pass(2, north);
    await fleet.pass(120, north.slice(3));
    await fleet.pass(10, north.slice(2));
    expect([fleet.stateOf('north-3'), fleet.stateOf('north-1')]).toEqual(['READY', 'SUSPECT']);
    expect(fleet.inventory.isBraked('north-1' as HostId)).toBe(true);
    await fleet.pass(30, north.slice(2));
    expect(fleet.stateOf('north-1')).toBe('LOST');
  });

  it('does not hold a fleet of two for ever, nor one host that fails alone', async () => {
    const fleet = createFleet();
    addHosts(fleet.store, ['gw-1', 'gw-2']);
    await fleet.pass(2, ['gw-1', 'gw-2']);
    await fleet.pass(40, ['gw-2']);
    expect(fleet.inventory.isBraked(GW1)).toBe(false);
    expect(fleet.stateOf('gw-1')).toBe('LOST');
  });

  it('sees all hosts of a zone lapse before the first function there is given up', async () => {
    const fleet = createFleet();
    const zone = names(10);
    addHosts(fleet.store, zone, 'z');
    for (const hostId of zone) await assign(fleet.store, hostId as HostId, keyOf(1), 12);
    // Heartbeats every 4 seconds, out of step; then silence from all at the same moment.
    for (let second = 0; second < 12; second += 1)
      await fleet.pass(
        1,
        zone.filter((_, index) => index % 4 === second % 4),
      );
    let worst = 0;
    while (worst < 12_000 && !fleet.inventory.isBraked(zone[0] as HostId)) {
      await fleet.pass(0.25);
      worst = Math.max(...zone.map((hostId) => fleet.inventory.silentForMilliseconds(hostId as HostId)));
    }
    expect(worst).toBeLessThan(12_000);
    await fleet.pass(60);
    expect(zone.map((hostId) => fleet.stateOf(hostId))).toEqual(zone.map(() => 'SUSPECT'));
  });

  it('lets an operator give up a host all the same', async () => {
    const fleet = createFleet();
    const zone = names(4);
    addHosts(fleet.store, zone, 'z');
    await fleet.pass(1, zone);
    await fleet.pass(60);
    expect(fleet.inventory.isBraked(GW1)).toBe(true);
    const host = fleet.store.get('host', 'gw-1');
    if (host !== undefined) fleet.inventory.modify(host, { givenUp: true });
    expect(fleet.stateOf('gw-1')).toBe('LOST');
    expect(fleet.inventory.isBraked(GW1)).toBe(false);
  });

  // MCO-O-045
  it('holds exactly the zones with three silent hosts or more and over 30 % of those heard', () => {
    const state = fc.constantFrom('ENROLLED', 'READY', 'SUSPECT', 'LOST', 'DRAINING', 'DISPUTED');
    const member = fc.record({ zone: fc.constantFrom('a', 'b'), state });
    fc.assert(
      fc.property(fc.array(member, { maxLength: 40 }), (members) => {
        const zones = new Map<string, ZoneCount>();
        for (const each of members) countMember(zones, each, 1);
        const braked = computeBrakedZones(zones);
        for (const zone of ['a', 'b']) {
          const heard = members.filter(
            (one) => one.zone === zone && ['READY', 'SUSPECT', 'DRAINING'].includes(one.state),
          );
          const silent = heard.filter((one) => one.state === 'SUSPECT').length;
          expect(braked.has(zone)).toBe(silent >= 3 && silent / heard.length > 0.3);
        }
      }),
    );
  });
});
