import { describe, expect, it } from 'vitest';
import { createRandom } from '../../kernel/index.ts';
import { Bits } from './bits.ts';
import { Candidates } from './candidates.ts';
import { compileRequest, type CompiledRequest } from './compile-request.ts';
import { HostIndex } from './host-index.ts';
import { planPlacement } from './plan-placement.ts';
import { buildDemand, buildHost, buildRequest } from './testkit.ts';
import type { PlacementRequest } from './types.ts';

/** More than are looked at together, and not a multiple of it. */
const HOSTS = 9001;
const ZONES = 5;
const INSTANCES = 65;

/** Hosts of several zones, of which a third have no room, some are draining, and no two neighbours are alike. */
function mixedIndex(): HostIndex {
  const random = createRandom(7);
  const hosts = Array.from({ length: HOSTS }, (_, at) =>
    buildHost(`h${String(at).padStart(5, '0')}`, {
      isDraining: at % 17 === 0,
      allocatable: {
        cpuMillis: 100 + Math.floor(random() * 3000),
        memoryBytes: Math.floor(random() * 3) * 2 ** 28,
        storageBytes: 0,
      },
      labels: { zone: `zone-${Math.floor(random() * ZONES)}`, power: at % 3 === 0 ? 'mains' : 'solar' },
    }),
  );
  return HostIndex.of({ hosts });
}

/** The best row, found by looking at each. */
function bestOfAll(index: HostIndex, compiled: CompiledRequest): number | undefined {
  let best: number | undefined;
  let most = -Infinity;
  for (let row = 0; row < index.rows; row += 1) {
    if (!compiled.eligible.has(row) || !compiled.fits(row)) continue;
    const score = compiled.key(row) + compiled.limits.score(row, false);
    if (score < most || (score === most && best !== undefined && index.compareRows(row, best) > 0)) continue;
    best = row;
    most = score;
  }
  return best;
}

describe('the hosts for the next instance of a request', () => {
  it.each([
    ['alike everywhere', {}],
    ['preferred in places', { prefer: [{ expression: 'power = mains', weight: 10 }] }],
    ['spread over zones', { spread: [{ by: 'zone' }] }],
    ['spread over zones with a hard skew', { spread: [{ by: 'zone', maxSkew: 2 }] }],
    ['apart by host', { spread: [{ by: 'host', maxSkew: 1 }] }],
  ] satisfies [string, Partial<PlacementRequest>][])(
    'are those that looking at each of thousands finds: %s',
    (_, changes) => {
      const index = mixedIndex();
      const demand = buildDemand(INSTANCES, 64);
      const request = buildRequest('a', { units: [demand], ...changes });
      index.occupancy.introduce(request.functionId, request);
      const compiled = compileRequest(index, request, demand, []);
      const candidates = new Candidates(index, compiled, INSTANCES);
      // So many that what is kept of a zone is used up again and again.
      for (let count = 0; count < 4 * INSTANCES; count += 1) {
        const row = candidates.best();
        expect(row).toBe(bestOfAll(index, compiled));
        if (row === undefined) throw new Error('there is room for all');
        index.book(request.functionId, demand, row, 1);
        candidates.took(row);
      }
    },
  );

  it('are those that came after the index was made, too, where they lack what hosts are grouped by', () => {
    const zoned = Array.from({ length: 9 }, (_, at) => buildHost(`b${at}`, { labels: { zone: `z${at}` } }));
    const index = HostIndex.of({ hosts: [buildHost('a'), ...zoned] });
    for (let at = 0; at < 300; at += 1) index.put(buildHost(`c${at}`));
    const requests = [
      buildRequest('r', { units: [buildDemand(1000)], spread: [{ by: 'zone', weight: 0.001 }] }),
    ];
    expect(planPlacement(index, { requests, rules: [] })).toMatchObject({ fits: true });
  });
});

describe('many rows at once', () => {
  it('have room, share and key as each by itself', () => {
    const index = mixedIndex();
    const demand = buildDemand(1, 64);
    const request = buildRequest('a', {
      units: [demand],
      prefer: [{ expression: 'power = mains', weight: 10 }],
    });
    const { room, key, keys } = compileRequest(index, request, demand, []);
    const all = Array.from({ length: index.rows }, (_, row) => row);
    const rows = Int32Array.from(all);
    const count = room.sift(rows, rows.length);
    const sifted = [...rows.subarray(0, count)];
    expect(sifted).toEqual(all.filter((row) => room.has(row)));
    expect(count).toBeLessThan(index.rows);
    const into = new Float64Array(count);
    keys(rows, count, into);
    expect([...into]).toEqual(sifted.map((row) => key(row)));
  });

  it('are listed from any of a set, as far as the list takes them', () => {
    const bits = new Bits(200);
    for (const row of [0, 31, 32, 63, 64, 65, 127, 128, 199]) bits.put(row, true);
    const listed = (from: number): readonly number[] => {
      const list = new Int32Array(64);
      return [...list.subarray(0, bits.listInto(list, from))];
    };
    expect([0, 64, 128, 192, 256].map(listed)).toEqual([[0, 31, 32, 63], [64, 65, 127], [128], [199], []]);
  });
});
