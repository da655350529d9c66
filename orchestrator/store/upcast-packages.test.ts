import { describe, expect, it } from 'vitest';
import { RECORD_SCHEMAS, upcast } from './record-schemas.ts';

describe('a package of version 1', () => {
  const read = (document: unknown) => upcast(RECORD_SCHEMAS, 'vnf-package', 1, document);

  it('has its one spread as a list of one, and no nearness, which was not acted on', () => {
    const placement = {
      tiers: ['cloud'],
      spread: { by: 'zone' },
      near: { label: 'site', maxLatencyMilliseconds: 20 },
    };
    expect(read({ state: 'x', descriptor: { kind: 'k', placement } })).toEqual({
      state: 'x',
      descriptor: { kind: 'k', placement: { tiers: ['cloud'], spread: [{ by: 'zone' }] } },
    });
  });

  it('is as it was where it has no descriptor or no spread', () => {
    expect(read({ state: 'CREATED' })).toEqual({ state: 'CREATED' });
    expect(read({ descriptor: { placement: { tiers: [] } } })).toEqual({
      descriptor: { placement: { tiers: [], spread: [] } },
    });
  });
});
