import { expect, it } from 'vitest';
import { RECORD_SCHEMAS, upcast } from './record-schemas.ts';

it('switches of version 1 are as they were, with the one change that they knew said of both kinds', () => {
  const old = { logs: true, exec: false, changedAt: '2026-11-30T08:00:00.000Z', changedBy: 'ann' };
  const changed = { at: '2026-11-30T08:00:00.000Z', by: 'ann' };
  expect(upcast(RECORD_SCHEMAS, 'diagnostics', 1, old)).toEqual({
    logs: { isOn: true, changed },
    exec: { isOn: false, changed },
  });
});
