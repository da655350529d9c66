import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IotmanoError, type TenantId } from '../../kernel/index.ts';
import { requireShare } from './shares.ts';

interface Holder {
  readonly tenant: TenantId;
  readonly name: string;
}

const of = (tenant: string, name: string): Holder => ({ tenant: tenant as TenantId, name });

/** Those who get a place when these ask for one after the other. */
function take(most: number, askers: readonly Holder[], holders: readonly Holder[] = []): readonly Holder[] {
  const taken = [...holders];
  for (const asker of askers) if (refusalOf(most, asker, taken) === undefined) taken.push(asker);
  return taken;
}

function refusalOf(most: number, asker: Holder, holders: readonly Holder[]): string | undefined {
  try {
    requireShare({ most, what: 'streams at host gw-1', holders }, asker);
    return undefined;
  } catch (error) {
    if (error instanceof IotmanoError && error.code === 'too-many-requests') return error.message;
    throw error;
  }
}

const many = (count: number, holder: Holder): Holder[] => Array.from({ length: count }, () => holder);

describe('places that several use', () => {
  it('are a third for a user alone, half for a tenant alone, and the refusal says what to do', () => {
    const byOne = take(16, many(20, of('acme', 'ann')));
    expect(byOne).toHaveLength(6);
    expect(refusalOf(16, of('acme', 'ann'), byOne)).toBe(
      'ann has 6 of the 16 streams at host gw-1, and what tenant acme may still have is kept for its other users; end some of your own, or try again later',
    );
    const byTenant = take(16, many(20, of('acme', 'bob')), byOne);
    expect(byTenant).toHaveLength(8);
    expect(refusalOf(16, of('acme', 'eve'), byTenant)).toBe(
      'tenant acme has 8 of the 16 streams at host gw-1, and the 8 that are free are kept for other tenants; end some of the tenant’s, or try again later',
    );
    expect(refusalOf(16, of('other', 'zoe'), byTenant)).toBeUndefined();
    expect(refusalOf(2, of('acme', 'ann'), many(2, of('other', 'zoe')))).toContain('all 2 streams at host');
  });

  it('are never taken by one tenant beyond half, nor by one user beyond a third, whoever asks in whatever order', () => {
    const asker = fc.record({
      tenant: fc.constantFrom('a', 'b', 'c'),
      name: fc.constantFrom('x', 'y', 'z'),
    });
    fc.assert(
      fc.property(fc.array(asker, { maxLength: 60 }), fc.integer({ min: 8, max: 30 }), (askers, most) => {
        const taken = take(
          most,
          askers.map(({ tenant, name }) => of(tenant, name)),
        );
        expect(taken.length).toBeLessThanOrEqual(most);
        const counted = (isMeant: (holder: Holder) => boolean): number => taken.filter(isMeant).length;
        for (const { tenant, name } of taken) {
          expect(counted((one) => one.tenant === tenant)).toBeLessThanOrEqual(Math.ceil(most / 2));
          expect(counted((one) => one.tenant === tenant && one.name === name)).toBeLessThanOrEqual(
            Math.ceil(most / 3),
          );
        }
        // Of three tenants, the one that has none finds a place.
        const hasOne = taken.some(({ tenant }) => tenant === 'a');
        expect(hasOne || refusalOf(most, of('a', 'x'), taken) === undefined).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});
