import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { emptySlots, planSlots, type Slot } from './plan-slots.ts';

const at = (port: number) => ({ host: '127.0.0.1', port, instance: `i${port}` });
const openPorts = (slots: readonly Slot[]) =>
  slots
    .flatMap(({ isOpen, address }) => (isOpen && address !== undefined ? [address.port] : []))
    .toSorted((a, b) => a - b);

describe('planSlots', () => {
  test('gives each back end a slot, and says to the proxy only what is new', () => {
    const first = planSlots(emptySlots(3), [at(1001), at(1002)]);
    expect(first.commands.slice(0, 3)).toEqual([
      'set server gateways/slot1 state maint',
      'set server gateways/slot1 addr 127.0.0.1 port 1001',
      'set server gateways/slot1 state ready',
    ]);
    expect(planSlots(first.slots, [at(1002), at(1001)]).commands).toEqual([]);
  });

  test('drains the slot of a back end that is gone, and uses again the one that was closed first', () => {
    const first = planSlots(emptySlots(2), [at(1001), at(1002)]);
    const second = planSlots(first.slots, [at(1002)]);
    expect(second.commands).toEqual(['set server gateways/slot1 state drain']);
    const third = planSlots(second.slots, []);
    expect(planSlots(third.slots, [at(1003)]).commands[1]).toBe(
      'set server gateways/slot1 addr 127.0.0.1 port 1003',
    );
  });

  test('opens what is new before it drains what is gone', () => {
    const first = planSlots(emptySlots(2), [at(1001)]);
    const { commands } = planSlots(first.slots, [at(1002)]);
    expect(commands.at(-2)).toBe('set server gateways/slot2 state ready');
    expect(commands.at(-1)).toBe('set server gateways/slot1 state drain');
  });

  test('tells which back ends find no slot', () => {
    expect(planSlots(emptySlots(1), [at(1001), at(1002)]).left).toEqual([{ host: '127.0.0.1', port: 1002 }]);
  });

  test('keeps every slot, opens exactly the back ends wanted, and changes nothing when planned again', () => {
    const wishes = fc.array(fc.uniqueArray(fc.integer({ min: 1, max: 12 }), { maxLength: 6 }), {
      maxLength: 12,
    });
    fc.assert(
      fc.property(wishes, (history) => {
        let slots = emptySlots(6);
        for (const ports of history) {
          const plan = planSlots(slots, ports.map(at));
          expect(openPorts(plan.slots)).toEqual(ports.toSorted((a, b) => a - b));
          expect(plan.slots.map(({ name }) => name).toSorted()).toEqual(
            slots.map(({ name }) => name).toSorted(),
          );
          expect(planSlots(plan.slots, ports.map(at))).toEqual({ ...plan, commands: [] });
          slots = plan.slots;
        }
      }),
      { numRuns: 300 },
    );
  });
});
