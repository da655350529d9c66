import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RESOURCE_TYPE, type Governor } from '../../shared/index.ts';
import { ACCESS, isAllowed, mayChangePolicies } from './access.ts';

const RULES = { cseId: '/id-in', adminOriginator: 'CAdmin' };
const container: Governor = { ri: 'cnt', ty: RESOURCE_TYPE.container, rev: 1, org: 'Cowner' };
const operations = fc.constantFrom(...Object.values(ACCESS));

describe('access control', () => {
  test('without a policy the creator may do everything and nobody else anything', () => {
    fc.assert(
      fc.property(operations, fc.string(), (operation, other) => {
        const question = { operation, governor: container, policies: {} };
        expect(isAllowed({ ...question, originator: 'Cowner' }, RULES)).toBe(true);
        expect(isAllowed({ ...question, originator: '/id-in/Cowner' }, RULES)).toBe(true);
        fc.pre(!['Cowner', 'CAdmin', '/id-in/Cowner', '/id-in/CAdmin'].includes(other));
        expect(isAllowed({ ...question, originator: other }, RULES)).toBe(false);
      }),
    );
  });

  test('with policies exactly the operations of the rules that name the originator are allowed', () => {
    const rule = fc.record({
      acor: fc.array(fc.constantFrom('Ca', 'Cb', 'all', 'C*')),
      acop: fc.integer({ min: 0, max: 63 }),
    });
    fc.assert(
      fc.property(
        fc.array(fc.array(rule)),
        operations,
        fc.constantFrom('Ca', 'Cb', 'Sc'),
        (lists, operation, originator) => {
          const policies = Object.fromEntries(
            lists.map((pv, index) => [`acp${index}`, { rev: 1, pv, pvs: [] }]),
          );
          const governor = { ...container, acpi: Object.keys(policies) };
          fc.pre(governor.acpi.length > 0);
          const bits = lists
            .flat()
            .filter(({ acor }) =>
              acor.some(
                (name) =>
                  name === 'all' || name === originator || (name === 'C*' && originator.startsWith('C')),
              ),
            )
            .reduce((sum, { acop }) => sum | acop, 0);
          expect(isAllowed({ originator, operation, governor, policies }, RULES)).toBe(
            (bits & operation) !== 0,
          );
        },
      ),
    );
  });

  test('when all policies of a resource are gone, its creator alone has it again', () => {
    const governor = { ...container, acpi: ['gone'] };
    const mayRead = (originator: string, policies = {}): boolean =>
      isAllowed({ originator, operation: ACCESS.retrieve, governor, policies }, RULES);
    expect(['Cowner', 'CAdmin', 'Cstranger', ''].map((each) => mayRead(each))).toEqual([
      true,
      true,
      false,
      false,
    ]);
    expect(mayChangePolicies({ originator: 'Cowner', governor, policies: {} }, RULES)).toBe(true);
    expect(mayRead('Cowner', { gone: { rev: 1, pv: [], pvs: [] } })).toBe(false);
  });

  test('a policy itself is ruled by its own pvs', () => {
    const governor: Governor = { ri: 'acp', ty: RESOURCE_TYPE.acp, rev: 1, org: 'Cowner' };
    const policies = { acp: { rev: 1, pv: [{ acor: ['Ca'], acop: 63 }], pvs: [{ acor: ['Cb'], acop: 4 }] } };
    const ask = (originator: string): boolean =>
      isAllowed({ originator, operation: ACCESS.update, governor, policies }, RULES);
    expect([ask('Ca'), ask('Cb'), ask('Cowner')]).toEqual([false, true, false]);
  });

  test('everybody may retrieve and discover the CSEBase, and nothing more', () => {
    const governor: Governor = { ri: 'id-in', ty: RESOURCE_TYPE.cseBase, rev: 1, org: 'CAdmin' };
    const allowed = Object.values(ACCESS).filter((operation) =>
      isAllowed({ originator: 'Canybody', operation, governor, policies: {} }, RULES),
    );
    expect(allowed).toEqual([ACCESS.retrieve, ACCESS.discover]);
  });

  test('which policies govern a resource is changed by those whom their pvs names', () => {
    const policies = { acp: { rev: 1, pv: [{ acor: ['Ca'], acop: 63 }], pvs: [{ acor: ['Cb'], acop: 4 }] } };
    const governor = { ...container, acpi: ['acp'] };
    const may = (originator: string): boolean => mayChangePolicies({ originator, governor, policies }, RULES);
    expect([may('Ca'), may('Cb'), may('Cowner')]).toEqual([false, true, false]);
    expect(mayChangePolicies({ originator: 'Cowner', governor: container, policies: {} }, RULES)).toBe(true);
  });
});
